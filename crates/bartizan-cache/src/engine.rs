//! What becomes of a request, and of an answer: decisions alone, over what is stored.

mod partial;

use std::mem;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bartizan_core::{CacheMode, CacheOverride, CallContext, Rejection, RequestHead, WallClock};
use bytes::Bytes;
use http::header::{
    AGE, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE, VARY,
};
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use tokio::time::Instant;

pub(crate) use self::partial::Completed;
use self::partial::{cut, or_part};
use crate::conditions::{self, Validators, Verdict};
use crate::fields::{self, Names, Policy as Said, RequestDirectives, Variant, Vary};
use crate::fill::Fill;
use crate::flight::Flights;
use crate::key::{Key, Keys, StoredKey};
use crate::named::same_origin;
use crate::parts::{Rest, is_no_answer};
use crate::range::{Portion, portion, within};
use crate::reuse::{Born, Reuse};
use crate::singleton;
use crate::status::{CacheStatus, Forward, Telling};
use crate::store::Kept;
use crate::stored::Stored;
use crate::storing::{Answer, Lifetime, Policy, Storing};
use crate::structured;
use crate::update::{freshened, head_agrees, remove_unstored, selected};
use crate::{Event, Hook, NotStored, Target, trace};

/// So many lines of a head are stored at most, which leaves room in the map for what a hit adds.
const FIELDS: usize = 1024;

/// How a cache is set.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) is_shared: bool,
    /// By age alone: so long, whatever a response says but `no-store`, and `private` in shared use.
    pub(crate) ttl: Option<Duration>,
    /// For how long a stale response may answer if the origin cannot be reached.
    pub(crate) stale_if_unreachable: Option<Duration>,
    /// For how long a response is fresh that says nothing of it, and of which nothing may be guessed.
    pub(crate) default_ttl: Option<Duration>,
    /// Whether an origin that is not reached is told of with a 504, and not with its error.
    pub(crate) responds: bool,
    /// Bytes of a body that is stored.
    pub(crate) most: usize,
    pub(crate) targets: Vec<HeaderName>,
    pub(crate) telling: Telling,
}

pub(crate) struct Engine {
    pub(crate) rules: Rules,
    pub(crate) keys: Keys,
    pub(crate) kept: Kept,
    pub(crate) flights: Arc<Flights>,
    pub(crate) hook: Option<Arc<dyn Hook>>,
    pub(crate) wall_clock: WallClock,
}

/// What becomes of a request.
#[allow(clippy::large_enum_variant, reason = "a hit should not cost a box")]
pub(crate) enum Plan {
    /// It is answered from what is stored.
    Answer(Response<Bytes>, Option<HeaderMap>),
    /// So too, and the origin is asked meanwhile.
    Stale(Response<Bytes>, Option<HeaderMap>, Box<Asking>),
    /// It goes to the origin.
    Ask(Box<Asking>),
}

/// A request that goes to the origin, and what is known of it.
pub(crate) struct Asking {
    pub(crate) key: StoredKey,
    method: Method,
    /// Of a POST, which may answer with what its target became.
    posted_to: Option<Uri>,
    /// As the client sent them.
    request: HeaderMap,
    asked: RequestDirectives,
    said: CacheOverride,
    sent: Instant,
    /// When it went, in the order of [`Changes`](crate::changes::Changes).
    order: u64,
    /// What could answer it, the newest first.
    candidates: Vec<Arc<Stored>>,
    /// By which the request asks whether they still hold.
    validators: Option<Validators>,
    /// The beginning of what it asks for, of which only the rest is fetched.
    rest: Option<(Arc<Stored>, Rest)>,
    /// What else there is of the target.
    parts: Vec<Arc<Stored>>,
    /// The conditions of the client are its own business.
    is_passed: bool,
    why: Forward,
    /// For which requests the answer will be, as far as what is stored lets one guess.
    pub(crate) like: Option<Variant>,
    /// Whoever asked has been answered already.
    pub(crate) in_background: bool,
}

/// What one who waited for another's fetch gets of it.
pub(crate) enum Followed {
    Answer(Response<()>),
    /// It answers other requests.
    Another,
    Nothing,
}

/// What becomes of an answer of the origin.
#[allow(clippy::large_enum_variant, reason = "a hit should not cost a box")]
pub(crate) enum Outcome {
    /// It is passed on, and stored on the way if there is a fill.
    Pass(Option<Box<Fill>>, CacheStatus),
    /// What is stored answers; `renewed`: the origin said that it may, for others too.
    Answer { response: Response<Bytes>, trailers: Option<HeaderMap>, renewed: bool },
    /// It is the rest of what is stored, and both together are passed on and stored.
    Complete(Box<Completed>),
    /// It said nothing of what is stored: the request goes once more, without conditions.
    Again,
}

