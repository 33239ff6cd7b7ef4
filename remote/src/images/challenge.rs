//! What a registry asks for when it says 401: the header `WWW-Authenticate` (RFC 9110, § 11.6.1).

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A token, to be had at the realm.
    Bearer {
        /// The address.
        realm: String,
        /// For which service.
        service: Option<String>,
        /// For what.
        scope: Option<String>,
    },
    /// A user's name and password.
    Basic,
}

impl Challenge {
    /// What a header asks for, if it is known here.
    pub(super) fn read(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let value = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        Some(Self::Bearer {
            realm: value("realm")?,
            service: value("service"),
            scope: value("scope"),
        })
    }
}

/// `key="value", key=value`: commas and escapes may stand between the quotes.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        let mut key = String::new();
        while let Some(next) = rest.next_if(|c| *c != '=') {
            if !matches!(next, ',' | ' ' | '\t') {
                key.push(next);
            }
        }
        if rest.next().is_none() {
            return found;
        }
        let mut value = String::new();
        if rest.next_if_eq(&'"').is_some() {
            while let Some(next) = rest.next().filter(|c| *c != '"') {
                value.extend(if next == '\\' { rest.next() } else { Some(next) });
            }
        } else {
            while let Some(next) = rest.next_if(|c| !matches!(c, ',' | ' ')) {
                value.push(next);
            }
        }
        found.push((key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        })
    }

    #[test]
    fn the_forms_that_registries_use() {
        assert_eq!(
            Challenge::read(
                r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#
            ),
            bearer(
                "https://auth.example/token",
                Some("registry.example"),
                Some("repository:a/b:pull,push")
            )
        );
        assert_eq!(
            Challenge::read(r#"bearer realm="https://a/b\"c" , service=plain"#),
            bearer("https://a/b\"c", Some("plain"), None)
        );
        assert_eq!(Challenge::read(r#"Basic realm="x""#), Some(Challenge::Basic));
    }

    #[test]
    fn what_is_not_known_is_nothing() {
        for header in ["", "Bearer", "Bearer service=\"x\"", "Negotiate abc", "Bearer realm"] {
            assert_eq!(Challenge::read(header), None, "{header}");
        }
        assert_eq!(Challenge::read("Bearer realm=\"open"), bearer("open", None, None));
    }
}
