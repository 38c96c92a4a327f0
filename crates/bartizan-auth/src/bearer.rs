use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use bartizan_core::RequestHead;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::identity::opaque;
use crate::token::bearer;
use crate::{Authorizer, InvalidCredential, Secret, Stamp};

/// A token in `Authorization: Bearer`, as RFC 6750 has it. Clones share it: set by one, it is sent by all. It takes the place of any other
/// `Authorization`.
///
/// ```
/// use bartizan_auth::{AuthLayer, Bearer, Origins};
///
/// let token = Bearer::unset();
/// let layer = AuthLayer::new(Origins::new(["https://api.example.com"])?, token.clone());
/// // Until then calls are refused.
/// token.set_token("mF_9.B5f-4.1JqM")?;
/// # let _ = layer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Bearer {
    token: Arc<Shared>,
    /// Of whoever it is for, whatever the token is by now.
    identity: Arc<str>,
}

struct Shared {
    current: ArcSwapOption<HeaderValue>,
    made_unset: bool,
    was_set: AtomicBool,
}

impl Bearer {
    /// This token, until it is set to another one.
    ///
    /// # Errors
    /// If it is none by RFC 6750 section 2.1.
    pub fn new(token: impl Into<Secret>) -> Result<Self, InvalidCredential> {
        let token = token.into();
        let identity = opaque("bearer", &[token.expose().as_bytes()]);
        Ok(Self::of(Some(Arc::new(bearer(&token)?)), identity))
    }

    /// No token yet: until one is set, calls are refused, or go without, as the layer says.
    pub fn unset() -> Self {
        Self::of(None, opaque("bearer", &[b"unset", &next().to_le_bytes()]))
    }

    fn of(token: Option<Arc<HeaderValue>>, identity: Arc<str>) -> Self {
        let made_unset = token.is_none();
        let token =
            Shared { current: ArcSwapOption::new(token), made_unset, was_set: AtomicBool::new(false) };
        Self { token: Arc::new(token), identity }
    }

    /// From the next request on this one is sent.
    ///
    /// # Errors
    /// If it is none by RFC 6750 section 2.1; what was set stays.
    pub fn set_token(&self, token: impl Into<Secret>) -> Result<(), InvalidCredential> {
        let value = bearer(&token.into())?;
        self.token.was_set.store(true, Ordering::Relaxed);
        self.token.current.store(Some(Arc::new(value)));
        Ok(())
    }

    /// From the next request on there is none.
    pub fn clear(&self) {
        self.token.was_set.store(true, Ordering::Relaxed);
        self.token.current.store(None);
    }

    /// Whether there is one.
    pub fn is_set(&self) -> bool {
        self.token.current.load().is_some()
    }
}

/// A number that no other one has in this process.
pub(crate) fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Authorizer for Bearer {
    fn authorize(&self, request: &mut Parts) -> Option<Stamp> {
        let token = self.token.current.load();
        request.headers.try_insert(AUTHORIZATION, HeaderValue::clone(token.as_ref()?)).ok()?;
        Some(Stamp::default())
    }

    fn identity(&self, _: &RequestHead<'_>) -> Arc<str> {
        self.identity.clone()
    }

    /// As long as it is as it was made.
    fn is_idle(&self) -> bool {
        !self.token.was_set.load(Ordering::Relaxed) || self.token.made_unset && !self.is_set()
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "Bearer(..)" } else { "Bearer(unset)" })
    }
}