impl Engine {
    pub(crate) fn plan_for<B: Body>(&self, request: &Request<B>, now: Instant) -> Plan {
        self.plan(&RequestHead::from(request), !request.body().is_end_stream(), now)
    }

    fn plan(&self, request: &RequestHead<'_>, has_content: bool, now: Instant) -> Plan {
        let key = self.keys.key(request);
        let mut asked = RequestDirectives::read(request.headers);
        if self.rules.ttl.is_some() {
            asked = asked.by_age();
        }
        let said = request.context().map(CallContext::cache).unwrap_or_default();
        if said.mode == CacheMode::ForceCache {
            asked.force_cache();
        }
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
        let chosen = or_part(chosen(matching.clone(), answers), part, answers);
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
            let mut response = status(StatusCode::GATEWAY_TIMEOUT);
            response.extensions_mut().insert(Rejection::new(None));
            return Plan::Answer(response, None);
        }
        let like = match chosen {
            Some(stored) => Some(stored.vary.clone()),
            None => entry.as_ref().and_then(|entry| Some(entry.variants.first()?.vary.of(request.headers))),
        };
        let mut candidates: Vec<_> = matching.cloned().collect();
        if candidates.is_empty() {
            candidates.extend(part.cloned());
        }
        // Of what confirms it nothing could be stored (RFC 9111 section 5.2.1.5).
        let validators = if is_passed || asked.no_store || *request.method != Method::GET {
            None
        } else {
            let headers: Vec<_> = candidates.iter().map(|stored| &stored.headers).collect();
            let is_part = candidates.first().is_some_and(|stored| stored.part().is_some());
            let validators = Validators::of(&headers, wall);
            if is_part { validators.map(Validators::of_a_part) } else { validators }
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
            is_passed,
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
            posted_to: (*request.method == Method::POST).then(|| request.uri.clone()),
            request: request.headers.clone(),
            asked,
            said,
            sent: now,
            order: self.kept.changes.now(),
            candidates: Vec::new(),
            validators: None,
            rest: None,
            parts: Vec::new(),
            is_passed: false,
            why: Forward::UriMiss,
            like: None,
            in_background: false,
        }
    }

    /// What another's fetch brings to one who waited for it: its head, of which the body is on its way.
    pub(crate) fn followed(&self, asking: &Asking, head: &Stored, now: Instant) -> Followed {
        if !head.vary.matches(&asking.request) {
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
        self.tell(asking.key.target(), told, &mut response);
        Followed::Answer(response.map(|_| ()))
    }

    /// Whether a response that has just come may answer those who wait for it.
    pub(crate) fn is_for_others(&self, head: &Stored, now: Instant) -> bool {
        self.reuse(head, &RequestDirectives::default(), now) == Reuse::Fresh
    }

    fn reuse(&self, stored: &Stored, asked: &RequestDirectives, now: Instant) -> Reuse {
        let candidate = stored.candidate(now);
        if stored.part().is_some() && !candidate.is_fresh() {
            return Reuse::Validate;
        }
        candidate.reuse(asked, self.rules.is_shared)
    }

    /// `None` if only the origin can answer.
    pub(crate) fn answer(
        &self,
        method: &Method,
        request: &HeaderMap,
        stored: &Stored,
        now: Instant,
        wall: SystemTime,
    ) -> Option<(Response<Bytes>, Option<HeaderMap>)> {
        let known =
            conditions::Stored { status: stored.status, headers: &stored.headers, received: stored.received };
        let age = seconds(stored.born.age(now));
        match conditions::evaluate(method, request, known, wall) {
            Verdict::Forward => return None,
            Verdict::Unmodified => {
                let mut response = status(StatusCode::NOT_MODIFIED);
                *response.headers_mut() = conditions::not_modified(&stored.headers, &self.rules.targets);
                response.headers_mut().insert(AGE, age);
                return Some((response, None));
            }
            Verdict::Continue => {}
        }
        let mut response = Response::new(stored.body.clone());
        *response.status_mut() = stored.status;
        *response.headers_mut() = stored.headers.clone();
        // Its place is there, and inserting would make room for one more first.
        if let Some(place) = response.headers_mut().get_mut(AGE) {
            *place = age;
        }
        if *method == Method::HEAD {
            *response.body_mut() = Bytes::new();
            return Some((response, None));
        }
        if let Some(content) = stored.part() {
            let part = within(request, &stored.headers, &content, wall)?;
            let bytes = part.bytes();
            cut(&mut response, &part);
            let first = content.bytes.start;
            *response.body_mut() = stored.body.slice(bytes.start - first..bytes.end - first);
            return Some((response, None));
        }
        if stored.status == StatusCode::OK && request.contains_key(RANGE) {
            match portion(method, request, &stored.headers, stored.body.len(), wall) {
                Portion::Whole => {}
                Portion::Part(part) => {
                    cut(&mut response, &part);
                    *response.body_mut() = stored.body.slice(part.bytes());
                    return Some((response, None));
                }
                Portion::Unsatisfiable(content_range) => {
                    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                    response.headers_mut().insert(CONTENT_RANGE, content_range);
                    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
                    // There is nothing to be decoded, or to be read as anything.
                    for name in [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE] {
                        response.headers_mut().remove(name);
                    }
                    *response.body_mut() = Bytes::new();
                    return Some((response, None));
                }
            }
        }
        Some((response, stored.trailers.clone()))
    }

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
        stale.or_else(|| responds.then(|| (status(StatusCode::GATEWAY_TIMEOUT), None)))
    }

    fn not_refreshed(&self, asking: &Asking) {
        if asking.in_background {
            self.event(&Event::NotRefreshed { target: asking.key.target() });
        }
    }

    /// In the place of an error, or of no answer.
    fn stale(
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
        if asking.is_passed || asking.asked.no_cache || !answers(stored) {
            return None;
        }
        let (mut response, trailers) = self.answer(&asking.method, &asking.request, stored, now, wall)?;
        // What the origin was asked for, and has answered, is no hit (RFC 9211 section 2.1).
        let told = error.map_or_else(
            || stored.hit(now),
            |answered| CacheStatus::Forwarded { why: asking.why, answered, stored: false, collapsed: false },
        );
        self.tell(asking.key.target(), told, &mut response);
        Some((response, trailers))
    }

    pub(crate) fn tell<B>(&self, target: Target<'_>, status: CacheStatus, response: &mut Response<B>) {
        self.event(&Event::Answered { target, status });
        let mut extensions = mem::take(response.extensions_mut());
        self.rules.telling.tell(status, response.headers_mut(), &mut extensions);
        *response.extensions_mut() = extensions;
    }

    pub(crate) fn event(&self, event: &Event<'_>) {
        trace::event(event);
        if let Some(hook) = &self.hook {
            hook.event(event);
        }
    }

    /// Puts what is complete into the store.
    pub(crate) fn keep(
        &self,
        key: &StoredKey,
        head: Stored,
        body: Bytes,
        trailers: Option<HeaderMap>,
    ) -> Result<(), NotStored> {
        let (target, bytes) = (key.target(), body.len());
        let claimed = head.headers.get(CONTENT_LENGTH);
        let claimed = claimed.map(|length| length.to_str().ok()?.parse::<usize>().ok());
        let kept = match () {
            () if bytes > self.rules.most => Err(NotStored::TooLong),
            // What is shorter or longer than it says is not the response (RFC 9112 section 8).
            () if claimed.is_some_and(|claimed| claimed != Some(bytes)) => Err(NotStored::Incomplete),
            () if self.put(key, Arc::new(head.complete(body, trailers)), None) => Ok(()),
            () => Err(NotStored::Changed),
        };
        self.event(&match kept {
            Ok(()) => Event::Stored { target, bytes },
            Err(why) => Event::NotStored { target, why },
        });
        kept
    }

    /// RFC 9111 section 4.3.3 and 4.3.4.
    fn validated(&self, asking: &Asking, headers: &HeaderMap, now: Instant, wall: SystemTime) -> Outcome {
        let answer = self.confirmed(asking, headers, now, wall);
        let answered = answer.as_deref().and_then(|stored| {
            self.answer(&asking.method, &asking.request, stored, now, wall).map(|answer| (stored, answer))
        });
        match answered {
            Some((stored, (mut response, trailers))) => {
                let renewed = self.is_for_others(stored, now);
                let (why, answered) = (asking.why, StatusCode::NOT_MODIFIED);
                let told = CacheStatus::Forwarded { why, answered, stored: true, collapsed: false };
                self.tell(asking.key.target(), told, &mut response);
                Outcome::Answer { response, trailers, renewed }
            }
            None => Outcome::Again,
        }
    }

    /// Freshens what a 304 means, and tells which of it is the newest.
    fn confirmed(
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
    fn head(&self, asking: &Asking, headers: &HeaderMap, now: Instant, wall: SystemTime) {
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

    fn freshen(
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
        let policy = self.policy(asking, stored.status, &headers, Some(generated), wall).ok()?;
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

    /// The fields that a qualified `no-cache` lists, and in a shared cache those of `private` (RFC 9111 section 3.1).
    fn unstored(&self, said: &Said) -> Vec<HeaderName> {
        let private = said.directives.private.as_ref().filter(|_| self.rules.is_shared);
        let lists = [said.directives.no_cache.as_ref(), private];
        let listed = lists.into_iter().flatten().filter_map(|names| match names {
            Names::Listed(names) => Some(names),
            Names::All => None,
        });
        listed.flatten().cloned().collect()
    }

    fn groups(&self, key: &StoredKey, headers: &HeaderMap) -> Box<[u128]> {
        structured::groups(headers).iter().map(|group| self.keys.group(key, group)).collect()
    }

    /// What is stored of it once its body is complete.
    pub(crate) fn fill(
        &self,
        asking: &Asking,
        status: StatusCode,
        headers: &HeaderMap,
        now: Instant,
        wall: SystemTime,
    ) -> Result<Stored, NotStored> {
        if asking.why == Forward::Bypass {
            return Err(NotStored::Bypass);
        }
        if status == StatusCode::PARTIAL_CONTENT {
            let (status, headers) = self.part(asking, headers).ok_or(NotStored::Status)?;
            return self.fill_with(asking, status, &headers, now, wall);
        }
        self.fill_with(asking, status, headers, now, wall)
    }

    fn fill_with(
        &self,
        asking: &Asking,
        status: StatusCode,
        headers: &HeaderMap,
        now: Instant,
        wall: SystemTime,
    ) -> Result<Stored, NotStored> {
        let is_understood =
            asking.method == Method::GET || self.rules.ttl.is_none() && asking.is_of_target(headers);
        if !is_understood {
            return Err(NotStored::Method);
        }
        if headers.len() > FIELDS {
            return Err(NotStored::TooManyFields);
        }
        let vary = Vary::read(headers).key(&asking.request).ok_or(NotStored::Vary)?;
        let date = fields::date(headers, wall);
        let policy = self.policy(asking, status, headers, date, wall)?;
        let said = Said::read(headers, &self.rules.targets, wall);
        let born = born(headers, asking, now, wall);
        let generated = date.unwrap_or(wall);
        let mut kept = headers.clone();
        remove_unstored(&mut kept, &self.unstored(&said));
        // It has its place, so that a hit has no need to make one.
        kept.insert(AGE, HeaderValue::from(0));
        let mut stored = Stored {
            status,
            headers: kept,
            body: Bytes::new(),
            trailers: None,
            policy,
            born,
            vary,
            generated,
            groups: self.groups(&asking.key, headers),
            asked: asking.order,
            received: wall,
        };
        if asking.posted_to.is_some() {
            // Else another one has changed it meanwhile, and nobody knows which came first.
            if !self.kept.is_valid(asking.key.target_digest, &stored) {
                return Err(NotStored::Changed);
            }
            // What it brings is what became of the target, after it makes all else of it invalid.
            stored.asked = self.kept.changes.now();
        }
        Ok(stored)
    }

    fn policy(
        &self,
        asking: &Asking,
        status: StatusCode,
        headers: &HeaderMap,
        date: Option<SystemTime>,
        wall: SystemTime,
    ) -> Result<Policy, NotStored> {
        let said = Said::read(headers, &self.rules.targets, wall);
        let answer = Answer {
            is_to_post: asking.method == Method::POST,
            request: &asking.request,
            asked: &asking.asked,
            status,
            says: &said.directives,
            expires: &said.expires,
            date,
            last_modified: fields::last_modified(headers, wall),
        };
        if let Some(ttl) = self.rules.ttl {
            let is_somebodys =
                self.rules.is_shared && (said.directives.private.is_some() || answer.is_for_who_asked());
            return match () {
                () if status != StatusCode::OK => Err(NotStored::Status),
                () if said.directives.no_store || asking.asked.no_store => Err(NotStored::NoStore),
                () if is_somebodys => Err(NotStored::Private),
                () => Ok(Policy::by_age(asking.said.ttl.unwrap_or(ttl))),
            };
        }
        let Rules { is_shared, default_ttl, .. } = self.rules;
        answer.policy(&Storing { is_shared, default_ttl, ttl: asking.said.ttl }, wall)
    }

    /// RFC 9111 section 4.4: a success of a method that is not known to be safe.
    pub(crate) fn invalidates(method: &Method, status: StatusCode) -> bool {
        !method.is_safe() && (status.is_success() || status.is_redirection())
    }

    /// Of which a change was confirmed that was made at `at`.
    pub(crate) fn invalidate(&self, key: &Key<'_>, at: u64) {
        self.kept.changes.note(key.target_digest, at);
        self.event(&Event::Invalidated { target: key.target() });
    }

    /// RFC 9875 section 3.
    pub(crate) fn invalidate_groups(&self, key: &Key<'_>, headers: &HeaderMap, at: u64) {
        let key = key.store();
        for group in structured::invalidated_groups(headers).iter() {
            self.kept.changes.note(self.keys.group(&key, group), at);
        }
    }
}

/// Of those that match, the newest first, the newest that has a `Vary` if it `answers`, since an origin may forget it on what it sends by default;
/// else the newest of all (RFC 9111 section 4.1).
fn chosen<'s>(
    mut matching: impl Iterator<Item = &'s Arc<Stored>> + Clone,
    answers: impl Fn(&Stored) -> bool,
) -> Option<&'s Arc<Stored>> {
    let varies = matching.clone().find(|stored| stored.vary.nominates());
    varies.filter(|stored| answers(stored)).or_else(|| matching.next())
}

