//! The shapes of names that platforms prescribe: Google Cloud's projects, keys and networks, Kubernetes' names and labels,
//! addresses of storage. Pure functions of text; whether the thing exists, only the platform knows.

use crate::diagnostics::Code;

/// What a text must look like.
pub(crate) struct Shape {
    /// What is reported where it does not.
    pub(crate) code: Code,
    /// What it is, behind "is no".
    pub(crate) what: &'static str,
    /// Whether a text has the shape.
    pub(crate) holds: fn(&str) -> bool,
    /// The shape and an example: full sentences.
    pub(crate) help: &'static str,
}

/// A project of Google Cloud.
pub(crate) const PROJECT: Shape = Shape {
    code: Code::CloudName,
    what: "id of a Google Cloud project",
    holds: is_project,
    help: "An id has 6 to 30 lower-case letters, digits and `-`, and begins with a letter: \"bank-ml\".",
};

/// A region of Google Cloud.
pub(crate) const REGION: Shape = Shape {
    code: Code::CloudName,
    what: "region of Google Cloud",
    holds: is_region,
    help: "Write a region such as \"europe-west4\" or \"us-central1\".",
};

/// A service account of Google Cloud.
pub(crate) const SERVICE_ACCOUNT: Shape = Shape {
    code: Code::CloudName,
    what: "service account of Google Cloud",
    holds: is_service_account,
    help: "Write its whole e-mail address: \"trainer@bank-ml.iam.gserviceaccount.com\".",
};

/// A network of Google Cloud.
pub(crate) const NETWORK: Shape = Shape {
    code: Code::CloudName,
    what: "network of Google Cloud",
    holds: is_network,
    help: "Write the project's number and the network's name: \"projects/123456789/global/networks/main\".",
};

/// A key of Google's Cloud KMS.
pub(crate) const ENCRYPTION_KEY: Shape = Shape {
    code: Code::EncryptionKey,
    what: "key of Google's Cloud KMS",
    holds: |text| key_location(text).is_some(),
    help: "Write \"projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY\".",
};

/// An address of Cloud Storage.
pub(crate) const CLOUD_STORAGE: Shape = Shape {
    code: Code::StorageAddress,
    what: "address in Cloud Storage",
    holds: |text| is_storage(text, &["gs"]),
    help: "Vertex AI keeps artifacts in Cloud Storage: \"gs://bucket/path\".",
};

/// An address of storage that Kubeflow reads.
pub(crate) const OBJECT_STORAGE: Shape = Shape {
    code: Code::StorageAddress,
    what: "address of storage that Kubeflow can read",
    holds: |text| is_storage(text, &["s3", "gs", "minio"]),
    help: "Write \"s3://bucket/path\", \"gs://bucket/path\" or \"minio://bucket/path\".",
};

/// An address of a web API.
pub(crate) const WEB: Shape = Shape {
    code: Code::StorageAddress,
    what: "address of an API",
    holds: is_web,
    help: "Write it whole: \"https://kubeflow.example.com/pipeline\".",
};

/// An address of storage that a pod started by Airflow reads.
pub(crate) const POD_STORAGE: Shape = Shape {
    code: Code::StorageAddress,
    what: "address of storage that a pod can read",
    holds: is_object_storage,
    help: "Write \"s3://bucket/path\", \"gs://bucket/path\" or \"az://container/path\"; a folder needs `runner: docker` or `runner: local`.",
};

/// An address of storage that a worker of Airflow reads.
pub(crate) const WORKER_STORAGE: Shape = Shape {
    code: Code::StorageAddress,
    what: "address of storage that a worker can read",
    holds: |text| is_object_storage(text) || is_folder(text.strip_prefix("file://").unwrap_or(text)),
    help: "Write \"s3://bucket/path\", \"gs://bucket/path\", \"az://container/path\", or the absolute path of a folder that every worker sees.",
};

/// An address of data that a trigger waits for.
pub(crate) const DATA: Shape = Shape {
    code: Code::StorageAddress,
    what: "address of data",
    holds: is_data,
    help: "Write \"s3://bucket/path\", \"gs://bucket/path\", \"az://container/path\" or \"file:///path\"; what has no address of its own gets one as in \"x-ours://loans\".",
};

/// The folder of DAG files.
pub(crate) const FOLDER: Shape = Shape {
    code: Code::BadSetting,
    what: "path of a folder",
    holds: |text| !text.trim().is_empty() && !text.contains("://") && !text.contains(char::is_control),
    help: "Write a path such as \"/opt/airflow/dags\".",
};

