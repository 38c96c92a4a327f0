//! What becomes of the origin's answer, and of its silence.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AGE, ETAG, HeaderValue, LAST_MODIFIED, VARY};
use http::{HeaderMap, Method, Response, StatusCode};
use tokio::time::Instant;

use super::answer::empty;
use super::keeping::{FIELDS, born};
use super::plan::chosen;
use super::{Asking, Engine, Outcome};
use crate::fields::{self, Policy as Said, Vary};
use crate::fill::Fill;
use crate::parts::is_no_answer;
use crate::status::CacheStatus;
use crate::stored::Stored;
use crate::storing::{Lifetime, Policy};
use crate::update::{freshened, head_agrees, selected};
use crate::{Event, NotStored};

impl Engine {
    /// The head of the origin's answer has come, of which the body has so many bytes at `least`. `was_ours` tells whether it was asked for by
    /// fields of our own.
    pub(crate) fn answered(
        self: &Arc<Self>,
        asking: &Asking,
        status: StatusCode,
        headers: &HeaderMap,
        least: u64,
        was_ours: bool,
        now: Instant,
    ) -> Outcome {
        let wall = self.wall_clock.now();
        if was_ours && asking.rest.is_some() && is_no_answer(status) {
            let completed = self.completed(asking, status, headers, now, wall);
            return completed.map_or(Outcome::Again, |completed| Outcome::Complete(Box::new(completed)));
        }
        if was_ours && status == StatusCode::NOT_MODIFIED {
            return self.validated(asking, headers, now, wall);
        }
        if matches!(status.as_u16(), 500 | 502 | 503 | 504)
            && let Some((response, trailers)) = self.stale(asking, None, Some(status), now, wall)
        {
            self.not_refreshed(asking);
            return Outcome::Answer { response, trailers, renewed: false };
        }
        if asking.method == Method::HEAD && status == StatusCode::OK {
            self.head(asking, headers, now, wall);
        }
        // To the client's own conditions: without a validator it may mean the client's copy alone.
        if status == StatusCode::NOT_MODIFIED
            && (headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED))
        {
            self.confirmed(asking, headers, now, wall);
        }
        let fill = match self.fill(asking, status, headers, now, wall) {
            Ok(_) if least > self.rules.most as u64 => Err(NotStored::TooLong),
            fill => fill,
        };
        let fill = match fill {
            Ok(head) => Some(Box::new(Fill::new(self, asking.key.clone(), head))),
            Err(why) => {
                self.event(&Event::NotStored { target: asking.key.target(), why });
                None
            }
        };
        let told = CacheStatus::Forwarded {
            why: asking.why,
            answered: status,
            stored: fill.is_some(),
            collapsed: false,
        };
        Outcome::Pass(fill, told)
    }

    /// The origin was not reached.
    pub(crate) fn failed(
        &self,
        asking: &Asking,
        now: Instant,
    ) -> Option<(Response<Bytes>, Option<HeaderMap>)> {
        self.not_refreshed(asking);
        let bound = self.rules.stale_if_unreachable;
        let stale = self.stale(asking, bound, None, now, self.wall_clock.now());
        let responds = self.rules.responds;
        stale.or_else(|| responds.then(|| (empty(StatusCode::GATEWAY_TIMEOUT), None)))
    }

    pub(super) fn not_refreshed(&self, asking: &Asking) {
        if asking.in_background {
            self.event(&Event::NotRefreshed { target: asking.key.target() });
        }
    }

    /// In the place of an error, or of no answer.
    pub(super) fn stale(
        &self,
        asking: &Asking,
        bound: Option<Duration>,
        error: Option<StatusCode>,
        now: Instant,
        wall: SystemTime,
    ) -> Option<(Response<Bytes>, Option<HeaderMap>)> {
        let window = asking.asked.stale_if_error.map(|seconds| Duration::from_secs(seconds.into()));
        let answers =
            |stored: &Stored| stored.part().is_none() && stored.candidate(now).on_error(window, bound);
        let stored = chosen(asking.candidates.iter(), answers)?;
        if asking.asked.no_cache || !answers(stored) {
            return None;
        }
        let (mut response, trailers) = self.answer(&asking.method, &asking.request, stored, now, wall)?;
        // What the origin was asked for, and has answered, is no hit (RFC 9211 section 2.1).
        let told = error.map_or_else(
            || stored.hit(now),
            |answered| CacheStatus::Forwarded { why: asking.why, answered, stored: false, collapsed: false },
        );
        self.tell_asker(asking, told, &mut response);
        Some((response, trailers))
    }

    /// RFC 9111 section 4.3.3 and 4.3.4.
    pub(super) fn validated(
        &self,
        asking: &Asking,
        headers: &HeaderMap,
        now: Instant,
        wall: SystemTime,
    ) -> Outcome {
        let answer = self.confirmed(asking, headers, now, wall);
        let answered = answer.as_deref().and_then(|stored| {
            self.answer(&asking.method, &asking.request, stored, now, wall).map(|answer| (stored, answer))
        });
        match answered {
            Some((stored, (mut response, trailers))) => {
                let renewed = self.is_for_others(stored, now);
                let (why, answered) = (asking.why, StatusCode::NOT_MODIFIED);
                let told = CacheStatus::Forwarded { why, answered, stored: true, collapsed: false };
                self.tell_asker(asking, told, &mut response);
                Outcome::Answer { response, trailers, renewed }
            }
            None => Outcome::Again,
        }
    }

    /// Freshens what a 304 means, and tells which of it is the newest.
    pub(super) fn confirmed(
        &self,
        asking: &Asking,
        headers: &HeaderMap,
        now: Instant,
        wall: SystemTime,
    ) -> Option<Arc<Stored>> {
        let known: Vec<_> = asking.candidates.iter().map(|stored| &stored.headers).collect();
        let mut newest = None;
        let selected: Vec<_> = selected(headers, &known, wall).collect();
        // The newest is put last, before the others.
        for index in selected.into_iter().rev() {
            let stored = &asking.candidates[index];
            let Some(fresh) = self.freshen(asking, stored, headers, now, wall) else { continue };
            let fresh = Arc::new(fresh);
            self.put(&asking.key, fresh.clone(), Some(stored));
            newest = Some(fresh);
        }
        newest
    }

    /// RFC 9111 section 4.3.5.
    pub(super) fn head(&self, asking: &Asking, headers: &HeaderMap, now: Instant, wall: SystemTime) {
        // The newest is put last, before the others.
        for stored in asking.candidates.iter().rev() {
            // A success is about another answer than a stored failure.
            let agrees =
                stored.status == StatusCode::OK && head_agrees(&stored.headers, stored.body.len(), headers);
            if agrees && asking.asked.no_store {
                continue;
            }
            let fresh = if agrees { self.freshen(asking, stored, headers, now, wall) } else { None };
            // What it is not about, or what may no longer be stored as it says, is stale.
            let fresh = fresh.unwrap_or_else(|| {
                let lifetime = Lifetime::Expired(stored.candidate(now).expired_before());
                let policy = Policy { lifetime, ..stored.policy.clone() };
                Stored { policy, ..stored.as_ref().clone() }
            });
            self.kept.put(&asking.key, Arc::new(fresh), Some(stored));
        }
    }

    pub(super) fn freshen(
        &self,
        asking: &Asking,
        stored: &Stored,
        answer: &HeaderMap,
        now: Instant,
        wall: SystemTime,
    ) -> Option<Stored> {
        // What it says now, in the answer or before.
        let merged = freshened(&stored.headers, answer, &[]).ok()?;
        let said = Said::read(&merged, &self.rules.targets, wall);
        let mut headers = freshened(&stored.headers, answer, &self.unstored(&said)).ok()?;
        if headers.len() > FIELDS {
            return None;
        }
        headers.insert(AGE, HeaderValue::from(0));
        // Without a date it is of now, and not of the time when it was stored (RFC 9110 section 6.6.1).
        let generated = fields::date(answer, wall).unwrap_or(wall);
        let said = Said::read(&headers, &self.rules.targets, wall);
        let policy = self.policy(asking, stored.status, &headers, &said, Some(generated), wall).ok()?;
        // It may have changed as well.
        let vary = if answer.contains_key(VARY) {
            Vary::read(answer).key(&asking.request)?
        } else {
            stored.vary.clone()
        };
        let fresh = Stored {
            policy,
            born: born(answer, asking, now, wall),
            vary,
            generated,
            groups: self.groups(&asking.key, &headers),
            asked: asking.order,
            headers,
            ..stored.clone()
        };
        Some(fresh.complete(stored.body.clone(), stored.trailers.clone()))
    }
}
