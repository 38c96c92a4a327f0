use std::num::NonZeroUsize;
use std::sync::Arc;

use bartizan_core::{Entry, KeyBy, PerKey, RequestHead};

use super::Bulkhead;

/// The bulkheads of a layer, which all its services share.
pub(crate) struct Bulkheads {
    limit: NonZeroUsize,
    queue: usize,
    by_key: PerKey<Bulkhead>,
}

impl Bulkheads {
    pub(crate) fn new(limit: NonZeroUsize, queue: usize, key: KeyBy, max_keys: NonZeroUsize) -> Self {
        // Evicted in use, a bulkhead would be empty again the next moment.
        let by_key = PerKey::new(key, max_keys, Bulkhead::is_idle).sharing_when_full();
        Self { limit, queue, by_key }
    }

    pub(crate) fn get(&self, request: &RequestHead<'_>) -> Arc<Entry<Bulkhead>> {
        self.by_key.get(request, |subject| Bulkhead::of(subject.clone(), self.limit, self.queue))
    }

    pub(crate) fn all(&self) -> Vec<Bulkhead> {
        self.by_key.entries().iter().map(|entry| entry.value().clone()).collect()
    }
}