/// The id of a connection of Airflow.
pub(crate) const CONNECTION: Shape = Shape {
    code: Code::AirflowName,
    what: "id of a connection of Airflow",
    holds: |text| {
        is_airflow_text(text, 200)
            && text
                .bytes()
                .all(|byte| is_airflow_name(byte) || b"#!():/\\".contains(&byte))
    },
    help: "An id has at most 200 letters, digits, `_`, `-`, `.`, `:` and `/`: \"kubernetes_default\".",
};

/// The name of a pool of Airflow.
pub(crate) const POOL: Shape = Shape {
    code: Code::AirflowName,
    what: "name of a pool of Airflow",
    holds: |text| is_airflow_text(text, 250),
    help: "A name has 1 to 250 characters, and no space before or behind: \"training\".",
};

/// The owner of a DAG.
pub(crate) const OWNER: Shape = Shape {
    code: Code::AirflowName,
    what: "owner of a DAG",
    holds: |text| is_airflow_text(text, 250),
    help: "An owner has 1 to 250 characters, and no space before or behind: \"risk-team\".",
};

/// A tag of a DAG.
pub(crate) const TAG: Shape = Shape {
    code: Code::AirflowName,
    what: "tag of a DAG",
    holds: |text| is_airflow_text(text, 100),
    help: "A tag has 1 to 100 characters, and no space before or behind: \"credit\".",
};

/// A function that Python can import.
pub(crate) const DOTTED_PATH: Shape = Shape {
    code: Code::AirflowName,
    what: "path of a Python function",
    holds: is_dotted_path,
    help: "Write the module and the function, as Python imports them: \"alerts.page.on_failure\".",
};

/// Where a worker of Airflow finds a secret.
pub(crate) const WORKER_SECRET: Shape = Shape {
    code: Code::SecretPlace,
    what: "place of a secret on a worker",
    holds: is_worker_secret,
    help: "Write \"env:NAME\" for a variable of the worker, or \"file:/path\" for a file that it can read.",
};

/// A name of an object of Kubernetes (RFC 1123 subdomain).
pub(crate) const KUBERNETES_NAME: Shape = Shape {
    code: Code::KubernetesName,
    what: "name in Kubernetes",
    holds: is_subdomain,
    help: "A name has lower-case letters, digits, `-` and `.`, and begins and ends with a letter or a digit.",
};

/// A namespace of Kubernetes (RFC 1123 label).
pub(crate) const NAMESPACE: Shape = Shape {
    code: Code::KubernetesName,
    what: "namespace of Kubernetes",
    holds: is_label_name,
    help: "A namespace has at most 63 lower-case letters, digits and `-`, and begins and ends with a letter or a digit.",
};

/// The key of a label or annotation of Kubernetes.
pub(crate) const KUBERNETES_KEY: Shape = Shape {
    code: Code::BadLabel,
    what: "key of a label in Kubernetes",
    holds: is_qualified,
    help: "A key has at most 63 letters, digits, `-`, `_` and `.`, perhaps behind a domain and `/`: `example.com/team`.",
};

/// The value of a label of Kubernetes.
pub(crate) const KUBERNETES_VALUE: Shape = Shape {
    code: Code::BadLabel,
    what: "value of a label in Kubernetes",
    holds: |text| text.is_empty() || is_label_part(text),
    help: "A value has at most 63 letters, digits, `-`, `_` and `.`, and begins and ends with a letter or a digit.",
};

/// The value of an annotation of Kubernetes: any text.
pub(crate) const ANYTHING: Shape = Shape {
    code: Code::BadLabel,
    what: "text",
    holds: |_| true,
    help: "Write a text.",
};

/// The key of a label of Google Cloud.
pub(crate) const CLOUD_KEY: Shape = Shape {
    code: Code::BadLabel,
    what: "key of a label in Google Cloud",
    holds: |text| text.starts_with(|first: char| first.is_alphabetic()) && is_cloud_label(text),
    help: "A key has at most 64 lower-case letters, digits, `-` and `_`, and begins with a letter.",
};

/// The value of a label of Google Cloud.
pub(crate) const CLOUD_VALUE: Shape = Shape {
    code: Code::BadLabel,
    what: "value of a label in Google Cloud",
    holds: is_cloud_label,
    help: "A value has at most 64 lower-case letters, digits, `-` and `_`.",
};

/// A secret of Kubernetes with the key in it.
pub(crate) const KUBERNETES_SECRET: Shape = Shape {
    code: Code::SecretPlace,
    what: "place of a secret in Kubernetes",
    holds: is_kubernetes_secret,
    help: "Write the secret's name and the key in it: \"registry-login/password\".",
};

