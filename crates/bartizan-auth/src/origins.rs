use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bartizan_core::Origin;
use http::Uri;

/// Where a credential may go: scheme, host and port of each server that it is meant for.
///
/// `https` only, since whoever can read the connection could use the credential; `http` is allowed to the machine's own loopback. A list is
/// asked for wherever a credential is set: there is no "everywhere".
///
/// ```
/// use bartizan_auth::Origins;
///
/// let origins = Origins::new(["https://api.example.com", "http://localhost:8080"])?;
/// assert!(origins.contains(&"https://API.example.com:443/v1/users?page=2".parse()?));
/// assert!(!origins.contains(&"https://api.example.com.evil.example/".parse()?));
/// assert!(!origins.contains(&"http://api.example.com/".parse()?));
///
/// let refused = Origins::new(["http://api.example.com"]).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "`http://api.example.com` may get no credential: over http anybody on the way can read it; use https"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Origins(Arc<[Allowed]>);

struct Allowed {
    is_https: bool,
    /// In lower case.
    host: Box<str>,
    /// If it is not the scheme's own.
    port: Option<u16>,
    /// Host and port as they are mostly written.
    authority: Box<str>,
}

impl Origins {
    /// Of URIs such as `https://api.example.com`, with a port where it is not the scheme's own.
    ///
    /// # Errors
    /// [`InvalidOrigin`] for what is no origin, has a path, a query or user information, or is `http` beyond the loopback; and for none at
    /// all.
    pub fn new<O: AsRef<str>>(origins: impl IntoIterator<Item = O>) -> Result<Self, InvalidOrigin> {
        let allowed =
            origins.into_iter().map(|origin| Allowed::of(origin.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if allowed.is_empty() {
            return Err(InvalidOrigin { given: String::new(), why: Why::None });
        }
        Ok(Self(allowed.into()))
    }

    /// Whether a request to this URI may have the credential.
    pub fn contains(&self, uri: &Uri) -> bool {
        let Some(scheme) = uri.scheme_str() else { return false };
        // As it is mostly written, before all other ways.
        let is_https = scheme == "https" || scheme.eq_ignore_ascii_case("https");
        if !is_https && scheme != "http" && !scheme.eq_ignore_ascii_case("http") {
            return false;
        }
        let written = uri.authority().map_or("", |authority| authority.as_str());
        self.0.iter().any(|allowed| {
            allowed.is_https == is_https && (*allowed.authority == *written || allowed.is_at(uri))
        })
    }
}

impl Allowed {
    fn of(origin: &str) -> Result<Self, InvalidOrigin> {
        let refuse = |why| InvalidOrigin { given: without_secrets(origin), why };
        let uri = parse(origin)?;
        let (is_https, host, port) = place(&uri).map_err(refuse)?;
        if uri.path() != "/" && !uri.path().is_empty() || uri.query().is_some() {
            return Err(refuse(Why::More));
        }
        let host = host.to_ascii_lowercase();
        let authority = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        Ok(Self { is_https, host: host.into(), port, authority: authority.into() })
    }

    fn is_at(&self, uri: &Uri) -> bool {
        Origin::parts(uri)
            .is_some_and(|(_, host, port)| port == self.port && self.host.eq_ignore_ascii_case(host))
    }
}

/// An absolute URI that a credential may go to: `https`, or `http` to the loopback, without user information and fragment.
pub(crate) fn parse(text: &str) -> Result<Uri, InvalidOrigin> {
    let refuse = |why| InvalidOrigin { given: without_secrets(text), why };
    // [`Uri`] would drop it.
    if text.contains('#') {
        return Err(refuse(Why::Fragment));
    }
    let uri: Uri = text.parse().map_err(|_| refuse(Why::NoOrigin))?;
    place(&uri).map_err(refuse)?;
    Ok(uri)
}

/// Whether it is `https`, the host, and the port if it is not the scheme's own, of where a credential may go.
fn place(uri: &Uri) -> Result<(bool, &str, Option<u16>), Why> {
    let (scheme, host, port) = Origin::parts(uri).ok_or(Why::NoOrigin)?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(Why::More);
    }
    let is_https = scheme.eq_ignore_ascii_case("https");
    if !is_https && !scheme.eq_ignore_ascii_case("http") {
        return Err(Why::Scheme);
    }
    if !is_https && !is_loopback(host) {
        return Err(Why::Http);
    }
    Ok((is_https, host, port))
}

/// The names of RFC 6761 section 6.3, and the addresses.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let is_name = host == "localhost" || host.ends_with(".localhost");
    is_name || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Somebody may have put a password there.
fn without_secrets(origin: &str) -> String {
    let (scheme, rest) = origin.split_once("://").unwrap_or(("", origin));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }
}

