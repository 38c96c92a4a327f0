use std::borrow::Cow;
use std::fmt;
use std::hash::Hasher;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::{HeaderName, Uri};

use crate::origin::parts;
use crate::{PathTemplate, RequestHead};

/// What requests have in common that share something: a circuit, a bucket, a budget. By default their origin.
///
/// ```
/// use bartizan_core::{Key, KeyBy, RequestHead};
/// use http::HeaderName;
///
/// let by_tenant = KeyBy::header(HeaderName::from_static("x-tenant"));
/// // One for each service behind a gateway, which is the first segment of the path.
/// let by_service = KeyBy::with(|request| Key::named(request.uri.path().split('/').nth(1).unwrap_or_default()));
/// # let request = http::Request::get("http://gateway.example/payments/42").body(())?;
/// # assert_eq!(format!("{:?}", by_service.key(&RequestHead::from(&request))), "Key(`payments`)");
/// # let _ = by_tenant;
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct KeyBy(By);

#[derive(Clone, Default)]
enum By {
    #[default]
    Origin,
    Nothing,
    Header(HeaderName),
    PathTemplate,
    Partition,
    Closure(Arc<dyn for<'r> Fn(&RequestHead<'r>) -> Key<'r> + Send + Sync>),
}

impl KeyBy {
    /// Scheme, host and port. Requests that name none (origin-form, on the server side) have one key; `Host`, which a stranger chooses, is
    /// not looked at.
    pub const fn origin() -> Self {
        Self(By::Origin)
    }

    /// All requests have the same.
    pub const fn nothing() -> Self {
        Self(By::Nothing)
    }

    /// The value of a header field, wherever the request goes; those without it have one key together. The value is shown nowhere, since it may be
    /// a secret.
    pub const fn header(name: HeaderName) -> Self {
        Self(By::Header(name))
    }

    /// Origin, method and [`PathTemplate`]; requests without a template go by origin and method.
    pub const fn path_template() -> Self {
        Self(By::PathTemplate)
    }

    /// Origin and [partition](crate::CallContext::partition): each tenant's share of an API.
    pub const fn partition() -> Self {
        Self(By::Partition)
    }

    /// What a closure says. It is asked once for each request.
    pub fn with<F>(key: F) -> Self
    where
        F: for<'r> Fn(&RequestHead<'r>) -> Key<'r> + Send + Sync + 'static,
    {
        Self(By::Closure(Arc::new(key)))
    }

    /// The key of `request`.
    pub fn key<'r>(&self, request: &RequestHead<'r>) -> Key<'r> {
        match &self.0 {
            By::Origin => Key::ORIGIN,
            By::Nothing => Key::NONE,
            By::Header(name) => match request.headers.get(name) {
                Some(value) => Key::hidden(value.as_bytes()),
                None => Key::NONE,
            },
            By::PathTemplate => {
                let template = PathTemplate::of(request.extensions).map_or("", PathTemplate::as_str);
                Key { name: Name::Endpoint(request.method.as_str(), template), of_origin: true }
            }
            By::Partition => match request.context().and_then(|call| call.partition()) {
                Some(partition) => Key::hidden(partition.as_bytes()).of_origin(),
                None => Key::ORIGIN,
            },
            By::Closure(key) => key(request),
        }
    }
}

/// Whether requests that have the same key by one have the same by the other. Closures are equal if they are clones.
impl PartialEq for KeyBy {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (By::Origin, By::Origin)
            | (By::Nothing, By::Nothing)
            | (By::PathTemplate, By::PathTemplate)
            | (By::Partition, By::Partition) => true,
            (By::Header(name), By::Header(other)) => name == other,
            (By::Closure(closure), By::Closure(other)) => Arc::ptr_eq(closure, other),
            _ => false,
        }
    }
}