/// A version of a secret of Google's Secret Manager.
pub(crate) const CLOUD_SECRET: Shape = Shape {
    code: Code::SecretPlace,
    what: "version of a secret in Secret Manager",
    holds: is_cloud_secret,
    help: "Write \"projects/PROJECT/secrets/NAME/versions/latest\", or the number of a version.",
};

/// A reference to a container image.
pub(crate) const IMAGE: Shape = Shape {
    code: Code::BadSetting,
    what: "reference to an image",
    holds: |text| !text.is_empty() && !text.contains(char::is_whitespace) && !text.contains("://"),
    help: "Write \"registry/name@sha256:…\", or \"registry/name:tag\".",
};

/// The location of a Cloud KMS key: `projects/P/locations/L/keyRings/R/cryptoKeys/K`.
pub(crate) fn key_location(text: &str) -> Option<&str> {
    let parts: Vec<&str> = text.split('/').collect();
    let [
        "projects",
        project,
        "locations",
        location,
        "keyRings",
        ring,
        "cryptoKeys",
        key,
    ] = parts.as_slice()
    else {
        return None;
    };
    let is_name = |name: &str| {
        (1..=63).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let holds = is_project(project) && is_name(location) && is_name(ring) && is_name(key);
    holds.then_some(location)
}

/// The region of a zone such as `europe-west4-a`.
pub(crate) fn region_of_zone(text: &str) -> Option<&str> {
    let (region, zone) = text.rsplit_once('-')?;
    let is_zone = zone.len() == 1 && zone.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_zone && is_region(region)).then_some(region)
}

fn is_project(text: &str) -> bool {
    let (domain, id) = text
        .split_once(':')
        .map_or((None, text), |(domain, id)| (Some(domain), id));
    (6..=30).contains(&id.len())
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && !id.ends_with('-')
        && id.bytes().all(is_lower_or_dash)
        && domain.is_none_or(is_subdomain)
}

fn is_region(text: &str) -> bool {
    let Some((area, place)) = text.split_once('-') else {
        return false;
    };
    let name = place.trim_end_matches(|last: char| last.is_ascii_digit());
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    is_word(area) && is_word(name) && name.len() < place.len()
}

fn is_service_account(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else {
        return false;
    };
    let is_name = !name.is_empty() && name.bytes().all(is_lower_or_dash);
    is_name && domain.ends_with(".gserviceaccount.com") && is_subdomain(domain)
}

fn is_network(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let ["projects", number, "global", "networks", name] = parts.as_slice() else {
        return false;
    };
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && is_label_name(name)
}

fn is_storage(text: &str, schemes: &[&str]) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let bucket = rest.split('/').next().unwrap_or_default();
    let is_bucket = (3..=222).contains(&bucket.len())
        && begins_and_ends(bucket, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && bucket
            .bytes()
            .all(|byte| is_lower_or_dash(byte) || b"._".contains(&byte));
    schemes.contains(&scheme) && is_bucket && !rest.contains(char::is_whitespace) && !rest.contains("//")
}

fn is_object_storage(text: &str) -> bool {
    is_storage(text, &["s3", "gs", "az"])
}

/// Whether a text is an absolute path of a folder below the root, without steps back.
fn is_folder(text: &str) -> bool {
    let parts = text
        .strip_prefix('/')
        .unwrap_or_default()
        .trim_end_matches('/')
        .split('/');
    text.starts_with('/')
        && !text.contains(|character: char| character.is_control() || "{}".contains(character))
        && parts
            .into_iter()
            .all(|part| !part.is_empty() && part != "." && part != "..")
}

/// Whether a text names data in storage, or begins with a scheme of the users' own (`x-…`). Platforms compare addresses as
/// texts, and leave out what ends in `/` or stands behind `?` and `#`.
fn is_data(text: &str) -> bool {
    /// The longest that Airflow's tables hold.
    const LONGEST: usize = 1500;
    let is_plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.ends_with('/');
    let own = text.strip_prefix("x-").and_then(|own| own.split_once("://"));
    let is_own = own.is_some_and(|(scheme, rest)| {
        let is_scheme =
            begins_and_ends(scheme, |byte| byte.is_ascii_lowercase()) && scheme.bytes().all(is_lower_or_dash);
        is_scheme && !rest.is_empty()
    });
    let is_stored = is_object_storage(text) || text.strip_prefix("file://").is_some_and(is_folder);
    is_plain && (is_own || is_stored && !text.contains(['?', '#', '@']))
}

/// The characters of a DAG's and a task's name.
pub(crate) fn is_airflow_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

