use std::fmt;
use std::sync::Arc;

use bartizan_core::RequestHead;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};

use super::{Challenge, Principal, Realm};
use crate::InvalidCredential;

/// Finds out who sent a request, by its head.
///
/// [`ApiKeys`](super::ApiKeys), [`BasicUsers`](super::BasicUsers) and [`BearerTokens`](super::BearerTokens) are some.
pub trait Verifier: Send + Sync + 'static {
    /// Who it is. It is asked once for each request, on the thread that polls the call: it must not wait.
    ///
    /// # Errors
    /// [`Denial::Missing`] where there is nothing to be verified, so that another verifier may know him; else why he is not let through.
    fn verify(&self, request: &RequestHead<'_>) -> Result<Principal, Denial>;

    /// What is asked for after a denial: this verifier's own, or [`Denial::Missing`] where another one has denied.
    fn challenge(&self, realm: &Realm, denial: &Denial) -> Challenge;

    /// Takes the credential that was verified out of the request, since whoever comes next needs it no more. By default `Authorization`.
    fn take_out(&self, uri: &mut Uri, headers: &mut HeaderMap) {
        let _ = uri;
        headers.remove(AUTHORIZATION);
    }
}

/// Why a request is not let through.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// It has no credential: 401.
    Missing,
    /// What it has cannot be understood, or is ambiguous: 400. The text ends a sentence about the credential, and is told to strangers.
    Malformed(&'static str),
    /// Its credential is not a good one: 401.
    Refused,
    /// Its credential is good, and not for this: 403.
    LacksScope(Scope),
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the request has no credential"),
            Self::Malformed(why) => write!(f, "the credential of the request {why}"),
            Self::Refused => f.write_str("the credential of the request is not accepted"),
            Self::LacksScope(scope) => {
                write!(f, "the credential of the request lacks the scope `{}`", scope.as_str())
            }
        }
    }
}

/// What a token has to be good for: words with a space between (RFC 6749 section 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Arc<str>);

impl Scope {
    /// One or several words.
    ///
    /// # Errors
    /// If it is none.
    pub fn new(words: &str) -> Result<Self, InvalidCredential> {
        let is_symbol = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if !words.split(' ').all(|word| !word.is_empty() && word.bytes().all(is_symbol)) {
            return Err(InvalidCredential::new("a scope", "has words of visible ASCII without \" and \\"));
        }
        Ok(Self(words.into()))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<V: Verifier + ?Sized> Verifier for Arc<V> {
    fn verify(&self, request: &RequestHead<'_>) -> Result<Principal, Denial> {
        (**self).verify(request)
    }

    fn challenge(&self, realm: &Realm, denial: &Denial) -> Challenge {
        (**self).challenge(realm, denial)
    }

    fn take_out(&self, uri: &mut Uri, headers: &mut HeaderMap) {
        (**self).take_out(uri, headers);
    }
}
