use std::error::Error;
use std::fmt;

use http::Uri;

/// Scheme, host and port: what one upstream is (RFC 9110 section 4.3.1).
///
/// Two spellings of one origin are equal: letter case does not count, and neither does a default port.
///
/// ```
/// use bartizan_core::Origin;
///
/// let origin = Origin::of(&"HTTPS://API.example.com:443/v1/users".parse()?)?;
/// assert_eq!(origin.to_string(), "https://api.example.com");
///
/// let refused = Origin::of(&"/v1/users".parse()?).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "`/v1/users` names no origin; use an absolute URI such as `https://api.example.com/v1/users`, or put a base \
///      URL layer outside"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Lower case, `scheme://host`, and a port where it is not the scheme's default.
    text: Box<str>,
}

impl Origin {
    /// The origin of an absolute URI.
    ///
    /// # Errors
    /// [`RelativeUri`] when the scheme or the host is missing.
    pub fn of(uri: &Uri) -> Result<Self, RelativeUri> {
        let Some((scheme, host, port)) = parts(uri) else {
            return Err(RelativeUri { uri: without_query(uri) });
        };
        let mut text = format!("{scheme}://{host}");
        text.make_ascii_lowercase();
        if let Some(port) = port {
            text = format!("{text}:{port}");
        }
        Ok(Self { text: text.into_boxed_str() })
    }

    /// What an origin is made of, borrowed: scheme and host in whatever letter case, and the port where it is not the scheme's default.
    pub fn parts(uri: &Uri) -> Option<(&str, &str, Option<u16>)> {
        parts(uri)
    }

    /// As it is written: `https://api.example.com`, with a port where it is not the default.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Scheme and host in any letter case, and the port where it is not the scheme's default. A host that is empty is none (RFC
/// 9110 section 4.2.1).
pub(crate) fn parts(uri: &Uri) -> Option<(&str, &str, Option<u16>)> {
    let scheme = uri.scheme_str()?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    let is_default = |port: &u16| match port {
        80 => scheme.eq_ignore_ascii_case("http"),
        443 => scheme.eq_ignore_ascii_case("https"),
        _ => false,
    };
    Some((scheme, host, uri.port_u16().filter(|port| !is_default(port))))
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.text)
    }
}

impl TryFrom<&Uri> for Origin {
    type Error = RelativeUri;

    fn try_from(uri: &Uri) -> Result<Self, RelativeUri> {
        Self::of(uri)
    }
}

/// A URI without scheme or host where an origin is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelativeUri {
    uri: String,
}

/// Queries hold secrets often enough; errors do not repeat them.
fn without_query(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    format!("{host}{}", uri.path())
}

impl RelativeUri {
    /// The URI as it was given, without its query and user information.
    pub fn uri(&self) -> &str {
        &self.uri
    }
}

impl fmt::Display for RelativeUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.uri.starts_with('/') { &self.uri } else { "/" };
        write!(
            f,
            "`{}` names no origin; use an absolute URI such as `https://api.example.com{path}`, or put a base URL \
             layer outside",
            self.uri
        )
    }
}

impl Error for RelativeUri {}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Result<String, String> {
        Origin::of(&uri.parse().unwrap()).map(|o| o.to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn spellings_of_one_origin_are_one() {
        for (uri, expected) in [
            ("http://a.example/x?y=z", "http://a.example"),
            ("HTTP://A.Example:80", "http://a.example"),
            ("https://a.example:443/", "https://a.example"),
            ("https://a.example:80/", "https://a.example:80"),
            ("http://a.example:443/", "http://a.example:443"),
            ("http://user:secret@a.example/", "http://a.example"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
            ("ftp://a.example:21/", "ftp://a.example:21"),
        ] {
            assert_eq!(of(uri).as_deref(), Ok(expected), "{uri}");
        }
    }

    #[test]
    fn relative_uris_are_refused_with_the_fix() {
        for uri in ["/users?token=s3cret", "*", "a.example:80", "http://:80/users?token=s3cret"] {
            let error = of(uri).unwrap_err();
            assert!(error.contains("absolute URI") && !error.contains("s3cret"), "{error}");
        }
        let error = Origin::of(&"/users?token=s3cret".parse().unwrap()).unwrap_err();
        assert_eq!(error.uri(), "/users");
    }
}
