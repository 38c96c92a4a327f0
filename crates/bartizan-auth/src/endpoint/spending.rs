use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{EndpointError, Why};
use crate::Secret;

/// Which refresh tokens may have been spent. Many servers replace one with each use, and take its second use for theft.
#[derive(Default)]
pub(crate) struct Spending(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    /// Of requests under way, and of those whose answers were lost.
    uncertain: Vec<Secret>,
    /// The server keeps refresh tokens.
    keeps: bool,
}

/// So many are remembered, of sessions that share one source.
const UNCERTAIN: usize = 1024;

impl Spending {
    /// Beforehand, since whoever exchanges it may be dropped.
    ///
    /// # Errors
    /// If it may have been spent.
    pub(crate) fn begin(&self, refresh_token: &Secret, origin: &str) -> Result<(), EndpointError> {
        let mut seen = self.lock();
        if seen.uncertain.contains(refresh_token) {
            return Err(EndpointError::new(origin, Why::Uncertain));
        }
        if !seen.keeps {
            let surplus = (seen.uncertain.len() + 1).saturating_sub(UNCERTAIN);
            seen.uncertain.drain(..surplus);
            seen.uncertain.push(refresh_token.clone());
        }
        Ok(())
    }

    /// What came of it: the next refresh token, if there is one.
    pub(crate) fn end(&self, refresh_token: &Secret, next: Result<Option<&Secret>, &EndpointError>) {
        let mut seen = self.lock();
        if let Ok(next) = next {
            seen.keeps = next.is_none_or(|next| next == refresh_token);
        }
        if !next.is_err_and(EndpointError::is_uncertain) {
            seen.uncertain.retain(|uncertain| uncertain != refresh_token);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // Nothing panics under it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
