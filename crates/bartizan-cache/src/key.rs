//! What a response is stored under.

mod digest;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::RandomState;

use bartizan_core::{CallContext, Origin, RequestHead};
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderName, Uri};

use self::digest::Digest;
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
            self.digest(|digest| {
                for name in &self.principals {
                    let values = request.headers.get_all(name);
                    digest.number(values.iter().count() as u64);
                    values.iter().for_each(|value| digest.text(value.as_bytes()));
                }
            })
        } else {
            0
        };
        let mut key = Key { digest: 0, target_digest: 0, origin, target, partition, principal };
        key.target_digest = self.digest(|digest| key.hash_target(digest));
        key.digest = if partition.is_none() && principal == 0 {
            key.target_digest
        } else {
            self.digest(|digest| key.hash(digest))
        };
        key
    }

    /// Of a group of responses of the same origin (RFC 9875).
    pub(crate) fn group(&self, key: &StoredKey, group: &str) -> u128 {
        self.digest(|digest| {
            // No target has that many: it is none of them.
            digest.number(u64::MAX);
            digest.text(key.scheme.as_bytes());
            digest.text(key.host.as_bytes());
            digest.number(port(key.port));
            digest.text(group.as_bytes());
        })
    }

    fn names_a_principal(&self, request: &RequestHead<'_>) -> bool {
        self.principals.iter().any(|name| request.headers.contains_key(name))
    }

    fn digest(&self, feed: impl Fn(&mut Digest)) -> u128 {
        let mut digest = Digest::new(&self.hashing);
        feed(&mut digest);
        digest.finish()
    }
}

impl Key<'_> {
    /// Where the parts of the same target are.
    pub(crate) fn of_parts(&self) -> Self {
        Self { digest: !self.digest, ..*self }
    }

    fn hash(&self, digest: &mut Digest) {
        self.hash_target(digest);
        digest.text(self.partition.map_or(b"", str::as_bytes));
        digest.number(u64::from(self.partition.is_some()));
        digest.number((self.principal >> 64) as u64);
        digest.number(self.principal as u64);
    }

    fn hash_target(&self, digest: &mut Digest) {
        if let Some((scheme, host, given)) = self.origin {
            digest.lower(scheme.as_bytes());
            digest.lower(host.as_bytes());
            digest.number(port(given));
        }
        digest.text(self.target.as_bytes());
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

/// None is no port.
fn port(port: Option<u16>) -> u64 {
    port.map_or(u64::MAX, u64::from)
}

/// Without query, partition and principal, which may be secrets.
impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredKey({})", self.target())
    }
}
