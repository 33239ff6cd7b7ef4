//! Opens buckets, with the credentials and addresses that each cloud's own tools would use.

use std::sync::Arc;

use object_store::aws::AmazonS3Builder;
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};
use serde_json::json;

use super::connection::Connector;
use crate::Environment;

/// How often a request is sent again; the platform tries the whole task again later.
const RETRIES: usize = 5;

/// A kind of bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cloud {
    /// Amazon S3, and what speaks like it.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

impl Cloud {
    /// By the scheme of an address.
    pub(super) fn of_scheme(scheme: &str) -> Option<Self> {
        match scheme {
            "s3" | "s3a" => Some(Self::S3),
            "gs" => Some(Self::Google),
            "az" | "azure" => Some(Self::Azure),
            _ => None,
        }
    }

    /// Where its credentials are looked for, as the end of a sentence.
    pub(super) fn credentials(self) -> &'static str {
        match self {
            Self::S3 => "`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or a role of the pod or machine",
            Self::Google => "`GOOGLE_APPLICATION_CREDENTIALS`, or the service account of the pod or machine",
            Self::Azure => {
                "`AZURE_STORAGE_CONNECTION_STRING`, `AZURE_STORAGE_ACCOUNT_NAME` and `AZURE_STORAGE_ACCOUNT_KEY`, or an \
                 identity of the pod or machine"
            }
        }
    }
}

/// Opens a bucket.
///
/// # Errors
/// When what the environment says of it cannot be used.
pub(super) fn open(
    cloud: Cloud,
    bucket: &str,
    environment: &Environment,
    connector: &Connector,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: RETRIES,
        ..RetryConfig::default()
    };
    Ok(match cloud {
        Cloud::S3 => Arc::new(
            amazon(environment)
                .with_bucket_name(bucket)
                .with_retry(retry)
                .with_http_connector(connector.clone())
                .build()?,
        ),
        Cloud::Google => Arc::new(
            google(environment)
                .with_bucket_name(bucket)
                .with_retry(retry)
                .with_http_connector(connector.clone())
                .build()?,
        ),
        Cloud::Azure => Arc::new(
            azure(environment)
                .with_container_name(bucket)
                .with_retry(retry)
                .with_http_connector(connector.clone())
                .build()?,
        ),
    })
}

fn amazon(environment: &Environment) -> AmazonS3Builder {
    let mut builder = AmazonS3Builder::new();
    for (name, value) in &environment.variables {
        if name.starts_with("AWS_")
            && !value.is_empty()
            && let Ok(key) = name.to_ascii_lowercase().parse()
        {
            builder = builder.with_config(key, value);
        }
    }
    builder
}

fn google(environment: &Environment) -> GoogleCloudStorageBuilder {
    let mut builder = GoogleCloudStorageBuilder::new();
    for (name, value) in &environment.variables {
        if name.starts_with("GOOGLE_")
            && !value.is_empty()
            && let Ok(key) = name.to_ascii_lowercase().parse()
        {
            builder = builder.with_config(key, value);
        }
    }
    match environment.variable("STORAGE_EMULATOR_HOST") {
        None => builder,
        Some(host) => {
            let address = match host.contains("://") {
                true => host.trim_end_matches('/').to_owned(),
                false => format!("http://{host}"),
            };
            // An emulator asks for no credentials, and must not be sent any.
            let account = json!({
                "private_key": "",
                "private_key_id": "",
                "client_email": "",
                "disable_oauth": true,
                "gcs_base_url": address,
            });
            GoogleCloudStorageBuilder::new().with_service_account_key(account.to_string())
        }
    }
}

fn azure(environment: &Environment) -> MicrosoftAzureBuilder {
    let mut builder = MicrosoftAzureBuilder::new();
    for (name, value) in &environment.variables {
        if name.starts_with("AZURE_")
            && !value.is_empty()
            && let Ok(key) = name.to_ascii_lowercase().parse()
        {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(account) = environment.variable("AZURE_STORAGE_ACCOUNT") {
        builder = builder.with_config(AzureConfigKey::AccountName, account);
    }
    match environment.variable("AZURE_STORAGE_CONNECTION_STRING") {
        Some(text) => connected(builder, text),
        None => builder,
    }
}

/// `AccountName=…;AccountKey=…;BlobEndpoint=…`, as Azure's own tools write it.
fn connected(mut builder: MicrosoftAzureBuilder, text: &str) -> MicrosoftAzureBuilder {
    let settings = text.split(';').filter_map(|setting| setting.split_once('='));
    for (name, value) in settings {
        builder = match name.trim() {
            "AccountName" => builder.with_config(AzureConfigKey::AccountName, value),
            "AccountKey" => builder.with_config(AzureConfigKey::AccessKey, value),
            "BlobEndpoint" => builder.with_config(AzureConfigKey::Endpoint, value.trim_end_matches('/')),
            "SharedAccessSignature" => builder.with_config(AzureConfigKey::SasKey, value),
            _ => builder,
        };
    }
    builder
}

#[cfg(test)]
mod tests {
    use object_store::aws::AmazonS3ConfigKey;
    use object_store::gcp::GoogleConfigKey;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment {
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            home: None,
        }
    }

    #[test]
    fn the_variables_of_each_cloud_are_read() {
        let amazon = amazon(&environment(&[
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_PROFILE", ""),
        ]));
        let of = |key| amazon.get_config_value(&key);
        assert_eq!(of(AmazonS3ConfigKey::Endpoint).as_deref(), Some("http://127.0.0.1:9"));
        assert_eq!(of(AmazonS3ConfigKey::Region).as_deref(), Some("eu-west-1"));

        let google = google(&environment(&[("STORAGE_EMULATOR_HOST", "127.0.0.1:9/")]));
        let account = google.get_config_value(&GoogleConfigKey::ServiceAccountKey).unwrap();
        assert!(account.contains("http://127.0.0.1:9"), "{account}");

        let azure = azure(&environment(&[(
            "AZURE_STORAGE_CONNECTION_STRING",
            "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5==;BlobEndpoint=http://127.0.0.1:9/a/;",
        )]));
        let of = |key| azure.get_config_value(&key);
        assert_eq!(of(AzureConfigKey::AccountName).as_deref(), Some("a"));
        assert_eq!(of(AzureConfigKey::AccessKey).as_deref(), Some("a2V5=="));
        assert_eq!(of(AzureConfigKey::Endpoint).as_deref(), Some("http://127.0.0.1:9/a"));
    }

    #[test]
    fn schemes_name_clouds() {
        assert_eq!(Cloud::of_scheme("s3"), Some(Cloud::S3));
        assert_eq!(Cloud::of_scheme("gs"), Some(Cloud::Google));
        assert_eq!(Cloud::of_scheme("az"), Some(Cloud::Azure));
        assert_eq!(Cloud::of_scheme("ftp"), None);
    }
}
