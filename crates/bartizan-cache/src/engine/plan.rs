//! What becomes of a request.

use std::sync::Arc;
use std::time::SystemTime;

use bartizan_core::{CacheMode, CacheOverride, CallContext, Rejection, RequestHead};
use http::header::{AUTHORIZATION, IF_MATCH, IF_UNMODIFIED_SINCE, RANGE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body::Body;
use tokio::time::Instant;

use super::answer::empty;
use super::partial::or_part;
use super::{Asking, Engine, Followed, Plan};
use crate::conditions::Validators;
use crate::fields::RequestDirectives;
use crate::key::Key;
use crate::reuse::Reuse;
use crate::status::{CacheStatus, Forward};
use crate::stored::Stored;

impl Engine {
    pub(crate) fn plan_for<B: Body>(&self, request: &Request<B>, now: Instant) -> Plan {
        self.plan(&RequestHead::from(request), !request.body().is_end_stream(), now)
    }

    pub(super) fn plan(&self, request: &RequestHead<'_>, has_content: bool, now: Instant) -> Plan {
        let key = self.keys.key(request);
        let said = request.context().map(CallContext::cache).unwrap_or_default();
        let asked = self.asked(request.headers, said.mode);
        let is_get_or_head = *request.method == Method::GET || *request.method == Method::HEAD;
        // What a GET's content means only its origin knows, and the key does not.
        let is_bypassed = said.mode == CacheMode::NoStore || is_get_or_head && has_content;
        let is_lookup = is_get_or_head && !is_bypassed;
        let is_looked_for = said.mode != CacheMode::Reload;
        let entry = if is_lookup && is_looked_for { self.kept.get(&key) } else { None };
        let variants = entry.as_ref().map_or(&[][..], |entry| &entry.variants);
        let matching = variants.iter().filter(|stored| stored.vary.matches(request.headers));
        let answers = |stored: &Stored| {
            matches!(self.reuse(stored, &asked, now), Reuse::Fresh | Reuse::Stale { refresh: false })
        };
        let wall = self.wall_clock.now();
        let is_ranged = is_lookup && is_looked_for && request.headers.contains_key(RANGE);
        let parts = if is_ranged { self.parts(&key, request) } else { Vec::new() };
        let part = chosen(parts.iter().filter(|part| part.is_asked_for(request.headers, wall)), answers);
        let chosen = or_part(chosen(matching.clone(), answers), part);
        let mut is_passed = !is_lookup || is_for_the_origin(request.headers);
        let mut why = match &entry {
            _ if is_bypassed => Forward::Bypass,
            _ if !is_lookup => Forward::Method,
            _ if !is_looked_for => Forward::Request,
            _ if !parts.is_empty() => Forward::Partial,
            None => Forward::UriMiss,
            Some(_) => Forward::VaryMiss,
        };
        let mut stale = None;
        if let Some(stored) = chosen {
            why = if stored.candidate(now).is_fresh() && !stored.policy.no_cache {
                Forward::Request
            } else {
                Forward::Stale
            };
            let reuse = self.reuse(stored, &asked, now);
            if reuse != Reuse::Validate {
                match self.answer(request.method, request.headers, stored, now, wall) {
                    Some((mut response, trailers)) => {
                        self.tell(key.target(), stored.hit(now), &mut response);
                        let is_refreshed = reuse == Reuse::Stale { refresh: true }
                            && *request.method == Method::GET
                            && !asked.only_if_cached
                            && !asked.no_store;
                        if !is_refreshed {
                            return Plan::Answer(response, trailers);
                        }
                        stale = Some((response, trailers));
                        // Its conditions stay behind.
                        is_passed = false;
                    }
                    None => is_passed = true,
                }
            }
        }
        if asked.only_if_cached && is_get_or_head {
            // Nothing was sent.
            let mut response = empty(StatusCode::GATEWAY_TIMEOUT);
            response.extensions_mut().insert(Rejection::new(None));
            return Plan::Answer(response, None);
        }
        let like = match chosen {
            Some(stored) => Some(stored.vary.clone()),
            None => entry.as_ref().and_then(|entry| Some(entry.variants.first()?.vary.of(request.headers))),
        };
        let chosen_part = chosen.filter(|stored| stored.part().is_some());
        let candidates: Vec<_> = match chosen_part {
            Some(part) => vec![part.clone()],
            None => matching.cloned().collect(),
        };
        let validators = if is_passed || asked.no_store || *request.method != Method::GET {
            // Of what confirms it nothing could be stored (RFC 9111 section 5.2.1.5).
            None
        } else {
            validators(&candidates, wall)
        };
        let rest = if is_passed || !is_looked_for || validators.is_some() || stale.is_some() {
            None
        } else {
            self.rest(&key, request, &asked, wall)
        };
        if rest.is_some() {
            why = Forward::Partial;
        }
        let asking = Asking {
            candidates,
            validators,
            rest,
            parts,
            why,
            like,
            ..self.asking(request, &key, asked, said, now)
        };
        let asking = Box::new(asking);
        match stale {
            Some((response, trailers)) => Plan::Stale(response, trailers, asking),
            None => Plan::Ask(asking),
        }
    }

    /// What the request asks of the cache, as far as that is heeded.
    fn asked(&self, headers: &HeaderMap, mode: CacheMode) -> RequestDirectives {
        let mut asked = RequestDirectives::read(headers);
        if self.rules.ttl.is_some() {
            asked = asked.by_age();
        }
        if mode == CacheMode::ForceCache {
            asked.force_cache();
        }
        asked
    }

    pub(crate) fn asking(
        &self,
        request: &RequestHead<'_>,
        key: &Key<'_>,
        asked: RequestDirectives,
        said: CacheOverride,
        now: Instant,
    ) -> Asking {
        Asking {
            key: key.store(),
            method: request.method.clone(),
            changes: (!request.method.is_safe()).then(|| request.uri.clone()),
            request: request.headers.clone(),
            is_authenticated: request.headers.contains_key(AUTHORIZATION)
                || request.context().is_some_and(CallContext::is_authenticated),
            asked,
            said,
            sent: now,
            order: self.kept.changes.now(),
            candidates: Vec::new(),
            validators: None,
            rest: None,
            parts: Vec::new(),
            why: Forward::UriMiss,
            like: None,
            in_background: false,
        }
    }

    /// What another's fetch brings to one who waited for it: its head, of which the body is on its way.
    pub(crate) fn followed(&self, asking: &Asking, head: &Stored, now: Instant) -> Followed {
        if !head.vary.matches(&asking.request) || !self.kept.is_valid(asking.key.target_digest, head) {
            return Followed::Another;
        }
        if self.reuse(head, &asking.asked, now) != Reuse::Fresh {
            return Followed::Nothing;
        }
        let wall = self.wall_clock.now();
        let Some((mut response, _)) = self.answer(&asking.method, &asking.request, head, now, wall) else {
            return Followed::Nothing;
        };
        let (why, answered) = (asking.why, head.status);
        let told = CacheStatus::Forwarded { why, answered, stored: true, collapsed: true };
        self.tell_asker(asking, told, &mut response);
        Followed::Answer(response.map(|_| ()))
    }

    /// Whether a response that has just come may answer those who wait for it.
    pub(crate) fn is_for_others(&self, head: &Stored, now: Instant) -> bool {
        self.reuse(head, &RequestDirectives::default(), now) == Reuse::Fresh
    }

    pub(super) fn reuse(&self, stored: &Stored, asked: &RequestDirectives, now: Instant) -> Reuse {
        let candidate = stored.candidate(now);
        if stored.part().is_some() && !candidate.is_fresh() {
            return Reuse::Validate;
        }
        candidate.reuse(asked, self.rules.is_shared)
    }
}

/// Of those that match, the newest first, the newest that has a `Vary` if it `answers`, since an origin may forget it on what it sends by default;
/// else the newest of all (RFC 9111 section 4.1).
pub(super) fn chosen<'s>(
    mut matching: impl Iterator<Item = &'s Arc<Stored>> + Clone,
    answers: impl Fn(&Stored) -> bool,
) -> Option<&'s Arc<Stored>> {
    let varies = matching.clone().find(|stored| stored.vary.nominates());
    varies.filter(|stored| answers(stored)).or_else(|| matching.next())
}

/// By which these are asked about.
fn validators(candidates: &[Arc<Stored>], wall: SystemTime) -> Option<Validators> {
    let headers: Vec<_> = candidates.iter().map(|stored| &stored.headers).collect();
    let validators = Validators::of(&headers, wall);
    let is_part = candidates.first().is_some_and(|stored| stored.part().is_some());
    if is_part { validators.map(Validators::of_a_part) } else { validators }
}

/// A client that sends them wants to hear of a mismatch, and only the origin can tell (RFC 9111 section 4.3.2).
pub(super) fn is_for_the_origin(request: &HeaderMap) -> bool {
    request.contains_key(IF_MATCH) || request.contains_key(IF_UNMODIFIED_SINCE)
}
