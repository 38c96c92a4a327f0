use std::any::Any;
use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::time::SystemTime;

use bartizan_core::BoxError;

use crate::Secret;

/// Where tokens outlive the process, and where several processes meet that share one session.
///
/// Each fetch asks it first: what another process has saved meanwhile is used, and nothing is fetched. What is fetched is saved before any call goes with it,
/// so that a refresh token that was exchanged is not lost with the process. If it cannot be saved it is used all the same, and the hook is told.
pub trait TokenStore: Send + Sync + 'static {
    /// What was saved last.
    fn load(&self) -> Stored<Option<SavedToken>>;

    /// Keeps it in the place of what was there.
    fn save(&self, token: &SavedToken) -> Stored<()>;

    /// Is held from before [`load`](Self::load) until after [`save`](Self::save), so that no two processes exchange one refresh token, which
    /// servers take for theft. By default there is one process.
    fn lock(&self) -> Stored<Held> {
        Box::pin(ready(Ok(Box::new(()) as Held)))
    }
}

/// What a store is asked for.
pub type Stored<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Dropped, the lock is given back.
pub type Held = Box<dyn Any + Send + Sync>;

/// A token as it is saved. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedToken {
    /// The token itself.
    pub access: Secret,
    /// For the next one.
    pub refresh: Option<Secret>,
    /// When it ends, if that is known.
    pub expires: Option<SystemTime>,
}

impl SavedToken {
    /// As it was saved.
    pub fn new(access: impl Into<Secret>, refresh: Option<Secret>, expires: Option<SystemTime>) -> Self {
        Self { access: access.into(), refresh, expires }
    }
}

impl fmt::Debug for SavedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedToken")
            .field("access", &self.access)
            .field("refresh", &self.refresh)
            .field("expires", &self.expires)
            .finish()
    }
}