/// Whether a text is one line of at most so many characters without space around it.
fn is_airflow_text(text: &str, most: usize) -> bool {
    !text.is_empty() && text.trim() == text && text.chars().count() <= most && !text.contains(char::is_control)
}

/// `package.module.function`: identifiers of Python between dots, two at the least, and none of them a word of Python's own.
fn is_dotted_path(text: &str) -> bool {
    /// <https://docs.python.org/3/reference/lexical_analysis.html#keywords>
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    let is_identifier = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !KEYWORDS.contains(&part)
    };
    text.contains('.') && text.split('.').all(is_identifier)
}

fn is_worker_secret(text: &str) -> bool {
    if let Some(path) = text.strip_prefix("file:") {
        return path.starts_with('/') && !path.contains(char::is_control);
    }
    let name = text.strip_prefix("env:").unwrap_or_default();
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_web(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        let name = host.split(':').next().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        !name.is_empty()
            && name.bytes().all(plain)
            && !rest.contains(|character: char| character.is_whitespace() || "?#@".contains(character))
    })
}

/// RFC 1123: labels between dots, 253 characters at the most.
fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label_name)
}

/// RFC 1123: lower-case letters, digits and dashes, 63 at the most.
fn is_label_name(text: &str) -> bool {
    text.len() <= 63
        && begins_and_ends(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && text.bytes().all(is_lower_or_dash)
}

/// The part of a key behind its domain, and a value.
fn is_label_part(text: &str) -> bool {
    text.len() <= 63
        && begins_and_ends(text, |byte| byte.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_subdomain(domain) && is_label_part(name),
        None => is_label_part(text),
    }
}

fn is_cloud_label(text: &str) -> bool {
    let fits = |character: char| (character.is_alphanumeric() && !character.is_uppercase()) || "-_".contains(character);
    text.chars().count() <= 64 && text.chars().all(fits)
}

fn is_kubernetes_secret(text: &str) -> bool {
    text.split_once('/').is_some_and(|(secret, key)| {
        let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        is_subdomain(secret) && !key.is_empty() && key.bytes().all(is_key)
    })
}

fn is_cloud_secret(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let ["projects", project, "secrets", secret, "versions", version] = parts.as_slice() else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (is_project(project) || is_number(project))
        && !secret.is_empty()
        && secret.bytes().all(is_name)
        && (*version == "latest" || is_number(version))
}

fn is_lower_or_dash(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

/// Whether a text is not empty, and its first and last bytes fit.
fn begins_and_ends(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    let (first, last) = (text.bytes().next(), text.bytes().last());
    first.is_some_and(&fits) && last.is_some_and(&fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shape with texts that have it and texts that do not.
    type Case<'c> = (&'c Shape, &'c [&'c str], &'c [&'c str]);

    fn check(cases: &[Case<'_>]) {
        for (shape, right, wrong) in cases {
            for text in *right {
                assert!((shape.holds)(text), "`{text}` is a {}", shape.what);
            }
            for text in *wrong {
                assert!(!(shape.holds)(text), "`{text}` is no {}", shape.what);
            }
        }
    }

    #[test]
    fn names_of_clouds_and_addresses() {
        check(&[
            (
                &PROJECT,
                &["bank-ml", "example.com:bank-ml"],
                &["bank", "Bank-ML", "bank-", "1bank-ml", "bank_ml", ""],
            ),
            (
                &REGION,
                &["europe-west4", "us-central1"],
                &["europe-west4-a", "europe", "europe-west", "EU-west4", ""],
            ),
            (
                &SERVICE_ACCOUNT,
                &[
                    "trainer@bank-ml.iam.gserviceaccount.com",
                    "123-compute@developer.gserviceaccount.com",
                ],
                &[
                    "trainer",
                    "trainer@bank.com",
                    "@x.gserviceaccount.com",
                    "a b@x.gserviceaccount.com",
                ],
            ),
            (
                &NETWORK,
                &["projects/123/global/networks/main"],
                &[
                    "main",
                    "projects/bank-ml/global/networks/main",
                    "projects/123/networks/main",
                    "projects/1/global/networks/",
                ],
            ),
            (
                &ENCRYPTION_KEY,
                &["projects/bank-ml/locations/europe-west4/keyRings/ml/cryptoKeys/k_1"],
                &[
                    "ml/k",
                    "projects/bank-ml/locations/europe-west4/keyRings/ml",
                    "projects/bank-ml/locations//keyRings/ml/cryptoKeys/k",
                ],
            ),
            (
                &CLOUD_STORAGE,
                &["gs://bank-ml", "gs://bank-ml/a/b"],
                &[
                    "s3://bank-ml",
                    "gs://",
                    "gs://ab",
                    "bank-ml",
                    "gs://Bank-ml",
                    "gs://bank ml",
                    "gs://bank-ml//a",
                ],
            ),
            (
                &OBJECT_STORAGE,
                &["s3://bank-ml/x", "gs://bank-ml", "minio://mlpipeline"],
                &["http://bank-ml", "/data", "s3:/bank-ml"],
            ),
            (
                &WEB,
                &["https://kubeflow.example.com/pipeline", "http://localhost:8888"],
                &[
                    "kubeflow.example.com",
                    "https://",
                    "https://a b",
                    "ftp://a",
                    "https://user@host/",
                ],
            ),
        ]);
    }

    #[test]
    fn names_of_kubernetes_labels_and_secrets() {
        let long = "a".repeat(64);
        check(&[
            (
                &KUBERNETES_NAME,
                &["a", "data.sets-1"],
                &["", "A", "a_b", "-a", "a-", "a..b"],
            ),
            (&NAMESPACE, &["team-ml"], &["team.ml", "", &long]),
            (
                &KUBERNETES_KEY,
                &["team", "example.com/Team_1"],
                &["", "/a", "a/", "a/b/c", "-a", "A_/b"],
            ),
            (&KUBERNETES_VALUE, &["", "a.B_c"], &["a b", "-a", &long]),
            (&CLOUD_KEY, &["team", "équipe-1"], &["", "Team", "1team", "a.b"]),
            (&CLOUD_VALUE, &["", "1_a-b"], &["A", "a.b", "a b"]),
            (
                &KUBERNETES_SECRET,
                &["login/password", "a.b/K_1"],
                &["login", "/password", "login/", "login/a/b", "Login/a"],
            ),
            (
                &CLOUD_SECRET,
                &[
                    "projects/bank-ml/secrets/token/versions/latest",
                    "projects/123/secrets/T_1/versions/3",
                ],
                &[
                    "token",
                    "projects/bank-ml/secrets/token",
                    "projects/bank-ml/secrets/token/versions/new",
                ],
            ),
        ]);
    }

    #[test]
    fn names_of_airflow() {
        let long = "a".repeat(251);
        check(&[
            (
                &POD_STORAGE,
                &["s3://bank-ml/x", "gs://bank-ml", "az://container/path"],
                &["/data", "file:///data", "minio://bank-ml", "https://bank-ml"],
            ),
            (
                &WORKER_STORAGE,
                &["s3://bank-ml/x", "/srv/mlp", "/srv/mlp/", "file:///srv/mlp"],
                &[
                    "",
                    "/",
                    "srv/mlp",
                    "/srv/../mlp",
                    "/srv//mlp",
                    "file://srv",
                    "ftp://srv",
                    "/srv/{{ ds }}",
                ],
            ),
            (
                &DATA,
                &[
                    "s3://bank-ml/loans",
                    "gs://bank-ml",
                    "file:///srv/loans.csv",
                    "x-ours://loans",
                    "x-our-own://a",
                ],
                &[
                    "",
                    "loans",
                    "s3://bank-ml/loans/",
                    "s3://bank-ml/?a=b",
                    "x-://a",
                    "x-ours://",
                    "airflow://a",
                    "s3://bank/ü",
                ],
            ),
            (
                &FOLDER,
                &["/opt/airflow/dags", "dags"],
                &["", " ", "s3://bank-ml/dags", "a\nb"],
            ),
            (
                &CONNECTION,
                &["kubernetes_default", "a/b:c"],
                &["", "a b", "{{ x }}", &long],
            ),
            (&POOL, &["training", "GPU pool"], &["", " training", "a\nb", &long]),
            (&OWNER, &["risk-team", "Ann"], &["", "a ", &long]),
            (&TAG, &["credit", "équipe"], &["", &long]),
            (
                &DOTTED_PATH,
                &["alerts.on_failure", "alerts._page.on_failure2"],
                &[
                    "",
                    "alerts",
                    "alerts.",
                    ".alerts",
                    "alerts.page()",
                    "alerts:page",
                    "a.1b",
                    "alerts.class",
                    "a b.c",
                ],
            ),
            (
                &WORKER_SECRET,
                &["env:TOKEN", "file:/run/secrets/token"],
                &["TOKEN", "env:", "env:1A", "file:token", "login/password", "env:A=B"],
            ),
        ]);
    }

    #[test]
    fn a_zone_has_a_region() {
        assert_eq!(region_of_zone("europe-west4-a"), Some("europe-west4"));
        assert_eq!(region_of_zone("europe-west4"), None);
        assert_eq!(region_of_zone(""), None);
    }
}
