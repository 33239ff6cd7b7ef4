//! Sends the requests of `object_store` with the HTTP client that everything else here uses.
//!
//! An answer is read whole before it is given on: pieces are of a bounded size, and a connection that breaks in the middle
//! of one is then tried again like one that was never made.

use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use ureq::http::{Request, Response};

/// The longest time that one request may take: a piece of an object over a slow line.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(5);

/// Makes clients of one agent.
#[derive(Clone, Debug)]
pub(super) struct Connector(pub(super) ureq::Agent);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(self.0.clone())))
    }
}

#[derive(Debug)]
struct Service(ureq::Agent);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let agent = self.0.clone();
        let sent = tokio::task::spawn_blocking(move || send(&agent, Request::from_parts(parts, body.to_vec())));
        let answer = sent
            .await
            .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        answer
            .map(|answer| answer.map(Into::into))
            .map_err(|error| told(*error))
    }
}

fn send(agent: &ureq::Agent, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Box<ureq::Error>> {
    let request = agent
        .configure_request(request)
        .timeout_global(Some(REQUEST_TIMEOUT))
        .build();
    let (parts, mut body) = agent.run(request)?.into_parts();
    let bytes = body.with_config().limit(u64::MAX).read_to_vec()?;
    Ok(Response::from_parts(parts, bytes))
}

/// What may help against an error: everything that is the line's is worth another try.
fn told(error: ureq::Error) -> HttpError {
    use std::io::ErrorKind;
    let kind = if matches!(&error, ureq::Error::HostNotFound | ureq::Error::ConnectionFailed)
        || matches!(&error, ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused)
    {
        HttpErrorKind::Connect
    } else if matches!(&error, ureq::Error::Timeout(_)) {
        HttpErrorKind::Timeout
    } else if matches!(&error, ureq::Error::Io(_) | ureq::Error::Protocol(_)) {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Unknown
    };
    HttpError::new(kind, error)
}
