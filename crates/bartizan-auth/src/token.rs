use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::BoxError;
use http::HeaderValue;

use crate::secret::authorization;
use crate::{InvalidCredential, Secret};

/// An access token, and what is known of it.
#[derive(Clone, Debug)]
pub struct Token {
    pub(crate) header: HeaderValue,
    pub(crate) refresh: Option<Secret>,
    pub(crate) lifetime: Option<Duration>,
}

impl Token {
    /// A token that is good until it is refused.
    ///
    /// # Errors
    /// If it is none by RFC 6750 section 2.1.
    pub fn new(access: impl Into<Secret>) -> Result<Self, InvalidCredential> {
        let header = bearer(&access.into())?;
        Ok(Self { header, refresh: None, lifetime: None })
    }

    /// It comes with a token for the next one; by default with none. Without one the former stays (RFC 6749 section 6).
    #[must_use]
    pub fn refresh_token(mut self, refresh: impl Into<Secret>) -> Self {
        self.refresh = Some(refresh.into());
        self
    }

    /// It lives so long, counted from before it was asked for. By default its end is not known.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }
}

impl Token {
    /// The text of it.
    pub(crate) fn access(&self) -> Secret {
        let value = self.header.to_str().expect("a bearer token is visible ASCII");
        Secret::from(value.split_once(' ').map_or(value, |(_, token)| token))
    }
}

/// The value of `Authorization` for it.
pub(crate) fn bearer(token: &Secret) -> Result<HeaderValue, InvalidCredential> {
    if !is_b64token(token.expose()) {
        let why = "has letters, digits and -._~+/ alone, and may end with =";
        return Err(InvalidCredential::new("a bearer token", why));
    }
    Ok(authorization("Bearer", token.expose()))
}

/// RFC 6750 section 2.1.
pub(crate) fn is_b64token(text: &str) -> bool {
    let symbols = text.trim_end_matches('=');
    let is_symbol = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !symbols.is_empty() && symbols.bytes().all(is_symbol)
}

/// Where tokens come from: a token endpoint, a file, another service. A closure `|refresh_token| async { .. }` is one.
pub trait TokenSource: Send + Sync + 'static {
    /// Fetches a token, by the latest refresh token if there is one. It is called in a task of its own, and not again before
    /// its end, but for a token that somebody has set or cleared meanwhile; it is never dropped but after 30 s.
    fn fetch(&self, refresh_token: Option<Secret>) -> Fetching;
}

/// Fetches a token.
pub type Fetching = Pin<Box<dyn Future<Output = Result<Token, TokenError>> + Send>>;

impl<F, Fut> TokenSource for F
where
    F: Fn(Option<Secret>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Token, TokenError>> + Send + 'static,
{
    fn fetch(&self, refresh_token: Option<Secret>) -> Fetching {
        Box::pin(self(refresh_token))
    }
}

/// Why there is no token.
#[derive(Clone, Debug)]
pub struct TokenError(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    is_permanent: bool,
    retry_in: Option<Duration>,
    cause: BoxError,
}

impl TokenError {
    /// Nothing but another token helps: the grant was refused. It is remembered until one is set.
    pub fn permanent(cause: impl Into<BoxError>) -> Self {
        Self(Arc::new(Inner { is_permanent: true, retry_in: None, cause: cause.into() }))
    }

    /// The next try may do better.
    pub fn transient(cause: impl Into<BoxError>) -> Self {
        Self(Arc::new(Inner { is_permanent: false, retry_in: None, cause: cause.into() }))
    }

    /// The same, and not before that.
    pub fn transient_for(cause: impl Into<BoxError>, wait: Duration) -> Self {
        Self(Arc::new(Inner { is_permanent: false, retry_in: Some(wait), cause: cause.into() }))
    }

    /// Whether nothing but another token helps.
    pub fn is_permanent(&self) -> bool {
        self.0.is_permanent
    }

    /// How long to wait before the next try, if somebody said so.
    pub fn retry_in(&self) -> Option<Duration> {
        self.0.retry_in
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no token was to be had: {}", self.0.cause)
    }
}

impl Error for TokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0.cause)
    }
}
