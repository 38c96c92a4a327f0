use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bartizan_core::RequestHead;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use percent_encoding::percent_decode_str;

use super::credentials::credentials;
use super::place::in_query;
use super::{Challenge, Denial, Principal, Principals, Realm, SecretDigest, Verifier};
use crate::Secret;
use crate::query::{is_named, set_query};
use crate::token::is_b64token;

/// Knows callers by a token in `Authorization: Bearer`, and answers others as RFC 6750 section 3 has it.
///
/// | | |
/// |---|---|
/// | no token | 401, without an error code |
/// | what is no token by section 2.1, or one in two places | 400, `invalid_request` |
/// | a token that is not accepted | 401, `invalid_token` |
/// | a token that is not for this | 403, `insufficient_scope` and the scope |
///
/// A token in the content of a form (section 2.2) is not looked for: it would have to be read before the app does.
///
/// ```
/// use bartizan_auth::server::{BearerTokens, Denial, Scope, VerifyLayer};
///
/// let write = Scope::new("notes:write")?;
/// let tokens = BearerTokens::by(move |token, request| match token.expose() {
///     // Asks a table of sessions, say, or the signature of the token.
///     "mF_9.B5f-4.1JqM" if request.method.is_safe() => Ok("alice".into()),
///     "mF_9.B5f-4.1JqM" => Err(Denial::LacksScope(write.clone())),
///     _ => Err(Denial::Refused),
/// });
/// let layer = VerifyLayer::new(tokens).respond();
/// # let _ = layer;
/// # Ok::<(), bartizan_auth::InvalidCredential>(())
/// ```
#[derive(Clone)]
pub struct BearerTokens {
    known: Known,
    may_be_in_query: bool,
}

#[derive(Clone)]
enum Known {
    ByDigest(Principals),
    By(Arc<Check>),
}

type Check = dyn Fn(&Secret, &RequestHead<'_>) -> Result<Principal, Denial> + Send + Sync;

/// RFC 6750 section 2.3.
const ACCESS_TOKEN: &str = "access_token";

impl BearerTokens {
    /// By digests as of [`SecretDigest::of`].
    pub fn new(principals: Principals) -> Self {
        Self { known: Known::ByDigest(principals), may_be_in_query: false }
    }

    /// By what a closure says of a token and the request that it came with: whose it is, or [`Denial::Refused`], or [`Denial::LacksScope`]. It runs on
    /// the thread that polls the call, and must not wait.
    pub fn by<C>(check: C) -> Self
    where
        C: Fn(&Secret, &RequestHead<'_>) -> Result<Principal, Denial> + Send + Sync + 'static,
    {
        Self { known: Known::By(Arc::new(check)), may_be_in_query: false }
    }

    /// A token may stand in the query as `access_token` too (RFC 6750 section 2.3). By default it is not looked at there: what stands in a query is
    /// written into logs on its way.
    #[must_use]
    pub fn or_in_query(mut self) -> Self {
        self.may_be_in_query = true;
        self
    }

    fn presented<'r>(&self, request: &RequestHead<'r>) -> Result<Cow<'r, str>, Denial> {
        let no_token = Denial::Malformed("is no bearer token");
        let mut in_query = in_query(request.uri, ACCESS_TOKEN);
        match (credentials(request.headers, "Bearer")?, in_query.next()) {
            // Two ways at once are an error of the client, whether or not we go by the second (section 3.1).
            (Some(_), Some(_)) => Err(Denial::Malformed("stands in two places")),
            (Some(token), None) => str::from_utf8(token).map(Cow::Borrowed).map_err(|_| no_token),
            (None, Some(_)) if self.may_be_in_query && in_query.next().is_some() => {
                Err(Denial::Malformed("is there more than once"))
            }
            (None, Some(token)) if self.may_be_in_query => {
                percent_decode_str(token).decode_utf8().map_err(|_| no_token)
            }
            (None, _) => Err(Denial::Missing),
        }
    }
}

impl Verifier for BearerTokens {
    fn verify(&self, request: &RequestHead<'_>) -> Result<Principal, Denial> {
        let token = self.presented(request)?;
        if !is_b64token(&token) {
            return Err(Denial::Malformed("is no bearer token"));
        }
        match &self.known {
            Known::ByDigest(principals) => {
                principals.who(&SecretDigest::of_bytes(token.as_bytes())).ok_or(Denial::Refused)
            }
            Known::By(check) => check(&Secret::from(token), request),
        }
    }

    fn challenge(&self, realm: &Realm, denial: &Denial) -> Challenge {
        let challenge = Challenge::new("Bearer", realm);
        match denial {
            Denial::Missing => challenge,
            Denial::Malformed(why) => {
                let description = format!("the token {why}");
                challenge.with("error", "invalid_request").with("error_description", &description)
            }
            Denial::Refused => challenge.with("error", "invalid_token"),
            Denial::LacksScope(scope) => {
                challenge.with("error", "insufficient_scope").with("scope", scope.as_str())
            }
        }
    }

    fn take_out(&self, uri: &mut Uri, headers: &mut HeaderMap) {
        // Beside a token in the query there may be another scheme's.
        if matches!(credentials(headers, "Bearer"), Ok(Some(_))) {
            headers.remove(AUTHORIZATION);
        }
        set_query(uri, |given| is_named(given, ACCESS_TOKEN), None);
    }
}

impl fmt::Debug for BearerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: &dyn fmt::Debug = match &self.known {
            Known::ByDigest(principals) => principals,
            Known::By(_) => &"a closure",
        };
        let may_be_in_query = &self.may_be_in_query;
        f.debug_struct("BearerTokens")
            .field("known", known)
            .field("may_be_in_query", may_be_in_query)
            .finish()
    }
}
