//! What `docker login` left on this machine: `config.json`, and the programs that keep secrets for it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::ImageError;
use crate::Environment;

/// Under which name the default registry's credentials are kept.
const DEFAULT_KEY: &str = "https://index.docker.io/v1/";
/// The user's name that stands for a token.
const TOKEN_USER: &str = "<token>";

/// What a registry is shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Secret {
    /// `user:password` in base64.
    Password(String),
    /// A token that is exchanged for another.
    Identity(String),
}

/// A secret is never shown, in no message and no log.
impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret")
    }
}

/// What is known of all registries.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    /// By host, as `config.json` writes it.
    kept: BTreeMap<String, Secret>,
    /// The program that keeps the secrets of a host.
    helpers: BTreeMap<String, String>,
    /// The program that keeps all others.
    store: Option<String>,
    /// Where these programs are: `PATH`.
    programs: String,
}

impl Credentials {
    /// Those of a user. No file is no error: public images need no credentials.
    pub(super) fn read(environment: &Environment) -> Result<Self, ImageError> {
        let folder = environment
            .variable("DOCKER_CONFIG")
            .map(PathBuf::from)
            .or_else(|| environment.home.as_ref().map(|home| home.join(".docker")));
        let Some(path) = folder.map(|folder| folder.join("config.json")) else {
            return Ok(Self::default());
        };
        let damaged = |reason: String| {
            ImageError::Credentials(format!(
                "The credentials in `{}` cannot be read: {reason}",
                path.display()
            ))
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(damaged(error.to_string())),
        };
        let json: Json = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        let texts = |key: &str| -> BTreeMap<String, String> {
            let entries = json.get(key).and_then(Json::as_object).into_iter().flatten();
            entries
                .filter_map(|(host, value)| Some((host.clone(), value.as_str()?.to_owned())))
                .collect()
        };
        let auths = json.get("auths").and_then(Json::as_object).into_iter().flatten();
        Ok(Self {
            kept: auths
                .filter_map(|(host, entry)| Some((host.clone(), entry_secret(entry)?)))
                .collect(),
            helpers: texts("credHelpers"),
            store: json.get("credsStore").and_then(Json::as_str).map(str::to_owned),
            programs: environment.variable("PATH").unwrap_or_default().to_owned(),
        })
    }

    /// What to show the registry of a host, if anything is known.
    pub(super) fn secret(&self, host: &str) -> Result<Option<Secret>, ImageError> {
        let key = if host == "docker.io" { DEFAULT_KEY } else { host };
        if let Some(helper) = self.helpers.get(host).or(self.store.as_ref())
            && let Some(secret) = ask(helper, key, &self.programs)?
        {
            return Ok(Some(secret));
        }
        let spellings = [
            key.to_owned(),
            host.to_owned(),
            format!("https://{host}"),
            format!("https://{host}/v2/"),
        ];
        Ok(spellings.iter().find_map(|spelling| self.kept.get(spelling)).cloned())
    }
}

fn entry_secret(entry: &Json) -> Option<Secret> {
    let text = |key: &str| entry.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    if let Some(token) = text("identitytoken") {
        return Some(Secret::Identity(token.to_owned()));
    }
    if let Some(auth) = text("auth") {
        return Some(Secret::Password(auth.to_owned()));
    }
    Some(password(text("username")?, text("password")?))
}

fn password(user: &str, password: &str) -> Secret {
    Secret::Password(STANDARD.encode(format!("{user}:{password}")))
}

/// Asks a program that keeps secrets: the host on its standard input, JSON on its standard output.
fn ask(helper: &str, key: &str, programs: &str) -> Result<Option<Secret>, ImageError> {
    let program = format!("docker-credential-{helper}");
    let failed = |reason: String| {
        ImageError::Credentials(format!(
            "The program `{program}`, which keeps the credentials of `{key}`, {reason}."
        ))
    };
    if !helper
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    {
        return Err(failed("is no name of a program".to_owned()));
    }
    let mut child = Command::new(&program)
        .arg("get")
        .env("PATH", programs)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("cannot be run: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read its input answers all the same, or fails below.
        let _ = stdin.write_all(key.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|error| failed(format!("failed: {error}")))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let unknown = printed.contains("credentials not found");
        return if unknown {
            Ok(None)
        } else {
            Err(failed(format!("failed: {}", printed.trim())))
        };
    }
    let json: Json = serde_json::from_str(&printed).map_err(|_| failed("printed no JSON".to_owned()))?;
    let text = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default();
    Ok(match text("Username") {
        TOKEN_USER => Some(Secret::Identity(text("Secret").to_owned())),
        "" => None,
        user => Some(password(user, text("Secret"))),
    })
}
