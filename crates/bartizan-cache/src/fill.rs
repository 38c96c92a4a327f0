//! A response on its way into the store.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use tokio::time::Instant;

use crate::flight::{Landed, Lead};
use crate::key::StoredKey;
use crate::store::{Store, Stored};

/// All of a response but its body. Dropped, it is forgotten.
pub(crate) struct Fill {
    pub(crate) store: Store,
    pub(crate) key: StoredKey,
    pub(crate) stored: Arc<Stored>,
    /// So many bytes of body are kept at most.
    pub(crate) most: usize,
    /// It was begun with a part, which is needed no more once it is complete.
    pub(crate) completes: bool,
    /// Others wait for it.
    pub(crate) lead: Option<Lead>,
}

impl Fill {
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// The body has come to a clean end.
    pub(crate) fn complete(self, body: Bytes, trailers: Option<HeaderMap>) {
        let Self { store, key, stored, completes, lead, .. } = self;
        let claimed =
            stored.headers.get(CONTENT_LENGTH).map(|length| length.to_str().ok()?.parse::<usize>().ok());
        // What is shorter or longer than it says is not the response (RFC 9112 section 8).
        if claimed.is_some_and(|claimed| claimed != Some(body.len())) {
            land(lead, Landed::NotStored);
            return;
        }
        let mut stored = Arc::unwrap_or_clone(stored);
        stored.body = body;
        stored.trailers = trailers;
        let stored = Arc::new(stored);
        store.put(&key, stored.clone(), None);
        if completes && stored.part().is_none() {
            store.forget_parts(&key, &stored.vary);
        }
        land(lead, Landed::Stored);
    }

    /// The body is too long.
    pub(crate) fn give_up(self) {
        land(self.lead, Landed::NotStored);
    }
}

fn land(lead: Option<Lead>, landed: Landed) {
    if let Some(lead) = lead {
        lead.land(landed, Instant::now());
    }
}
