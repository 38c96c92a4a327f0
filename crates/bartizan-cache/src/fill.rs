//! A response on its way into the store.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;

use crate::key::StoredKey;
use crate::store::{Store, Stored};

/// All of a response but its body. Dropped, it is forgotten.
pub(crate) struct Fill {
    pub(crate) store: Store,
    pub(crate) key: StoredKey,
    pub(crate) stored: Stored,
    /// So many bytes of body are kept at most.
    pub(crate) most: usize,
}

impl Fill {
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// The body has come to a clean end.
    pub(crate) fn complete(self, body: Bytes, trailers: Option<HeaderMap>) {
        let Self { store, key, mut stored, .. } = self;
        let claimed =
            stored.headers.get(CONTENT_LENGTH).map(|length| length.to_str().ok()?.parse::<usize>().ok());
        // What is shorter or longer than it says is not the response (RFC 9112 section 8).
        if claimed.is_some_and(|claimed| claimed != Some(body.len())) {
            return;
        }
        stored.body = body;
        stored.trailers = trailers;
        store.put(&key, Arc::new(stored));
    }
}