impl fmt::Debug for KeyBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            By::Origin => f.write_str("origin"),
            By::Nothing => f.write_str("nothing"),
            By::Header(name) => write!(f, "header {name}"),
            By::PathTemplate => f.write_str("path template"),
            By::Partition => f.write_str("partition"),
            By::Closure(_) => f.write_str("a closure"),
        }
    }
}

/// Whose a request is. Two requests with the same key share what is kept for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key<'r> {
    pub(crate) name: Name<'r>,
    pub(crate) of_origin: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Name<'r> {
    None,
    Shown(Cow<'r, str>),
    Hidden(Cow<'r, [u8]>),
    Endpoint(&'r str, &'r str),
    Peer(IpAddr),
}

impl<'r> Key<'r> {
    /// The origin alone.
    pub const ORIGIN: Self = Self { name: Name::None, of_origin: true };

    /// The key of all that have no other.
    pub const NONE: Self = Self { name: Name::None, of_origin: false };

    /// A name, which errors, hooks and events show. Not for secrets.
    pub fn named(name: impl Into<Cow<'r, str>>) -> Self {
        Self { name: Name::Shown(name.into()), of_origin: false }
    }

    /// What nobody is shown. It is not kept either: only a keyed hash is.
    pub fn hidden(secret: impl Into<Cow<'r, [u8]>>) -> Self {
        Self { name: Name::Hidden(secret.into()), of_origin: false }
    }

    /// The host with this address. Of an IPv6 address the first 64 bits count, since a host may choose the others; an IPv4 address
    /// may be written as an IPv6 one.
    pub fn peer(address: IpAddr) -> Self {
        let host = match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            address => address,
        };
        Self { name: Name::Peer(host), of_origin: false }
    }

    /// The same, but apart for each origin; by default it is one for all.
    #[must_use]
    pub fn of_origin(mut self) -> Self {
        self.of_origin = true;
        self
    }

    /// Feeds `hasher` what tells this key from others.
    pub(crate) fn hash(&self, uri: &Uri, hasher: &mut impl Hasher) {
        if self.of_origin
            && let Some((scheme, host, port)) = parts(uri)
        {
            hash_text(scheme, hasher);
            hash_text(host, hasher);
            hasher.write_u32(port.map_or(u32::MAX, u32::from));
        } else {
            hasher.write_u64(0);
        }
        match &self.name {
            Name::None => hasher.write_u8(0),
            Name::Shown(name) => {
                hasher.write_u8(1);
                hasher.write(name.as_bytes());
            }
            Name::Hidden(name) => {
                hasher.write_u8(2);
                hasher.write(name);
            }
            Name::Endpoint(method, template) => {
                hasher.write_u8(3);
                // No method has a space in it (RFC 9110 section 9.1).
                hasher.write(method.as_bytes());
                hasher.write_u8(b' ');
                hasher.write(template.as_bytes());
            }
            Name::Peer(IpAddr::V4(address)) => {
                hasher.write_u8(4);
                hasher.write(&address.octets());
            }
            Name::Peer(IpAddr::V6(address)) => {
                hasher.write_u8(6);
                hasher.write(&address.octets());
            }
        }
    }
}

/// Length and lower case.
fn hash_text(text: &str, hasher: &mut impl Hasher) {
    hasher.write_usize(text.len());
    let mut lower = [0; 32];
    for piece in text.as_bytes().chunks(lower.len()) {
        let lower = &mut lower[..piece.len()];
        lower.copy_from_slice(piece);
        lower.make_ascii_lowercase();
        hasher.write(lower);
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.of_origin) {
            (Name::None, true) => f.write_str("Key(the origin)"),
            (name, true) => write!(f, "Key({name}, and the origin)"),
            (name, false) => write!(f, "Key({name})"),
        }
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("all"),
            // A name may come from a stranger: it ends no line, and is not as long as he likes.
            Self::Shown(name) => {
                let shown = name.char_indices().nth(SHOWN).map_or(&name[..], |(end, _)| &name[..end]);
                let more = if shown.len() < name.len() { ".." } else { "" };
                write!(f, "`{}{more}`", shown.replace('`', "").escape_debug())
            }
            Self::Hidden(_) => f.write_str("a key that is not shown"),
            Self::Endpoint(method, "") => f.write_str(method),
            Self::Endpoint(method, template) => write!(f, "{method} {template}"),
            Self::Peer(IpAddr::V6(address)) => write!(f, "{address}/64"),
            Self::Peer(address) => address.fmt(f),
        }
    }
}

