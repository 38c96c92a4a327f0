//! A response on its way into the store.

use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use http::HeaderMap;
use tokio::time::Instant;

use crate::engine::Engine;
use crate::flight::{Landed, Lead};
use crate::growing::Growing;
use crate::key::StoredKey;
use crate::stored::Stored;
use crate::{Event, NotStored};

/// All of a response but its body. Dropped, it is forgotten.
pub(crate) struct Fill {
    engine: Arc<Engine>,
    key: StoredKey,
    /// `None` once it is over.
    head: Option<Arc<Stored>>,
    /// Others wait for it.
    pub(crate) lead: Option<Lead>,
}

impl Fill {
    pub(crate) fn new(engine: &Arc<Engine>, key: StoredKey, head: Stored) -> Self {
        Self { engine: engine.clone(), key, head: Some(Arc::new(head)), lead: None }
    }

    /// Bytes of body that are kept at most.
    pub(crate) fn most(&self) -> usize {
        self.engine.rules.most
    }

    pub(crate) fn head(&self) -> &Arc<Stored> {
        self.head.as_ref().expect("it is not over before it is consumed")
    }

    /// The body comes, and is for those who are to be woken.
    pub(crate) fn grows(&self, body: &Arc<Growing>) -> Vec<Waker> {
        self.lead.as_ref().map_or_else(Vec::new, |lead| lead.grows(self.head().clone(), body))
    }

    /// The body has come to a clean end.
    pub(crate) fn complete(mut self, body: Bytes, trailers: Option<HeaderMap>) {
        let head = self.head.take().expect("it is completed once");
        let landed = match self.engine.keep(&self.key, Arc::unwrap_or_clone(head), body, trailers) {
            Ok(()) => Landed::Stored,
            // It was overtaken, which says nothing of the next.
            Err(NotStored::Changed) => Landed::Abandoned,
            Err(_) => Landed::NotStored,
        };
        land(self.lead.take(), landed);
    }

    /// The body is too long.
    pub(crate) fn give_up(self) {
        self.end(NotStored::TooLong);
    }

    fn end(mut self, why: NotStored) {
        self.head = None;
        self.engine.event(&Event::NotStored { target: self.key.target(), why });
        land(self.lead.take(), Landed::NotStored);
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        if self.head.is_some() {
            self.engine.event(&Event::NotStored { target: self.key.target(), why: NotStored::Incomplete });
        }
    }
}

fn land(lead: Option<Lead>, landed: Landed) {
    if let Some(lead) = lead {
        lead.land(landed, Instant::now());
    }
}
