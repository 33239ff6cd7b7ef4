//! Tokens for Google Cloud, from where Google's own programs look for credentials, in their order.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value as Json, json};
use ureq::http::Method;

use crate::http::{Call, Client, escaped, text_field};
use crate::{Environment, RemoteError};

/// The variable with a token that is used as it is.
pub const TOKEN_VARIABLE: &str = "GOOGLE_OAUTH_ACCESS_TOKEN";
/// The variable with the path of credentials.
pub const CREDENTIALS_VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// The variable with another address of the metadata server.
const METADATA_VARIABLE: &str = "GCE_METADATA_HOST";
/// What a token allows.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long a signed request for a token holds, in seconds.
const ASSERTION_SECONDS: i64 = 3600;

/// An access token.
///
/// # Errors
/// When no credentials are found, or they are not accepted.
pub fn token(environment: &Environment) -> Result<String, RemoteError> {
    if let Some(token) = environment.variable(TOKEN_VARIABLE) {
        return Ok(token.trim().to_owned());
    }
    let client = Client::new(Duration::from_millis(500), environment)?;
    if let Some(path) = environment.variable(CREDENTIALS_VARIABLE) {
        return from_file(&client, Path::new(path));
    }
    let usual = environment
        .home
        .as_ref()
        .map(|home| home.join(".config/gcloud/application_default_credentials.json"));
    if let Some(path) = usual.filter(|path| path.is_file()) {
        return from_file(&client, &path);
    }
    from_metadata(&client, environment)
}

fn from_file(client: &Client, path: &Path) -> Result<String, RemoteError> {
    let unusable = |message: &str| {
        RemoteError::Credentials(format!("The credentials {} cannot be used: {message}.", path.display()))
    };
    let bytes = fs::read(path).map_err(|error| unusable(&error.to_string()))?;
    let key: Json = serde_json::from_slice(&bytes).map_err(|error| unusable(&error.to_string()))?;
    let field = |name: &str| {
        key[name]
            .as_str()
            .ok_or_else(|| unusable(&format!("the field `{name}` is missing")))
    };
    match field("type")? {
        "service_account" => {
            let url = field("token_uri")?;
            let assertion =
                assertion(field("client_email")?, url, field("private_key")?).map_err(|message| unusable(&message))?;
            exchange(
                client,
                url,
                &[
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", &assertion),
                ],
            )
        }
        "authorized_user" => {
            let url = key["token_uri"]
                .as_str()
                .unwrap_or("https://oauth2.googleapis.com/token");
            exchange(
                client,
                url,
                &[
                    ("grant_type", "refresh_token"),
                    ("client_id", field("client_id")?),
                    ("client_secret", field("client_secret")?),
                    ("refresh_token", field("refresh_token")?),
                ],
            )
        }
        other => Err(unusable(&format!(
            "credentials of the type `{other}` are not supported; make a token yourself and pass it in {TOKEN_VARIABLE}"
        ))),
    }
}

/// A request for a token, signed with the key of a service account (RFC 7523).
fn assertion(email: &str, audience: &str, private_key: &str) -> Result<String, String> {
    let now = jiff::Timestamp::now().as_second();
    let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "RS256", "typ": "JWT" }).to_string());
    let claims = json!({
        "iss": email, "scope": SCOPE, "aud": audience, "iat": now, "exp": now + ASSERTION_SECONDS,
    });
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let body: String = private_key.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD
        .decode(body.trim())
        .map_err(|_| "its `private_key` is not in PEM form".to_owned())?;
    let key = RsaKeyPair::from_pkcs8(&der).map_err(|error| format!("its `private_key` is no RSA key ({error})"))?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .map_err(|_| "its `private_key` cannot sign".to_owned())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn exchange(client: &Client, url: &str, fields: &[(&str, &str)]) -> Result<String, RemoteError> {
    let body = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect::<Vec<_>>()
        .join("&");
    let answer = client.send(&Call {
        method: Method::POST,
        url,
        body: Some(("application/x-www-form-urlencoded", body.into_bytes())),
        repeatable: true,
    })?;
    text_field(&answer, "access_token", url)
}

/// The token of the machine, where Google Cloud gives it one.
fn from_metadata(client: &Client, environment: &Environment) -> Result<String, RemoteError> {
    let Some(host) = environment
        .variable(METADATA_VARIABLE)
        .map(str::to_owned)
        .or_else(on_google)
    else {
        return Err(RemoteError::Credentials(format!(
            "There are no credentials for Google Cloud: neither {TOKEN_VARIABLE} nor {CREDENTIALS_VARIABLE} is set, and \
             `gcloud auth application-default login` has not been run."
        )));
    };
    let url = format!(
        "http://{host}/computeMetadata/v1/instance/service-accounts/default/token?scopes={}",
        escaped(SCOPE)
    );
    let client = client.clone().with_header("Metadata-Flavor", "Google".to_owned());
    let answer = client.send(&Call::get(&url))?;
    text_field(&answer, "access_token", &url)
}

/// The metadata server, where the machine says that it is one of Google's: elsewhere nothing answers, and asking would
/// cost the user a minute.
fn on_google() -> Option<String> {
    let product = fs::read_to_string("/sys/class/dmi/id/product_name").ok()?;
    product
        .starts_with("Google")
        .then(|| "metadata.google.internal".to_owned())
}
