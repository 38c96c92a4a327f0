use std::fmt;
use std::sync::Arc;

use bartizan_core::RequestHead;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use http::request::Parts;
use zeroize::Zeroizing;

use crate::identity::opaque;
use crate::secret::authorization;
use crate::{Authorizer, InvalidCredential, Secret, Stamp};

/// User and password in `Authorization`, as RFC 7617 has it: base64 of `user:password` in UTF-8. It takes the place of any other
/// `Authorization`.
#[derive(Clone)]
pub struct Basic {
    value: HeaderValue,
    identity: Arc<str>,
}

impl Basic {
    /// Both may be empty, as some APIs want it that take a key for the user.
    ///
    /// # Errors
    /// If the user has a colon, or either has a control character (RFC 7617 section 2).
    pub fn new(user: &str, password: impl Into<Secret>) -> Result<Self, InvalidCredential> {
        let password = password.into();
        if user.contains(':') {
            return Err(InvalidCredential::new("the user of Basic", "has a colon, which ends it"));
        }
        if user.chars().chain(password.expose().chars()).any(char::is_control) {
            return Err(InvalidCredential::new("a user or password of Basic", "has a control character"));
        }
        let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
        let value = authorization("Basic", &Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes())));
        Ok(Self { value, identity: opaque("basic", &[user.as_bytes(), password.expose().as_bytes()]) })
    }
}

impl Authorizer for Basic {
    fn authorize(&self, request: &mut Parts) -> Option<Stamp> {
        request.headers.try_insert(AUTHORIZATION, self.value.clone()).ok()?;
        Some(Stamp::default())
    }

    fn identity(&self, _: &RequestHead<'_>) -> Arc<str> {
        self.identity.clone()
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Basic(..)")
    }
}
