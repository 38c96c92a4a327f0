//! What people do with a cache by hand.

use bartizan_core::{CacheOverride, RequestHead};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use tokio::time::Instant;

use crate::engine::Engine;
use crate::fields::RequestDirectives;
use crate::{CacheLayer, NotStored};

impl CacheLayer {
    /// What is stored for such a request, fresh or stale, with its age; conditions and directives of the request do not matter, and nobody is
    /// asked. The partition and the fields that name a principal do: what is stored for one is not given for another.
    pub fn get<B>(&self, request: &Request<B>) -> Option<Response<Bytes>> {
        self.engine().peek(&RequestHead::from(request), Instant::now())
    }

    /// Stores the response as if the origin had just given it as the answer to this request.
    ///
    /// # Errors
    /// Whatever keeps such an answer from being stored.
    pub fn insert<B>(&self, request: &Request<B>, response: Response<Bytes>) -> Result<(), NotStored> {
        self.engine().insert(&RequestHead::from(request), response, Instant::now())
    }

    /// Forgets all that is stored of a target, for whomever, and keeps out what is on its way, as a change does that the origin confirms.
    pub fn remove(&self, target: &Uri) {
        self.engine().remove(target);
    }

    /// Forgets everything, and keeps out what is on its way.
    pub fn clear(&self) {
        self.engine().kept.clear();
    }
}

impl Engine {
    fn peek(&self, request: &RequestHead<'_>, now: Instant) -> Option<Response<Bytes>> {
        let entry = self.kept.get(&self.keys.key(request))?;
        let stored = entry.variants.iter().find(|stored| stored.vary.matches(request.headers))?;
        // Without conditions it is given whole.
        let (response, _) =
            self.answer(&Method::GET, &HeaderMap::new(), stored, now, self.wall_clock.now())?;
        Some(response)
    }

    fn insert(
        &self,
        request: &RequestHead<'_>,
        response: Response<Bytes>,
        now: Instant,
    ) -> Result<(), NotStored> {
        let key = self.keys.key(request);
        let asked = RequestDirectives::default();
        let asking = self.asking(request, &key, asked, CacheOverride::default(), now);
        let (head, body) = response.into_parts();
        let stored = self.fill(&asking, head.status, &head.headers, now, self.wall_clock.now())?;
        self.keep(&asking.key, stored, body, None)
    }

    fn remove(&self, target: &Uri) {
        let mut request = Request::new(());
        *request.uri_mut() = target.clone();
        self.invalidate(&self.keys.key(&RequestHead::from(&request)), self.kept.changes.now());
    }
}
