//! Requests with JSON answers: what is tried again, and what every failure says to the user.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value as Json;
use ureq::http::{Method, Request};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::Environment;

/// How often a request is sent at the most.
const ATTEMPTS: u32 = 5;
/// The longest time that one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How much of an answer that is no JSON is shown.
const SHOWN_CHARACTERS: usize = 300;

/// Why a platform did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// Nobody answers there.
    #[error("{url} cannot be reached: {message}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// The system's words.
        message: String,
    },
    /// The platform refused.
    #[error("{url} answered {status}: {message}")]
    Refused {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The platform's words.
        message: String,
    },
    /// The answer is not what the API promises.
    #[error("{url} gave an answer that cannot be understood: {message}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is missing.
        message: String,
    },
    /// There are no credentials, or they cannot be read.
    #[error("{0}")]
    Credentials(String),
}

impl RemoteError {
    /// The HTTP status, if the platform answered with one that says no.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Unreachable { .. } | Self::Answer { .. } | Self::Credentials(_) => None,
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => {
                "See that the address in the target is right, that this machine may reach it, and whether a proxy is needed (HTTPS_PROXY)."
            }
            Self::Refused { status: 401 | 403, .. } => {
                "The credentials are missing, have expired, or do not allow this. Sign in again, or ask whoever runs the platform."
            }
            Self::Refused { status: 404, .. } => {
                "See that the address, the project and the region of the target are right."
            }
            Self::Refused { status: 300..=399, .. } => {
                "The platform asks for a login in a browser. Give a token or a cookie: see `mlp help submit`."
            }
            Self::Refused {
                status: 429 | 500..=599,
                ..
            } => "The platform is busy or down; try again later.",
            Self::Refused { .. } => "The platform's own words say what it did not accept.",
            Self::Answer { .. } => "See that the address is that of the API, and not of a web page in front of it.",
            Self::Credentials(_) => "`mlp help submit` lists where credentials are looked for.",
        }
    }
}

