use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use super::endpoint::Endpoint;

/// The endpoints that were reported. They are kept as hashes: nothing that a path may hold stays in memory, and 1,024 of
/// them take some 10 kB however long the paths are. Of two endpoints with the same 64 bits one would not be reported.
#[derive(Debug, Default)]
pub(super) struct Seen {
    hashes: Mutex<HashSet<u64>>,
}

/// How many endpoints are reported at most.
pub(super) const CAPACITY: usize = 1024;

/// An endpoint that was not reported before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum New {
    More,
    /// It was the last for which there is room.
    Last,
}

impl Seen {
    /// Remembers the endpoint; `None` if it was there, or if there is no room.
    pub(super) fn first(&self, endpoint: &Endpoint) -> Option<New> {
        let mut hasher = DefaultHasher::new();
        (endpoint.method(), endpoint.host(), endpoint.path()).hash(&mut hasher);
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        if hashes.len() >= CAPACITY || !hashes.insert(hasher.finish()) {
            return None;
        }
        Some(if hashes.len() == CAPACITY { New::Last } else { New::More })
    }
}