fn born(headers: &HeaderMap, asking: &Asking, now: Instant, wall: SystemTime) -> Born {
    let age = fields::age(headers).map(|seconds| Duration::from_secs(seconds.into()));
    Born::new(age, fields::date(headers, wall), wall, asking.sent, now)
}

/// In one allocation, where there are several in `HeaderValue::from`.
fn seconds(age: Duration) -> HeaderValue {
    let mut digits = [0; 20];
    let mut first = digits.len();
    let mut left = age.as_secs();
    loop {
        first -= 1;
        digits[first] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            return HeaderValue::from_bytes(&digits[first..]).expect("digits");
        }
    }
}

/// A client that sends them wants to hear of a mismatch, and only the origin can tell (RFC 9111 section 4.3.2).
fn is_for_the_origin(request: &HeaderMap) -> bool {
    request.contains_key(IF_MATCH) || request.contains_key(IF_UNMODIFIED_SINCE)
}

fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

impl Asking {
    /// Whether one answer may do for all who ask so now.
    pub(crate) fn may_be_shared(&self, is_shared: bool) -> bool {
        const ALONE: [HeaderName; 6] =
            [RANGE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE];
        self.method == Method::GET
            && matches!(self.why, Forward::UriMiss | Forward::VaryMiss | Forward::Stale | Forward::Partial)
            && self.said == CacheOverride::default()
            && !self.asked.no_store
            && !ALONE.iter().any(|name| self.request.contains_key(name))
            && !(is_shared && self.request.contains_key(AUTHORIZATION))
    }

