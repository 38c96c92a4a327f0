//! The URL that an API lives under, and the layer that puts requests there.
//!
//! The rules of the join are at [`BaseUrl::join`]; what the layer does with them is at [`BaseUrlLayer`].

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use http::Uri;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};

mod check;
mod error;
mod layer;
mod segment;

pub use error::{InvalidBaseUrl, InvalidReference};
pub use layer::{BaseUrlFuture, BaseUrlLayer, WithBaseUrl};
pub use segment::{InvalidSegment, segment};

use error::{BaseFault, ReferenceFault};

/// The longest URI that [`Uri`] is made for.
const MAX_LENGTH: usize = u16::MAX as usize - 1;

/// Where an API lives: scheme, host, port if need be, and the path that all its resources have in common.
///
/// With or without a slash at its end it is the same. It has no query, no fragment and no user information.
///
/// ```
/// use bartizan_client::BaseUrl;
///
/// let base = BaseUrl::new("https://api.example.com/v1")?;
/// assert_eq!(base.join("users?page=2")?, "https://api.example.com/v1/users?page=2");
/// assert_eq!(base.join("/users")?, "https://api.example.com/v1/users");
///
/// let refused = BaseUrl::new("api.example.com/v1").unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "the base URL `api.example.com/v1` has no scheme; begin it with `https://`"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    scheme: Scheme,
    authority: Authority,
    /// Empty, or from a slash up to what is no slash.
    path: Arc<str>,
}

impl BaseUrl {
    /// Checks `url`, which is to begin with `https://` or `http://` and a host.
    ///
    /// # Errors
    /// Names the URL, without credentials and query, and what to write instead. Refused are: another scheme or none, no
    /// host, a port that is none, user information, a query, a fragment, and in the path a dot segment however encoded, an
    /// empty segment, a backslash, or a character that has to be percent-encoded.
    pub fn new(url: &str) -> Result<Self, InvalidBaseUrl> {
        Self::parse(url).map_err(|fault| InvalidBaseUrl::new(url, fault))
    }

