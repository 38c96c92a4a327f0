//! What a response is stored under.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

use bartizan_core::{CallContext, Origin, RequestHead};
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderName, Uri};

use crate::Target;

/// Which parts of a request tell responses apart, beside those that `Vary` names.
pub(crate) struct Keys {
    hashing: [RandomState; 2],
    /// Fields that name a principal. A private cache never answers one with what another was sent.
    principals: Vec<HeaderName>,
    /// Of requests that name no origin; else `Host` is asked.
    authority: Option<Authority>,
}

/// Scheme, authority and target, whose it is, and who asks: the whole of it, beside a seeded hash to find it by.
#[derive(Clone, Copy)]
pub(crate) struct Key<'r> {
    pub(crate) digest: u128,
    /// Of the target alone, whoever asks.
    pub(crate) target_digest: u128,
    origin: Option<(&'r str, &'r str, Option<u16>)>,
    target: &'r str,
    partition: Option<&'r str>,
    principal: u128,
}

/// A key that is kept. Of the fields that name a principal only a seeded hash is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoredKey {
    pub(crate) digest: u128,
    pub(crate) target_digest: u128,
    scheme: Box<str>,
    host: Box<str>,
    port: Option<u16>,
    target: Box<str>,
    partition: Option<Box<str>>,
    principal: u128,
}

impl Keys {
    #[expect(
        clippy::disallowed_methods,
        reason = "a seed that strangers must not know, and by which nothing is decided"
    )]
    pub(crate) fn new(principals: Vec<HeaderName>, authority: Option<Authority>) -> Self {
        Self { hashing: [RandomState::new(), RandomState::new()], principals, authority }
    }

    pub(crate) fn key<'r>(&'r self, request: &RequestHead<'r>) -> Key<'r> {
        self.of(request, request.uri)
    }

    /// Of another target, as the same principal sees it.
    pub(crate) fn of<'r>(&'r self, request: &RequestHead<'r>, uri: &'r Uri) -> Key<'r> {
        let origin = Origin::parts(uri).or_else(|| {
            let named = self.authority.as_ref().map(Authority::as_str);
            let host = named.or_else(|| request.headers.get(HOST)?.to_str().ok())?;
            Some(("", host, None))
        });
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let partition = request.context().and_then(CallContext::partition);
        let principal = if self.names_a_principal(request) {
            self.digest(|hasher| {
                for name in &self.principals {
                    for value in request.headers.get_all(name) {
                        text(value.as_bytes(), hasher);
                    }
                    hasher.write_u8(0);
                }
            })
        } else {
            0
        };
        let mut key = Key { digest: 0, target_digest: 0, origin, target, partition, principal };
        key.target_digest = self.digest(|hasher| key.hash_target(hasher));
        key.digest = if partition.is_none() && principal == 0 {
            key.target_digest
        } else {
            self.digest(|hasher| key.hash(hasher))
        };
        key
    }

    /// Of a group of responses of the same origin (RFC 9875).
    pub(crate) fn group(&self, key: &StoredKey, group: &str) -> u128 {
        self.digest(|hasher| {
            hasher.write(b"group");
            text(key.scheme.as_bytes(), hasher);
            text(key.host.as_bytes(), hasher);
            hasher.write_u32(key.port.map_or(u32::MAX, u32::from));
            text(group.as_bytes(), hasher);
        })
    }

    fn names_a_principal(&self, request: &RequestHead<'_>) -> bool {
        self.principals.iter().any(|name| request.headers.contains_key(name))
    }

    fn digest(&self, feed: impl Fn(&mut dyn Hasher)) -> u128 {
        let [high, low] = self.hashing.each_ref().map(|hashing| {
            let mut hasher = hashing.build_hasher();
            feed(&mut hasher);
            u128::from(hasher.finish())
        });
        high << 64 | low
    }
}

impl Key<'_> {
    /// Where the parts of the same target are.
    pub(crate) fn of_parts(&self) -> Self {
        Self { digest: !self.digest, ..*self }
    }

    fn hash(&self, hasher: &mut dyn Hasher) {
        self.hash_target(hasher);
        text(self.partition.map_or(b"", str::as_bytes), hasher);
        hasher.write_u8(u8::from(self.partition.is_some()));
        hasher.write_u128(self.principal);
    }

    fn hash_target(&self, hasher: &mut dyn Hasher) {
        if let Some((scheme, host, port)) = self.origin {
            lower(scheme.as_bytes(), hasher);
            lower(host.as_bytes(), hasher);
            hasher.write_u32(port.map_or(u32::MAX, u32::from));
        }
        text(self.target.as_bytes(), hasher);
    }

    pub(crate) fn target(&self) -> Target<'_> {
        let (scheme, host, port) = self.origin.unwrap_or_default();
        Target { scheme, host, port, path_and_query: self.target }
    }

    pub(crate) fn store(&self) -> StoredKey {
        let (scheme, host, port) = self.origin.unwrap_or_default();
        StoredKey {
            digest: self.digest,
            target_digest: self.target_digest,
            scheme: scheme.to_ascii_lowercase().into(),
            host: host.to_ascii_lowercase().into(),
            port,
            target: self.target.into(),
            partition: self.partition.map(Into::into),
            principal: self.principal,
        }
    }
}

impl StoredKey {
    /// Where the parts of the same target are.
    pub(crate) fn of_parts(&self) -> Self {
        Self { digest: !self.digest, ..self.clone() }
    }

    pub(crate) fn target(&self) -> Target<'_> {
        Target { scheme: &self.scheme, host: &self.host, port: self.port, path_and_query: &self.target }
    }

    pub(crate) fn is(&self, key: &Key<'_>) -> bool {
        let (scheme, host, port) = key.origin.unwrap_or_default();
        self.digest == key.digest
            && self.scheme.eq_ignore_ascii_case(scheme)
            && self.host.eq_ignore_ascii_case(host)
            && self.port == port
            && *self.target == *key.target
            && self.partition.as_deref() == key.partition
            && self.principal == key.principal
    }

    /// Bytes on the heap.
    pub(crate) fn weight(&self) -> usize {
        self.scheme.len()
            + self.host.len()
            + self.target.len()
            + self.partition.as_ref().map_or(0, |p| p.len())
    }
}

fn text(bytes: &[u8], hasher: &mut dyn Hasher) {
    hasher.write_usize(bytes.len());
    hasher.write(bytes);
}

fn lower(bytes: &[u8], hasher: &mut dyn Hasher) {
    hasher.write_usize(bytes.len());
    // In pieces, since each has its price.
    for piece in bytes.chunks(64) {
        let mut lower = [0; 64];
        let lower = &mut lower[..piece.len()];
        lower.copy_from_slice(piece);
        lower.make_ascii_lowercase();
        hasher.write(lower);
    }
}

/// Without query, partition and principal, which may be secrets.
impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredKey({})", self.target())
    }
}
