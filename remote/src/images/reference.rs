//! Names of images: host, path and tag, with the defaults that every tool has.

/// The host whose images are written without one.
const DEFAULT_HOST: &str = "docker.io";
/// Where that host's registry is.
const DEFAULT_REGISTRY: &str = "registry-1.docker.io";

/// An image that a registry can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    host: String,
    path: String,
    tag: String,
}

impl Reference {
    /// The image of that name: `[host/]path[:tag]`; the tag is `latest` when there is none.
    pub(super) fn read(image: &str) -> Option<Self> {
        let (host, rest) = match image.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
            Some(_) | None => (DEFAULT_HOST, image),
        };
        let (path, tag) = rest.split_once(':').unwrap_or((rest, "latest"));
        let path = match host {
            DEFAULT_HOST if !path.contains('/') => format!("library/{path}"),
            _ => path.to_owned(),
        };
        let valid = is_host(host) && path.split('/').all(is_component) && is_tag(tag);
        valid.then(|| Self {
            host: host.to_owned(),
            path,
            tag: tag.to_owned(),
        })
    }

    /// The host as `docker login` knows it.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The repository's name in its registry.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The address of its manifest. Only a registry on this machine is spoken to without TLS.
    pub(super) fn manifest(&self) -> String {
        let host = match self.host.as_str() {
            DEFAULT_HOST => DEFAULT_REGISTRY,
            host => host,
        };
        let scheme = if is_loopback(host) { "http" } else { "https" };
        format!("{scheme}://{host}/v2/{}/manifests/{}", self.path, self.tag)
    }
}

/// Whether an address that begins with a host is on this machine.
pub(super) fn is_loopback(address: &str) -> bool {
    let host = address.split(['/', '?']).next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback())
}

fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "443"));
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        && port.parse::<u16>().is_ok()
}

fn is_component(text: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    edge(text.bytes().next())
        && edge(text.bytes().last())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_usual_defaults() {
        let manifest = |image: &str| Reference::read(image).unwrap().manifest();
        assert_eq!(
            manifest("python:3.12-slim"),
            "https://registry-1.docker.io/v2/library/python/manifests/3.12-slim"
        );
        assert_eq!(
            manifest("team/trainer"),
            "https://registry-1.docker.io/v2/team/trainer/manifests/latest"
        );
        assert_eq!(manifest("ghcr.io/a/b/c:1"), "https://ghcr.io/v2/a/b/c/manifests/1");
        assert_eq!(
            manifest("registry.example.com:8443/a:1"),
            "https://registry.example.com:8443/v2/a/manifests/1"
        );
        assert_eq!(manifest("localhost:5000/a:1"), "http://localhost:5000/v2/a/manifests/1");
        assert_eq!(
            manifest("127.0.0.1:5000/a"),
            "http://127.0.0.1:5000/v2/a/manifests/latest"
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "/",
            "a//b",
            "Team/trainer",
            "a b",
            "a:",
            "a:b:c",
            "a:-x",
            "ghcr.io/",
            "-a",
            "a/../b",
            "a@sha256:00",
            "ghcr.io:port/a",
            "ghcr.io/a?x=y:1",
            "h.io/a%2fb:1",
        ] {
            assert_eq!(Reference::read(text), None, "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_this_machine() {
        assert!(is_loopback("127.0.0.1:80/token"));
        assert!(is_loopback("localhost"));
        assert!(!is_loopback("localhost.example.com/token"));
        assert!(!is_loopback("127.0.0.1.example.com"));
        assert!(!is_loopback("user@localhost"));
    }
}
