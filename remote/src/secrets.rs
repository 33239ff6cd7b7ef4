//! The contents of secrets that Google Cloud's Secret Manager keeps, over its REST API `v1`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::http::{Call, Client};
use crate::{Environment, RemoteError, google};

/// The variable of `gcloud` with another address of the API.
const ENDPOINT_VARIABLE: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER";

/// The content of a version: `projects/PROJECT/secrets/SECRET/versions/VERSION`.
///
/// # Errors
/// When there are no credentials, the platform cannot be reached or refuses, or the content is no text.
pub fn content(version: &str, environment: &Environment) -> Result<String, RemoteError> {
    let token = google::token(environment)?;
    let client = Client::new(Duration::from_millis(500), environment)?;
    let client = client.with_header("Authorization", format!("Bearer {token}"));
    let endpoint = environment
        .variable(ENDPOINT_VARIABLE)
        .unwrap_or("https://secretmanager.googleapis.com");
    let url = format!("{}/v1/{version}:access", endpoint.trim_end_matches('/'));
    let answer = client.send(&Call::get(&url))?;
    let bytes = answer["payload"]["data"]
        .as_str()
        .and_then(|data| STANDARD.decode(data).ok());
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        RemoteError::Credentials(format!(
            "The content of the secret {version} is no text, so no variable can hold it."
        ))
    })
}
