//! Of parts (RFC 9111 sections 3.3 and 3.4): which ones answer, which ones are stored, and how one is completed.

use std::sync::Arc;
use std::time::SystemTime;

use bartizan_core::RequestHead;
use bytes::Bytes;
use http::header::{AGE, DATE, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE};
use http::{HeaderMap, Method, Response, StatusCode};
use tokio::time::Instant;

use super::answer::seconds;
use super::{Asking, Engine};
use crate::fields::RequestDirectives;
use crate::fill::Fill;
use crate::key::{Key, StoredKey};
use crate::parts::{Rest, content, say, share_a_strong_tag};
use crate::range::{Part, is_single, within};
use crate::status::CacheStatus;
use crate::stored::Stored;
use crate::update::freshened;

/// What is stored and what the origin sent of it, together.
pub(crate) struct Completed {
    pub(crate) response: Response<()>,
    /// Of the body; the origin's is the other `rest` bytes.
    pub(crate) beginning: Bytes,
    pub(crate) rest: usize,
    pub(crate) fill: Fill,
    pub(crate) told: CacheStatus,
}

impl Engine {
    /// Those that were asked for by such a GET, the newest first.
    pub(super) fn parts(&self, key: &Key<'_>, request: &RequestHead<'_>) -> Vec<Arc<Stored>> {
        if *request.method != Method::GET {
            return Vec::new();
        }
        let entry = self.kept.get(&key.of_parts());
        let variants = entry.as_ref().map_or(&[][..], |entry| &entry.variants);
        variants.iter().filter(|part| part.vary.matches(request.headers)).cloned().collect()
    }

    /// The part that is the beginning of what is asked for, and what is still to be fetched. The origin's validator tells whether it still
    /// holds, however old it is.
    pub(super) fn rest(
        &self,
        key: &Key<'_>,
        request: &RequestHead<'_>,
        asked: &RequestDirectives,
        wall: SystemTime,
    ) -> Option<(Arc<Stored>, Rest)> {
        let has_conditions =
            [IF_NONE_MATCH, IF_MODIFIED_SINCE].iter().any(|name| request.headers.contains_key(name));
        if asked.no_store || has_conditions {
            return None;
        }
        let rest_of = |part: Arc<Stored>| {
            let rest = Rest::of(request.headers, &part.headers, wall)?;
            Some((part, rest))
        };
        self.parts(key, request).into_iter().find_map(rest_of)
    }

    /// What the rest makes complete, if it is the rest. What would not be stored is not made complete either.
    pub(super) fn completed(
        self: &Arc<Self>,
        asking: &Asking,
        status: StatusCode,
        headers: &HeaderMap,
        now: Instant,
        wall: SystemTime,
    ) -> Option<Completed> {
        let (part, rest) = asking.rest.as_ref()?;
        if status != StatusCode::PARTIAL_CONTENT || !rest.fits(&part.headers, headers) {
            return None;
        }
        let mut stored = self.freshen(asking, part, headers, now, wall)?;
        stored.status = say(&mut stored.headers, &rest.wanted());
        stored.body = Bytes::new();
        let mut response = Response::new(());
        *response.status_mut() = stored.status;
        *response.headers_mut() = stored.headers.clone();
        response.headers_mut().insert(AGE, seconds(stored.born.age(now)));
        if stored.status == StatusCode::PARTIAL_CONTENT {
            cut(&mut response, &Part::new(rest.wanted(), asking.request.contains_key(IF_RANGE)));
        }
        Some(Completed {
            response,
            beginning: part.body.slice(rest.beginning()),
            rest: rest.length(),
            fill: Fill::new(self, asking.key.clone(), stored),
            told: CacheStatus::Forwarded {
                why: asking.why,
                answered: status,
                stored: true,
                collapsed: false,
            },
        })
    }

    /// The head under which a 206 is stored, as a 200 if it is all there is: with what a stored part of the same representation says beside, since an
    /// answer to `If-Range` leaves that out (RFC 9110 section 15.3.7).
    pub(super) fn part(&self, asking: &Asking, headers: &HeaderMap) -> Option<(StatusCode, HeaderMap)> {
        if self.rules.ttl.is_some() || asking.method != Method::GET || !is_single(&asking.request) {
            return None;
        }
        let content = content(headers)?;
        let known = asking.parts.iter().find(|part| share_a_strong_tag(&part.headers, headers));
        let mut head = match known {
            Some(known) => freshened(&known.headers, headers, &[]).ok()?,
            None if asking.request.contains_key(IF_RANGE) => return None,
            None => headers.clone(),
        };
        if !headers.contains_key(DATE) {
            head.remove(DATE);
        }
        let status = say(&mut head, &content);
        Some((status, head))
    }

    /// Puts it with its like: parts are kept apart, until they are the whole. Whether it is there now.
    pub(super) fn put(&self, key: &StoredKey, stored: Arc<Stored>, former: Option<&Arc<Stored>>) -> bool {
        if stored.part().is_none() {
            let is_put = self.kept.put(key, stored.clone(), former);
            self.kept.forget_parts(&key.of_parts(), &stored);
            return is_put;
        }
        let (is_put, whole) = self.kept.put_part(&key.of_parts(), &stored, former, self.rules.most);
        if let Some(whole) = whole {
            self.kept.put(key, Arc::new(whole), None);
        }
        is_put
    }
}

impl Stored {
    /// Whether it is a part, and holds all that a request asks for.
    pub(super) fn is_asked_for(&self, request: &HeaderMap, wall: SystemTime) -> bool {
        self.part().is_some_and(|content| within(request, &self.headers, &content, wall).is_some())
    }
}

/// The newer of both, whatever may be done with it (RFC 9111 section 4).
pub(super) fn or_part<'s>(
    whole: Option<&'s Arc<Stored>>,
    part: Option<&'s Arc<Stored>>,
) -> Option<&'s Arc<Stored>> {
    match (whole, part) {
        (Some(whole), Some(part)) => Some(if part.generated > whole.generated { part } else { whole }),
        (whole, part) => whole.or(part),
    }
}

/// To what a 206 of this part says.
pub(super) fn cut<B>(response: &mut Response<B>, part: &Part) {
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    for name in part.omitted() {
        response.headers_mut().remove(name);
    }
    for (name, value) in part.fields() {
        response.headers_mut().insert(name, value);
    }
}
