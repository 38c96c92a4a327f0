use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::endpoint::{Answer, EndpointError, Why};
use crate::{Secret, Token};

/// What a token endpoint has given (RFC 6749 section 5.1).
///
/// A lifetime that is absent, zero or less, or none at all, is unknown: the token is used until it is refused. Numbers may be written as texts.
/// A type that is absent is Bearer.
pub struct TokenResponse {
    pub(super) token: Token,
    asked: Instant,
    scope: Option<String>,
    id_token: Option<Secret>,
    rest: Map<String, Value>,
}

impl TokenResponse {
    /// Of what was asked for at that time.
    pub(super) fn read(answer: &Answer, asked: Instant) -> Result<Self, EndpointError> {
        let mut fields = answer.fields()?;
        let unreadable = |why| answer.failed(Why::Unreadable(why));
        if fields.text("token_type").is_some_and(|token_type| !token_type.eq_ignore_ascii_case("bearer")) {
            return Err(unreadable("has a token of another type than Bearer"));
        }
        let token = fields.take_token("access_token", "refresh_token", "expires_in").map_err(unreadable)?;
        let id_token = fields.take_secret("id_token");
        let scope = match fields.0.get("scope") {
            Some(Value::String(scope)) => Some(scope.clone()),
            // Some servers write a list.
            Some(Value::Array(scopes)) => {
                Some(scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
            }
            _ => None,
        };
        fields.0.retain(|_, value| !value.is_null());
        Ok(Self { token, asked, scope, id_token, rest: fields.0 })
    }

    /// The token with what is left of its lifetime now, for [`Refreshing::set_token`](crate::Refreshing::set_token).
    pub fn token(&self) -> Token {
        let mut token = self.token.clone();
        token.lifetime = token.lifetime.map(|lifetime| lifetime.saturating_sub(self.asked.elapsed()));
        token
    }

    /// The access token alone.
    pub fn access_token(&self) -> Secret {
        self.token.access()
    }

    /// What the next token is got with. `None` if the server gives none.
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.token.refresh.as_ref()
    }

    /// How long it lives, counted from before it was asked for, if that is known.
    pub fn lifetime(&self) -> Option<Duration> {
        self.token.lifetime
    }

    /// What it is good for, separated by spaces. `None`: for all that was asked for (RFC 6749 section 5.1).
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// Who has logged in, as OpenID Connect says it. **Nothing of it was verified.**
    pub fn id_token(&self) -> Option<&Secret> {
        self.id_token.as_ref()
    }

    /// Another member of the answer.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.rest.get(name)
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("lifetime", &self.lifetime())
            .field("scope", &self.scope)
            .field("has_refresh_token", &self.token.refresh.is_some())
            .field("has_id_token", &self.id_token.is_some())
            .finish_non_exhaustive()
    }
}
