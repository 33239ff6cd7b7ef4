//! The digest of an image, asked of its registry through the OCI distribution API. Nothing is pulled or pushed.
//!
//! Source: OCI Distribution Specification 1.1 (§ Checking if content exists in the registry) and the token protocol of the
//! distribution project.

mod challenge;
mod credentials;
mod reference;

use std::fmt::Write as _;

use ring::digest::{SHA256, digest as sha256};
use serde_json::Value as Json;
use ureq::Body;
use ureq::http::{Method, Request, Response, header};

use crate::http::{self, escaped};
use crate::{Environment, RemoteError};
use challenge::Challenge;
use credentials::{Credentials, Secret};
use reference::Reference;

/// The kinds of manifests that an image may have: indexes of several platforms first, since these are what a tag names.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json";
/// The largest manifest that registries must take (specification, § Pushing manifests).
const LARGEST_MANIFEST: u64 = 4 << 20;
/// How many redirects are followed.
const REDIRECTS: u32 = 4;

/// Why a digest cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It is no name of an image.
    #[error("`{0}` is no name of an image, such as `ghcr.io/team/trainer:1.4`")]
    Name(String),
    /// Nobody answers there.
    #[error("the registry `{host}` of the image `{image}` cannot be reached: {message}")]
    Unreachable {
        /// The image.
        image: String,
        /// Its registry.
        host: String,
        /// The system's words.
        message: String,
    },
    /// The registry does not have it.
    #[error("the registry `{host}` has no image `{image}`")]
    Missing {
        /// The image.
        image: String,
        /// Its registry.
        host: String,
    },
    /// The registry does not show it.
    #[error("the registry `{host}` does not show the image `{image}` to this user, or does not have it")]
    Denied {
        /// The image.
        image: String,
        /// Its registry.
        host: String,
    },
    /// Too much was asked.
    #[error("the registry `{host}` takes no more requests for now, so the digest of `{image}` is unknown")]
    Busy {
        /// The image.
        image: String,
        /// Its registry.
        host: String,
    },
    /// The registry answers something else than the specification promises.
    #[error("the registry `{host}` of the image `{image}` gave an answer that cannot be understood: {message}")]
    Answer {
        /// The image.
        image: String,
        /// Its registry.
        host: String,
        /// What is wrong with it.
        message: String,
    },
    /// The credentials of this machine cannot be read.
    #[error("{0}")]
    Credentials(String),
}

impl ImageError {
    /// What the user can do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Name(_) => "Write host, path and tag, with the path in lower-case letters.",
            Self::Unreachable { .. } => {
                "Where the registry cannot be reached, give the digests in a file: `mlp lock --images FILE`, one image and its digest in each line."
            }
            Self::Missing { .. } => "See that the name and the tag are right, and that the image has been pushed.",
            Self::Denied { .. } => {
                "See that the name is right, and sign in with `docker login` or `podman login` if the image is not public."
            }
            Self::Busy { .. } => "Try again later, or sign in: registries allow more to those who they know.",
            Self::Answer { .. } => "See that the address is that of an image registry.",
            Self::Credentials(_) => "Sign in again with `docker login`, or mend `config.json`.",
        }
    }
}

/// Asks registries for digests.
#[derive(Debug)]
pub struct Images {
    agent: ureq::Agent,
    credentials: Credentials,
}

impl Images {
    /// With the credentials that `docker login` left: `config.json` in `DOCKER_CONFIG`, or in `.docker` of the home folder.
    ///
    /// # Errors
    /// When the credentials, or the certificates of `SSL_CERT_FILE`, cannot be read.
    pub fn new(environment: &Environment) -> Result<Self, ImageError> {
        let agent = http::agent(environment, REDIRECTS).map_err(|error: RemoteError| match error {
            RemoteError::Credentials(message) => ImageError::Credentials(message),
            other @ (RemoteError::Unreachable { .. } | RemoteError::Refused { .. } | RemoteError::Answer { .. }) => {
                ImageError::Credentials(other.to_string())
            }
        })?;
        Ok(Self {
            agent,
            credentials: Credentials::read(environment)?,
        })
    }

    /// The digest that the image's tag names now: `sha256:…`. Of an image for several platforms it is the index's.
    ///
    /// # Errors
    /// When the registry cannot be reached, does not have the image or does not show it.
    pub fn digest(&self, image: &str) -> Result<String, ImageError> {
        let reference = Reference::read(image).ok_or_else(|| ImageError::Name(image.to_owned()))?;
        let asking = Asking {
            images: self,
            image,
            reference: &reference,
        };
        let mut authorization = None;
        let mut response = asking.manifest(Method::HEAD, None)?;
        if response.status() == 401 {
            authorization = asking.authorization(&response)?;
            if authorization.is_some() {
                response = asking.manifest(Method::HEAD, authorization.as_deref())?;
            }
        }
        if let (200, Some(digest)) = (response.status().as_u16(), told_digest(&response)) {
            return asking.checked(&digest);
        }
        if matches!(response.status().as_u16(), 200 | 405) {
            return asking.computed(authorization.as_deref());
        }
        Err(asking.refusal(&response))
    }
}

/// One question for one image.
struct Asking<'a> {
    images: &'a Images,
    image: &'a str,
    reference: &'a Reference,
}