impl fmt::Debug for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter()).finish()
    }
}

impl fmt::Debug for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.is_https { "https" } else { "http" }, self.authority)
    }
}

/// What is no origin for a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidOrigin {
    given: String,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    None,
    NoOrigin,
    More,
    Fragment,
    Scheme,
    Http,
}

impl InvalidOrigin {
    /// What was given, without path, query and user information.
    pub fn given(&self) -> &str {
        &self.given
    }
}

impl fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Why::None => return f.write_str("a credential needs at least one origin that it is meant for"),
            Why::NoOrigin => "that is no origin; write one such as `https://api.example.com`",
            Why::More => "an origin has no path, no query and no user information",
            Why::Fragment => "a fragment is never sent; leave it away",
            Why::Scheme => "only https is known, and http to the loopback",
            Why::Http => "over http anybody on the way can read it; use https",
        };
        write!(f, "`{}` may get no credential: {why}", self.given)
    }
}

impl Error for InvalidOrigin {}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(origins: &[&str], uri: &str) -> bool {
        Origins::new(origins).unwrap().contains(&uri.parse().unwrap())
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_however_they_are_written() {
        let origins = ["https://api.example.com", "https://b.example:8443/", "http://[::1]:3000"];
        for inside in [
            "https://api.example.com",
            "https://api.example.com/any/path?and=query",
            "HTTPS://Api.Example.COM/",
            "https://api.example.com:443/",
            "https://me:pw@api.example.com/",
            "https://b.example:8443/x",
            "http://[::1]:3000/",
        ] {
            assert!(contains(&origins, inside), "{inside}");
        }
        for outside in [
            "http://api.example.com/",
            "http://api.example.com:443/",
            "https://api.example.com:8443/",
            "https://api.example.com.evil.example/",
            "https://evil.example/api.example.com",
            "https://api.example.com@evil.example/",
            "https://xapi.example.com/",
            "https://example.com/",
            "https://b.example/",
            "https://b.example:443/",
            "http://b.example:8443/",
            "https://[::1]:3000/",
            "http://[::1]/",
            "ws://api.example.com/",
            "/path",
            "api.example.com:443",
            "*",
        ] {
            assert!(!contains(&origins, outside), "{outside}");
        }
    }

    #[test]
    fn http_is_for_the_loopback_alone() {
        for loopback in [
            "http://localhost",
            "http://LOCALHOST:80",
            "http://app.localhost:1",
            "http://127.0.0.1:1",
            "http://127.9.9.9",
            "http://[::1]",
        ] {
            assert!(Origins::new([loopback]).is_ok(), "{loopback}");
        }
        for other in [
            "http://a.example",
            "http://10.0.0.1",
            "http://localhost.evil.example",
            "http://notlocalhost",
            "http://[::2]",
            "http://127.0.0.1.evil.example",
            "http://0.0.0.0",
        ] {
            assert_eq!(Origins::new([other]).unwrap_err().why, Why::Http, "{other}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_and_its_secrets_are_not_told() {
        for (given, why) in [
            ("", Why::NoOrigin),
            ("/x", Why::NoOrigin),
            ("api.example.com", Why::NoOrigin),
            ("https://", Why::NoOrigin),
            ("https://a b", Why::NoOrigin),
            ("ftp://a.example", Why::Scheme),
            ("https://a.example/path", Why::More),
            ("https://a.example/?secret", Why::More),
            ("https://a.example/#secret", Why::Fragment),
            ("https://me:secret@a.example", Why::More),
        ] {
            let refused = Origins::new(["https://fine.example", given]).unwrap_err();
            assert_eq!(refused.why, why, "{given}");
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
        assert_eq!(Origins::new([""; 0]).unwrap_err().why, Why::None);
    }

    #[test]
    fn it_is_readable() {
        let origins =
            Origins::new(["https://A.example", "http://localhost:80", "https://b.example:1"]).unwrap();
        assert_eq!(format!("{origins:?}"), "{https://a.example, http://localhost, https://b.example:1}");
    }
}