    fn parse(url: &str) -> Result<Self, BaseFault> {
        if let Some(fault) = check::character(url) {
            return Err(BaseFault::Text(fault));
        }
        if url.contains('#') {
            return Err(BaseFault::Fragment);
        }
        let (scheme, _) = url.split_once("://").ok_or(BaseFault::NoScheme)?;
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return Err(BaseFault::Scheme);
        }
        let uri: Uri = url.parse().map_err(|_| BaseFault::Host)?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority), Some(path)) =
            (parts.scheme, parts.authority, parts.path_and_query)
        else {
            return Err(BaseFault::Host);
        };
        if authority.as_str().contains('@') {
            return Err(BaseFault::UserInformation);
        }
        if authority.host().is_empty() {
            return Err(BaseFault::Host);
        }
        if check::host_and_port(&authority).is_none() {
            return Err(BaseFault::Port);
        }
        if path.query().is_some() {
            return Err(BaseFault::Query);
        }
        let path = path.path();
        if let Some(fault) = check::path(path) {
            return Err(BaseFault::Text(fault));
        }
        if path.contains("//") {
            return Err(BaseFault::EmptySegment);
        }
        let path = path.strip_suffix('/').unwrap_or(path).into();
        Ok(Self { scheme, authority, path })
    }

    /// The URI of `reference`, which is a path below the base, a query, or an absolute URI that lies there already.
    ///
    /// This is no resolution after RFC 3986 section 5: what is asked for is always *below* the base, and its text stays as it
    /// is. With the base `https://api.example.com/v1`:
    ///
    /// | reference | result |
    /// |---|---|
    /// | `users`, `/users` | `https://api.example.com/v1/users` |
    /// | `/users/?x=1` | `https://api.example.com/v1/users/?x=1` |
    /// | `/files/a%2Fb` | `https://api.example.com/v1/files/a%2Fb`; an encoded slash stays one |
    /// | nothing | `https://api.example.com/v1` |
    /// | `/` | `https://api.example.com/v1/` |
    /// | `?x=1` | `https://api.example.com/v1?x=1` |
    /// | `https://api.example.com/v1/users` | the same |
    /// | `https://api.example.com/v2`, `http://other.example/` | refused: not below the base |
    /// | `//other.example/x` | refused: it names a host |
    /// | `a/../b`, `%2e%2E/b`, `..%2fb`, `..;x/b`, `%252e%252e` | refused: a dot segment, however encoded |
    /// | `a:b`, `me@home` | refused: it may mean a scheme, a port or a user; `/a:b` is a path |
    /// | `*` | refused: it asks about the whole server |
    /// | `a\b`, `a b`, `ä`, `50%` | refused: has to be percent-encoded |
    /// | `/users#top` | refused: fragments are not sent |
    ///
    /// So no reference changes the origin or leads out of the base path, and neither does it once a server or proxy has decoded it,
    /// however often. The exception is a server that takes something else than these for dots, slashes and backslashes, such as
    /// overlong UTF-8.
    ///
    /// Text that is not ours, such as an id, goes through [`segment`] before it becomes a part of a reference: `/`, `?` and
    /// `#` in it would have a meaning.
    ///
    /// A path allocates once, for the joined text, and an absolute URI twice, to be parsed. A path with an encoded percent sign
    /// (`%25`) costs one more, to look behind it.
    ///
    /// # Errors
    /// [`InvalidReference`] names the reference, without credentials and query, and what to write instead.
    pub fn join(&self, reference: &str) -> Result<Uri, InvalidReference> {
        self.join_text(reference).map_err(|fault| InvalidReference::new(reference, fault))
    }

    /// The same for a reference that is a [`Uri`] already.
    ///
    /// `Uri` takes `users` for an authority; here it is the path that it would be as a string. A fragment was cut off
    /// when the `Uri` was made.
    ///
    /// # Errors
    /// As in [`join`](Self::join).
    pub fn join_uri(&self, reference: &Uri) -> Result<Uri, InvalidReference> {
        self.place(reference.clone())
    }

    /// By value, so that a URI that stays, or whose path stays, is not copied.
    fn place(&self, reference: Uri) -> Result<Uri, InvalidReference> {
        if reference.scheme().is_some() {
            return match self.check_absolute(&reference) {
                Ok(()) => Ok(reference),
                Err(fault) => Err(InvalidReference::new(&reference.to_string(), fault)),
            };
        }
        let text = match (reference.authority(), reference.path_and_query()) {
            (Some(authority), _) => authority.as_str(),
            (None, path) => path.map_or("", PathAndQuery::as_str),
        };
        let refused = |fault| InvalidReference::new(text, fault);
        if !self.path.is_empty() || !text.starts_with('/') {
            return self.append(text).map_err(refused);
        }
        check::relative(text).map_err(refused)?;
        let path = reference.into_parts().path_and_query.expect("what begins with a slash is a path");
        self.with_path(path).map_err(|fault| InvalidReference::new("/", fault))
    }

    fn join_text(&self, reference: &str) -> Result<Uri, ReferenceFault> {
        if reference.contains('#') {
            return Err(ReferenceFault::Fragment);
        }
        let (path, _) = split_query(reference);
        if path.split_once("://").is_some_and(|(scheme, _)| !scheme.contains('/')) {
            if let Some(fault) = check::character(reference) {
                return Err(ReferenceFault::Text(fault));
            }
            let uri: Uri = reference.parse().map_err(|_| ReferenceFault::Malformed)?;
            self.check_absolute(&uri)?;
            return Ok(uri);
        }
        self.append(reference)
    }

    fn append(&self, reference: &str) -> Result<Uri, ReferenceFault> {
        check::relative(reference)?;
        let (path, _) = split_query(reference);
        // A path that is empty stays so, unless the whole would be.
        let slash = if path.is_empty() { self.path.is_empty() } else { !path.starts_with('/') };
        // Exact, so that the text becomes the URI's without a copy.
        let length = self.path.len() + usize::from(slash) + reference.len();
        if length > MAX_LENGTH {
            return Err(ReferenceFault::TooLong);
        }
        let mut text = String::with_capacity(length);
        text.push_str(&self.path);
        if slash {
            text.push('/');
        }
        text.push_str(reference);
        let path =
            PathAndQuery::from_maybe_shared(Bytes::from(text)).map_err(|_| ReferenceFault::Malformed)?;
        self.with_path(path)
    }

    fn with_path(&self, path: PathAndQuery) -> Result<Uri, ReferenceFault> {
        let origin = self.scheme.as_str().len() + "://".len() + self.authority.as_str().len();
        if origin + path.as_str().len() > MAX_LENGTH {
            return Err(ReferenceFault::TooLong);
        }
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Ok(Uri::from_parts(parts).expect("scheme, authority and path make a URI"))
    }

    /// Whether a URI with a scheme lies under the base.
    fn check_absolute(&self, uri: &Uri) -> Result<(), ReferenceFault> {
        let authority = uri.authority().ok_or(ReferenceFault::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(ReferenceFault::UserInformation);
        }
        if uri.scheme() != Some(&self.scheme) || !self.is_host(authority) {
            return Err(ReferenceFault::Elsewhere { base: self.to_string() });
        }
        let path_and_query = uri.path_and_query().map_or("", PathAndQuery::as_str);
        let text = check::character(path_and_query).or_else(|| check::path(uri.path()));
        if let Some(fault) = text {
            return Err(ReferenceFault::Text(fault));
        }
        let below = uri.path().strip_prefix(&*self.path);
        if !below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Err(ReferenceFault::Elsewhere { base: self.to_string() });
        }
        // What goes over the wire is the path alone, and there this reads as a host.
        if uri.path().starts_with("//") {
            return Err(ReferenceFault::NamesHost);
        }
        Ok(())
    }

    /// Compares host and port (RFC 9110 section 4.2.3) without a copy.
    fn is_host(&self, other: &Authority) -> bool {
        let default_port = if self.scheme == Scheme::HTTPS { 443 } else { 80 };
        let (Some((host, port)), Some((other_host, other_port))) =
            (check::host_and_port(&self.authority), check::host_and_port(other))
        else {
            return false;
        };
        host.eq_ignore_ascii_case(other_host)
            && port.unwrap_or(default_port) == other_port.unwrap_or(default_port)
    }
}

fn split_query(reference: &str) -> (&str, Option<&str>) {
    reference.split_once('?').map_or((reference, None), |(path, query)| (path, Some(query)))
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(url: &str) -> Result<Self, InvalidBaseUrl> {
        Self::new(url)
    }
}

/// Without a slash at the end.
impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({self})")
    }
}

#[cfg(test)]
mod tests;