impl Asking<'_> {
    fn manifest(&self, method: Method, authorization: Option<&str>) -> Result<Response<Body>, ImageError> {
        let mut request = Request::builder()
            .method(method)
            .uri(self.reference.manifest())
            .header(header::ACCEPT, MANIFESTS);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(()).map_err(|error| self.unreachable(&error))?;
        self.images.agent.run(request).map_err(|error| self.unreachable(&error))
    }

    /// The header that the registry's challenge asks for; nothing when it asks for what this machine does not have.
    fn authorization(&self, refused: &Response<Body>) -> Result<Option<String>, ImageError> {
        let challenges = refused.headers().get_all(header::WWW_AUTHENTICATE);
        let challenge = challenges
            .iter()
            .find_map(|value| Challenge::read(value.to_str().ok()?));
        let secret = self.images.credentials.secret(self.reference.host())?;
        match (challenge, secret) {
            (Some(Challenge::Bearer { realm, service, scope }), secret) => {
                let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", self.reference.path()));
                let token = self.token(&realm, service.as_deref(), &scope, secret.as_ref())?;
                Ok(Some(format!("Bearer {token}")))
            }
            (Some(Challenge::Basic), Some(Secret::Password(basic))) => Ok(Some(format!("Basic {basic}"))),
            (Some(Challenge::Basic), Some(Secret::Identity(_)) | None) => Ok(None),
            (None, _) => Err(self.answer("it asks for credentials and does not say which")),
        }
    }

    fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: &str,
        secret: Option<&Secret>,
    ) -> Result<String, ImageError> {
        if !realm.starts_with("https://") && !reference::is_loopback(realm.trim_start_matches("http://")) {
            return Err(self.answer(&format!(
                "it asks for credentials at `{realm}`, where others could read them"
            )));
        }
        let mut query = format!("scope={}", escaped(scope));
        if let Some(service) = service {
            let _ = write!(query, "&service={}", escaped(service));
        }
        let separator = if realm.contains('?') { '&' } else { '?' };
        let request = match secret {
            Some(Secret::Identity(token)) => {
                let form = format!(
                    "grant_type=refresh_token&client_id=mlp&{query}&refresh_token={}",
                    escaped(token)
                );
                Request::post(realm)
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form)
            }
            Some(Secret::Password(basic)) => Request::get(format!("{realm}{separator}{query}"))
                .header(header::AUTHORIZATION, format!("Basic {basic}"))
                .body(String::new()),
            None => Request::get(format!("{realm}{separator}{query}")).body(String::new()),
        };
        let request = request.map_err(|error| self.unreachable(&error))?;
        let mut response = self
            .images
            .agent
            .run(request)
            .map_err(|error| self.unreachable(&error))?;
        if response.status() != 200 {
            return Err(self.refusal(&response));
        }
        let answer: Json = response
            .body_mut()
            .read_json()
            .map_err(|error| self.answer(&format!("it gave no token: {error}")))?;
        let token = answer.get("token").or_else(|| answer.get("access_token"));
        match token.and_then(Json::as_str) {
            Some(token) if !token.is_empty() => Ok(token.to_owned()),
            Some(_) | None => Err(self.answer("it gave no token")),
        }
    }

    /// The digest of the manifest's bytes, for registries that do not tell it.
    fn computed(&self, authorization: Option<&str>) -> Result<String, ImageError> {
        let mut response = self.manifest(Method::GET, authorization)?;
        if response.status() != 200 {
            return Err(self.refusal(&response));
        }
        let body = response
            .body_mut()
            .with_config()
            .limit(LARGEST_MANIFEST)
            .read_to_vec()
            .map_err(|error| self.answer(&format!("its manifest cannot be read: {error}")))?;
        if serde_json::from_slice::<Json>(&body).is_err() {
            return Err(self.answer("its manifest is no JSON"));
        }
        let digits: String = sha256(&SHA256, &body)
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(format!("sha256:{digits}"))
    }

    fn checked(&self, digest: &str) -> Result<String, ImageError> {
        let digits = digest.strip_prefix("sha256:").unwrap_or_default();
        if digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(digest.to_owned());
        }
        Err(self.answer(&format!("`{digest}` is no SHA-256 digest")))
    }

    fn refusal(&self, response: &Response<Body>) -> ImageError {
        let (image, host) = self.names();
        match response.status().as_u16() {
            404 => ImageError::Missing { image, host },
            401 | 403 => ImageError::Denied { image, host },
            429 | 503 => ImageError::Busy { image, host },
            other => self.answer(&format!("status {other}")),
        }
    }

    fn unreachable(&self, error: &dyn std::error::Error) -> ImageError {
        let (image, host) = self.names();
        ImageError::Unreachable {
            image,
            host,
            message: error.to_string(),
        }
    }

    fn answer(&self, message: &str) -> ImageError {
        let (image, host) = self.names();
        ImageError::Answer {
            image,
            host,
            message: message.to_owned(),
        }
    }

    fn names(&self) -> (String, String) {
        (self.image.to_owned(), self.reference.host().to_owned())
    }
}

fn told_digest(response: &Response<Body>) -> Option<String> {
    let value = response.headers().get("docker-content-digest")?;
    Some(value.to_str().ok()?.to_owned())
}
