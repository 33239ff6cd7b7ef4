//! A proxy on loopback between a task and an emulator, in which lines break and servers are busy as a test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It is passed on, and its answer back.
    Pass,
    /// The connection ends without an answer.
    Drop,
    /// The connection ends in the middle of the answer.
    Cut,
    /// The server is busy: 503.
    Busy,
    /// It gets no answer as long as the task waits for one.
    Hold,
}

/// Decides by method and path.
type Judge = Box<dyn FnMut(&str, &str) -> Fate + Send>;

/// A proxy; it serves for as long as the test runs.
pub struct Proxy {
    /// `127.0.0.1:PORT`
    pub host: String,
    judge: Arc<Mutex<Judge>>,
    /// Every request with its fate.
    pub seen: Arc<Mutex<Vec<(String, Fate)>>>,
}

impl Proxy {
    pub fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let judge: Arc<Mutex<Judge>> = Arc::new(Mutex::new(Box::new(|_, _| Fate::Pass)));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let proxy = Self {
            host,
            judge: Arc::clone(&judge),
            seen: Arc::clone(&seen),
        };
        let upstream = upstream.to_owned();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (judge, seen, upstream) = (Arc::clone(&judge), Arc::clone(&seen), upstream.clone());
                // A line that breaks on the other side is no matter of the proxy's.
                thread::spawn(move || serve(connection, &upstream, &judge, &seen).ok());
            }
        });
        proxy
    }

    /// From now on, this decides.
    pub fn judge(&self, judge: impl FnMut(&str, &str) -> Fate + Send + 'static) {
        *self.judge.lock().unwrap() = Box::new(judge);
        self.seen.lock().unwrap().clear();
    }

    /// How many requests had a fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|(_, each)| *each == fate)
            .count()
    }
}

/// One request for each connection.
fn serve(
    mut client: TcpStream,
    upstream: &str,
    judge: &Mutex<Judge>,
    seen: &Mutex<Vec<(String, Fate)>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            break;
        }
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let fate = judge.lock().unwrap()(method, path);
    seen.lock().unwrap().push((format!("{method} {path}"), fate));
    match fate {
        Fate::Drop => return client.shutdown(Shutdown::Both),
        Fate::Busy => {
            let answer = "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            client.write_all(answer.as_bytes())?;
            return client.shutdown(Shutdown::Both);
        }
        // Ends when the task does.
        Fate::Hold => return reader.read(&mut [0]).map(|_| ()),
        Fate::Pass | Fate::Cut => {}
    }
    let head = spoken(&head);
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(head.as_bytes())?;
    server.write_all(b"Connection: close\r\n\r\n")?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let answer_head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    if method == "PUT" && !answer_head.contains("\r\netag:") && path.contains("%2F") {
        // What fake-gcs-server leaves out of its answer to an upload.
        let end = answer.windows(2).position(|two| two == b"\r\n").unwrap_or(0) + 2;
        answer.splice(end..end, b"ETag: \"none\"\r\n".iter().copied());
    }
    if fate == Fate::Cut {
        answer.truncate(answer.len() - 1);
    }
    client.write_all(&answer)?;
    client.shutdown(Shutdown::Both)
}

/// fake-gcs-server knows what Google's XML API says of one object, but takes an upload for one only when its address is
/// signed; a whole object is all that it takes so. Other stores do not write the slashes of names like this.
fn spoken(head: &str) -> String {
    match head.split_once(" HTTP/1.1") {
        Some((line, rest)) if line.starts_with("PUT /bank/runs%2F") => {
            format!("{line}?X-Goog-Algorithm=none HTTP/1.1{rest}")
        }
        Some(_) | None => head.to_owned(),
    }
}