    pub(crate) fn request(&self) -> &HeaderMap {
        &self.request
    }

    /// The answer is not held against this field of the client.
    pub(crate) fn leave_behind(&mut self, name: &HeaderName) {
        self.request.remove(name);
    }

    /// Whether the answer to a POST says that it is what a GET of the same target would get (RFC 9110 section 9.3.3).
    fn is_of_target(&self, headers: &HeaderMap) -> bool {
        let named = singleton::value(headers, CONTENT_LOCATION);
        let Some((target, named)) = self.posted_to.as_ref().zip(named) else { return false };
        same_origin(target, named).is_some_and(|named| named.path_and_query() == target.path_and_query())
    }

    /// Whether the request is to go with fields of our own.
    pub(crate) fn has_ours(&self) -> bool {
        self.validators.is_some() || self.rest.is_some()
    }

    /// Asks by them, in the place of what the client asked by.
    pub(crate) fn put_ours(&mut self, request: &mut HeaderMap) {
        if let Some(validators) = self.validators.take() {
            validators.replace_conditions(request);
        }
        if let Some((_, rest)) = &self.rest {
            rest.ask(request);
        }
    }

    /// Without what is stored: that was not what the origin spoke of.
    pub(crate) fn asked_again(&mut self, now: Instant, order: u64) {
        self.candidates.clear();
        self.rest = None;
        self.sent = now;
        self.order = order;
    }
}
