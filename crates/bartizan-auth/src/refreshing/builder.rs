use std::fmt;
use std::sync::Arc;

use bartizan_core::WallClock;

use super::state::Shared;
use super::{Refreshing, TokenEvent};
use crate::TokenStore;

/// Sets what a [`Refreshing`] needs beside its source.
pub struct RefreshingBuilder(pub(super) Shared);

impl RefreshingBuilder {
    /// Keeps tokens beyond the process. By default they are kept in memory alone.
    #[must_use]
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.0.store = Some(Box::new(store));
        self
    }

    /// Told of what becomes of tokens; by default nobody is. It must not panic.
    #[must_use]
    pub fn hook(mut self, hook: impl Fn(&TokenEvent<'_>) + Send + Sync + 'static) -> Self {
        self.0.hook = Some(Box::new(hook));
        self
    }

    /// Takes any 401 for a refusal of the token, with a challenge or without one: for APIs that do not say `invalid_token` (RFC 6750 section 3.1). By
    /// default another 401 is passed on, since it may be about what was asked for, and no newer token would change that.
    ///
    /// For the same reason one that does not say why costs a token at most once a second, and less often each time, down to once a minute; after a minute
    /// without any it is once a second again. In between it is passed on, and the token stays.
    #[must_use]
    pub fn any_401(mut self) -> Self {
        self.0.any_401 = true;
        self
    }

    /// By which the ends of saved tokens are told. The system's clock by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.0.wall_clock = clock;
        self
    }

    /// No token yet: the first call has one fetched.
    pub fn build(self) -> Refreshing {
        Refreshing(Arc::new(self.0))
    }
}

impl fmt::Debug for RefreshingBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshingBuilder").finish_non_exhaustive()
    }
}
