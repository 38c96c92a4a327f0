use std::fmt::{self, Write};

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode};

/// What the cache did with a request (RFC 9211): in the extensions of the response, once [`CacheLayer::status`](crate::CacheLayer::status) asks
/// for it.
///
/// `Display` is the member's parameters as the field has them: `hit; ttl=376`, `fwd=uri-miss; fwd-status=200; stored`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheStatus {
    /// It was answered from memory.
    #[non_exhaustive]
    Hit {
        /// How many seconds it stays fresh, less than nothing if it is stale.
        ttl: i64,
    },
    /// The origin was asked.
    #[non_exhaustive]
    Forwarded {
        /// Why.
        why: Forward,
        /// What it answered; a 304 confirmed what was stored.
        answered: StatusCode,
        /// Whether the answer is stored once it is complete.
        stored: bool,
        /// Whether it was asked for by another call, at the same time.
        collapsed: bool,
    },
}

/// Why the origin was asked (RFC 9211 section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Forward {
    /// The caller said so, or the request has content, by which a response is not found again.
    Bypass,
    /// The method is none that a cache answers.
    Method,
    /// Nothing is stored for the target.
    UriMiss,
    /// Nothing that is stored answers such a request.
    VaryMiss,
    /// What is stored is fresh, and the request asks for more.
    Request,
    /// What is stored is stale, or may not be used unasked.
    Stale,
    /// What is stored is a part, and the request asks for more.
    Partial,
}

impl Forward {
    /// As the field has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Request => "request",
            Self::Stale => "stale",
            Self::Partial => "partial",
        }
    }
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hit { ttl } => write!(f, "hit; ttl={ttl}"),
            Self::Forwarded { why, answered, stored, collapsed } => {
                write!(f, "fwd={}; fwd-status={}", why.as_str(), answered.as_u16())?;
                f.write_str(if *stored { "; stored" } else { "" })?;
                f.write_str(if *collapsed { "; collapsed" } else { "" })
            }
        }
    }
}

/// Where it is said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Telling {
    pub(crate) in_extensions: bool,
    /// Under this name in the field.
    pub(crate) name: Option<HeaderName>,
}

static CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

impl Telling {
    pub(crate) fn tell(&self, status: CacheStatus, headers: &mut HeaderMap, extensions: &mut Extensions) {
        if self.in_extensions {
            extensions.insert(status);
        }
        if let Some(name) = &self.name {
            let mut member = String::with_capacity(64);
            // What begins with a digit or a sign is no token, and has to be a string (RFC 9211 section 2). No name has a quote in it.
            let is_token =
                name.as_str().starts_with(|first: char| first.is_ascii_alphabetic() || first == '*');
            let quote = if is_token { "" } else { "\"" };
            let _ = write!(member, "{quote}{name}{quote}; {status}");
            let member = HeaderValue::try_from(member).expect("a name, digits and signs");
            // After what caches nearer to the origin have said (RFC 9211 section 2).
            // A map that is full to the brim has no room for it.
            let _ = headers.try_append(&CACHE_STATUS, member);
        }
    }
}