const SHOWN: usize = 64;

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use http::Request;

    use super::*;
    use crate::CallContext;

    fn request(uri: &str) -> Request<()> {
        Request::get(uri).body(()).unwrap()
    }

    fn digest(hashing: &RandomState, key: &Key<'_>, uri: &str) -> u64 {
        let mut hasher = hashing.build_hasher();
        key.hash(&uri.parse().unwrap(), &mut hasher);
        hasher.finish()
    }

    #[test]
    fn what_goes_by_the_same_is_equal() {
        let header = |name| KeyBy::header(HeaderName::from_static(name));
        let closure = || KeyBy::with(|_| Key::NONE);
        let same = closure();
        let all = [
            KeyBy::origin(),
            KeyBy::nothing(),
            KeyBy::path_template(),
            KeyBy::partition(),
            header("a"),
            header("b"),
            closure(),
            same.clone(),
        ];
        for (nth, one) in all.iter().enumerate() {
            for (other, two) in all.iter().enumerate() {
                assert_eq!(one == two, nth == other, "{one:?} {two:?}");
            }
        }
        assert_eq!(same, all[7]);
    }

    #[test]
    fn different_keys_have_different_hashes() {
        let long = "a".repeat(100);
        let origins: Vec<String> = [
            "http://a.example/",
            "https://a.example/",
            "http://a.example:81/",
            "http://a.example.:80/",
            "http://aa.example/",
            "http://[2001:db8::1]/",
            "/",
        ]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("http://{long}a/"), format!("http://{long}b/")])
        .collect();
        let names = [
            Key::NONE,
            Key::named(""),
            Key::named("a"),
            Key::named("b"),
            Key::hidden(&b""[..]),
            Key::hidden(&b"a"[..]),
            Key { name: Name::Endpoint("GET", ""), of_origin: false },
            Key { name: Name::Endpoint("GET", "/a"), of_origin: false },
            Key { name: Name::Endpoint("PUT", "/a"), of_origin: false },
            Key::peer([10, 0, 0, 1].into()),
            Key::peer([10, 0, 0, 2].into()),
            Key::peer([0x2001, 0xdb8, 0, 1, 0, 0, 0, 1].into()),
            Key::peer([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1].into()),
        ];
        let hashing = RandomState::default();
        let mut seen = std::collections::HashMap::new();
        for name in names {
            let alone = digest(&hashing, &name, "http://a.example/");
            assert_eq!(digest(&hashing, &name, "http://b.example/"), alone, "{name:?} goes by no origin");
            for origin in &origins {
                let key = name.clone().of_origin();
                let digest = digest(&hashing, &key, origin);
                if origin == "/" {
                    assert_eq!(digest, alone, "{key:?} of no origin");
                }
                let other = seen.insert(digest, format!("{key:?} {origin}"));
                assert_eq!(other, None, "{key:?} {origin}");
            }
        }
    }

    #[test]
    fn spellings_of_one_origin_have_one_hash() {
        let hashing = RandomState::default();
        let long = "A".repeat(70);
        for (one, other) in [
            ("http://a.example/", "HTTP://user@A.Example:80/x?y"),
            ("https://a.example:443/", "https://a.example"),
            (&format!("http://{long}/"), &format!("http://{}/", long.to_lowercase())),
        ] {
            let [one, other] = [one, other].map(|uri| digest(&hashing, &Key::ORIGIN, uri));
            assert_eq!(one, other);
        }
    }

    #[test]
    fn what_a_request_can_go_by() {
        let endpoint = |path| Key { name: Name::Endpoint("GET", path), of_origin: true };
        let mut request = request("http://a.example/users/42");
        request.headers_mut().insert("x-tenant", "acme".parse().unwrap());
        let by_header = KeyBy::header(HeaderName::from_static("x-tenant"));
        let by_other = KeyBy::header(HeaderName::from_static("x-other"));
        {
            let head = RequestHead::from(&request);
            assert_eq!(KeyBy::default().key(&head), Key::ORIGIN);
            assert_eq!(KeyBy::nothing().key(&head), Key::NONE);
            assert_eq!(by_header.key(&head), Key::hidden(&b"acme"[..]));
            assert_eq!(by_other.key(&head), Key::NONE);
            assert_eq!(KeyBy::partition().key(&head), Key::ORIGIN);
            assert_eq!(KeyBy::path_template().key(&head), endpoint(""));
            let by_path = KeyBy::with(|request| Key::named(request.uri.path()));
            assert_eq!(by_path.key(&head), Key::named("/users/42"));
        }
        request.extensions_mut().insert(PathTemplate::from_static("/users/{id}"));
        CallContext::edit(request.extensions_mut()).set_partition("alice");
        let head = RequestHead::from(&request);
        assert_eq!(KeyBy::partition().key(&head), Key::hidden(&b"alice"[..]).of_origin());
        assert_eq!(KeyBy::path_template().key(&head), endpoint("/users/{id}"));
    }

    #[test]
    fn a_host_is_an_ipv4_address_or_64_bits_of_an_ipv6_one() {
        let key = |address: &str| Key::peer(address.parse().unwrap());
        assert_eq!(key("203.0.113.9"), key("::ffff:203.0.113.9"));
        assert_eq!(key("2001:db8:1:2::3"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:1:2::"), key("2001:db8:1:3::"));
        assert_ne!(key("203.0.113.9"), key("203.0.113.8"));
    }

    #[test]
    fn what_requests_go_by_is_shown() {
        for (by, shown) in [
            (KeyBy::origin(), "origin"),
            (KeyBy::nothing(), "nothing"),
            (KeyBy::header(HeaderName::from_static("x-tenant")), "header x-tenant"),
            (KeyBy::path_template(), "path template"),
            (KeyBy::partition(), "partition"),
            (KeyBy::with(|_| Key::NONE), "a closure"),
        ] {
            assert_eq!(format!("{by:?}"), shown);
        }
    }

    #[test]
    fn how_keys_are_shown() {
        for (key, shown) in [
            (Key::NONE, "Key(all)"),
            (Key::ORIGIN, "Key(the origin)"),
            (Key::named("search").of_origin(), "Key(`search`, and the origin)"),
            (Key::named("a\r\n\u{1b}[2J`"), "Key(`a\\r\\n\\u{1b}[2J`)"),
            (Key::named("é".repeat(64)), &format!("Key(`{}`)", "é".repeat(64))),
            (Key::named("é".repeat(65)), &format!("Key(`{}..`)", "é".repeat(64))),
            (Key::hidden(&b"secret"[..]), "Key(a key that is not shown)"),
            (Key::peer([10, 0, 0, 1].into()), "Key(10.0.0.1)"),
            (Key::peer([0x2001, 0xdb8, 0, 1, 0, 0, 0, 1].into()), "Key(2001:db8:0:1::/64)"),
            (Key { name: Name::Endpoint("GET", ""), of_origin: true }, "Key(GET, and the origin)"),
            (Key { name: Name::Endpoint("GET", "/a/{id}"), of_origin: false }, "Key(GET /a/{id})"),
        ] {
            assert_eq!(format!("{key:?}"), shown);
        }
    }
}