/// A connection to a platform, with the headers that every request carries.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
    headers: Vec<(&'static str, String)>,
    first_wait: Duration,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: &'a str,
    /// The body with its media type.
    pub body: Option<(&'a str, Vec<u8>)>,
    /// Whether sending it twice does the same as sending it once.
    pub repeatable: bool,
}

impl<'a> Call<'a> {
    /// A `GET`.
    #[must_use]
    pub fn get(url: &'a str) -> Self {
        Self {
            method: Method::GET,
            url,
            body: None,
            repeatable: true,
        }
    }

    /// A `POST` of JSON.
    #[must_use]
    pub fn post(url: &'a str, body: &Json) -> Self {
        Self {
            method: Method::POST,
            url,
            body: Some(("application/json", body.to_string().into_bytes())),
            repeatable: false,
        }
    }
}

/// A failure of one attempt, and whether another may help.
struct Attempt {
    error: RemoteError,
    again: bool,
    wait: Option<Duration>,
}

impl Client {
    /// A client that waits `first_wait` before it tries again, and twice as long each time after.
    ///
    /// # Errors
    /// When `SSL_CERT_FILE` names certificates that cannot be read.
    pub fn new(first_wait: Duration, environment: &Environment) -> Result<Self, RemoteError> {
        Ok(Self {
            agent: agent(environment, 0)?,
            headers: Vec::new(),
            first_wait,
        })
    }

    /// The same with one more header in every request.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends a request and reads the answer as JSON. What is repeatable is tried again when the platform is busy or
    /// cannot be reached; the rest only when it says itself that it did nothing (429, 503).
    ///
    /// # Errors
    /// When the platform cannot be reached, refuses, or answers with something else than JSON.
    pub fn send(&self, call: &Call<'_>) -> Result<Json, RemoteError> {
        let mut wait = self.first_wait;
        let mut attempt = 1;
        loop {
            match self.attempt(call) {
                Ok(answer) => return Ok(answer),
                Err(failed) if failed.again && attempt < ATTEMPTS => {
                    thread::sleep(failed.wait.unwrap_or(wait).min(LONGEST_WAIT));
                    wait *= 2;
                    attempt += 1;
                }
                Err(failed) => return Err(failed.error),
            }
        }
    }

    fn attempt(&self, call: &Call<'_>) -> Result<Json, Attempt> {
        let url = || call.url.to_owned();
        let broken = |message: String| Attempt {
            error: RemoteError::Unreachable { url: url(), message },
            again: call.repeatable,
            wait: None,
        };
        let mut request = Request::builder().method(call.method.clone()).uri(call.url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let body = match &call.body {
            Some((media_type, bytes)) => {
                request = request.header("Content-Type", *media_type);
                bytes.clone()
            }
            None => Vec::new(),
        };
        let request = request.body(body).map_err(|error| Attempt {
            again: false,
            ..broken(error.to_string())
        })?;
        let mut response = self.agent.run(request).map_err(|error| broken(error.to_string()))?;
        let status = response.status().as_u16();
        let wait = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let text = response
            .body_mut()
            .read_to_string()
            .map_err(|error| broken(error.to_string()))?;
        if !(200..300).contains(&status) {
            return Err(Attempt {
                error: RemoteError::Refused {
                    url: url(),
                    status,
                    message: refusal(&text),
                },
                again: matches!(status, 429 | 503) || (call.repeatable && (500..600).contains(&status)),
                wait,
            });
        }
        if text.trim().is_empty() {
            return Ok(Json::Null);
        }
        serde_json::from_str(&text).map_err(|_| Attempt {
            error: RemoteError::Answer {
                url: url(),
                message: format!("it is no JSON, but begins `{}`", shortened(&text)),
            },
            again: false,
            wait: None,
        })
    }
}

/// What sends requests, through the proxy and with the certificates that the environment names. It follows so many
/// redirects, and carries no credentials along.
///
/// # Errors
/// When `SSL_CERT_FILE` names certificates that cannot be read.
pub(crate) fn agent(environment: &Environment, redirects: u32) -> Result<ureq::Agent, RemoteError> {
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(redirects)
        .timeout_global(Some(REQUEST_TIMEOUT))
        .user_agent(concat!("mlp/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = environment.variable("SSL_CERT_FILE") {
        config = config.tls_config(TlsConfig::builder().root_certs(certificates(Path::new(path))?).build());
    }
    Ok(config.build().new_agent())
}

/// A text field of an answer.
///
/// # Errors
/// When it is not there.
pub fn text_field(answer: &Json, field: &str, url: &str) -> Result<String, RemoteError> {
    match answer.get(field).and_then(Json::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        Some(_) | None => Err(RemoteError::Answer {
            url: url.to_owned(),
            message: format!("it has no `{field}`"),
        }),
    }
}

/// A text as a part of an address.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The words of a refusal: where Kubeflow, Google, OAuth and Airflow put them, else the text.
fn refusal(text: &str) -> String {
    let message = serde_json::from_str::<Json>(text).ok().and_then(|json| {
        let places = [
            "/message",
            "/error/message",
            "/error_description",
            "/error",
            "/detail",
            "/detail/reason",
        ];
        places
            .iter()
            .find_map(|place| json.pointer(place)?.as_str().map(str::to_owned))
            .or_else(|| Some(invalid_fields(json.get("detail")?.as_array()?)))
    });
    match message {
        Some(message) if !message.is_empty() => shortened(&message),
        Some(_) | None if text.trim().is_empty() => "no explanation".to_owned(),
        Some(_) | None => shortened(text),
    }
}

/// Which fields of a request are wrong, as Airflow lists them: without what was sent, which may be a password.
fn invalid_fields(details: &[Json]) -> String {
    let fields = details.iter().map(|detail| {
        let place = detail["loc"].as_array().into_iter().flatten();
        let place: Vec<&str> = place.filter_map(Json::as_str).collect();
        format!("{}: {}", place.join("."), detail["msg"].as_str().unwrap_or("wrong"))
    });
    fields.collect::<Vec<_>>().join("; ")
}

fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn certificates(path: &Path) -> Result<RootCerts, RemoteError> {
    let unreadable = |message: String| {
        RemoteError::Credentials(format!(
            "The certificates of SSL_CERT_FILE ({}) cannot be read: {message}.",
            path.display()
        ))
    };
    let text = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| unreadable(error.to_string()))? {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(unreadable("there is no certificate in it".to_owned()));
    }
    Ok(RootCerts::from(found))
}
