//! What becomes of a request, and of an answer: decisions alone, over what is stored.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bartizan_core::{RequestHead, WallClock};
use bytes::Bytes;
use http::header::{
    AGE, AUTHORIZATION, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE, VARY,
};
use http::{HeaderMap, HeaderName, Method, Response, StatusCode, Uri};
use tokio::time::Instant;

use crate::conditions::{self, Validators, Verdict};
use crate::fields::{self, Names, Policy as Said, RequestDirectives, Variant, Vary};
use crate::fill::Fill;
use crate::flight::Flights;
use crate::key::{Key, Keys, StoredKey};
use crate::named::same_origin;
use crate::range::{Portion, portion};
use crate::reuse::{Born, Reuse};
use crate::singleton;
use crate::status::{CacheStatus, Forward, Telling};
use crate::store::{Store, Stored};
use crate::storing::{Answer, Lifetime, Policy};
use crate::structured;
use crate::update::{freshened, head_agrees, remove_unstored, selected};

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
    /// Bytes of a body that is stored.
    pub(crate) most: usize,
    pub(crate) targets: Vec<HeaderName>,
    pub(crate) telling: Telling,
}

pub(crate) struct Engine {
    pub(crate) rules: Rules,
    pub(crate) keys: Keys,
    pub(crate) store: Store,
    pub(crate) flights: Arc<Flights>,
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
    sent: Instant,
    /// What could answer it, the newest first.
    candidates: Vec<Arc<Stored>>,
    /// By which the request asks whether they still hold.
    pub(crate) validators: Option<Validators>,
    /// The conditions of the client are its own business.
    is_passed: bool,
    why: Forward,
    /// For which requests the answer will be, as far as what is stored lets one guess.
    pub(crate) like: Option<Variant>,
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
    /// It said nothing of what is stored: the request goes once more, without conditions.
    Again,
}

impl Engine {
    pub(crate) fn plan(&self, request: &RequestHead<'_>, now: Instant) -> Plan {
        let key = self.keys.key(request);
        let asked = RequestDirectives::read(request.headers);
        let is_lookup = *request.method == Method::GET || *request.method == Method::HEAD;
        let group = if is_lookup { self.store.get(&key) } else { None };
        let variants = group.as_ref().map_or(&[][..], |group| &group.variants);
        let matching = variants.iter().filter(|stored| stored.vary.matches(request.headers));
        let answers = |stored: &Stored| {
            matches!(self.reuse(stored, &asked, now), Reuse::Fresh | Reuse::Stale { refresh: false })
        };
        let chosen = chosen(matching.clone(), answers);
        let wall = self.wall_clock.now();
        let mut is_passed = !is_lookup || is_for_the_origin(request.headers);
        let mut why = match &group {
            _ if !is_lookup => Forward::Method,
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
                        self.tell(stored.hit(now), &mut response);
                        let is_refreshed = reuse == Reuse::Stale { refresh: true }
                            && *request.method == Method::GET
                            && !asked.only_if_cached;
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
        if asked.only_if_cached && is_lookup {
            return Plan::Answer(status(StatusCode::GATEWAY_TIMEOUT), None);
        }
        let like = match chosen {
            Some(stored) => Some(stored.vary.clone()),
            None => group.as_ref().and_then(|group| Some(group.variants.first()?.vary.of(request.headers))),
        };
        let candidates: Vec<_> = matching.cloned().collect();
        let validators = if is_passed || *request.method != Method::GET {
            None
        } else {
            let headers: Vec<_> = candidates.iter().map(|stored| &stored.headers).collect();
            Validators::of(&headers, wall)
        };
        let asking = Box::new(Asking {
            key: key.store(),
            method: request.method.clone(),
            posted_to: (*request.method == Method::POST).then(|| request.uri.clone()),
            request: request.headers.clone(),
            asked,
            sent: now,
            candidates,
            validators,
            is_passed,
            why,
            like,
        });
        match stale {
            Some((response, trailers)) => Plan::Stale(response, trailers, asking),
            None => Plan::Ask(asking),
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
        self.tell(CacheStatus::Forwarded { why, answered, stored: true, collapsed: true }, &mut response);
        Followed::Answer(response.map(|_| ()))
    }

    /// Whether a response that has just come may answer those who wait for it.
    pub(crate) fn is_for_others(&self, head: &Stored, now: Instant) -> bool {
        self.reuse(head, &RequestDirectives::default(), now) == Reuse::Fresh
    }

    fn reuse(&self, stored: &Stored, asked: &RequestDirectives, now: Instant) -> Reuse {
        let candidate = stored.candidate(now);
        if self.rules.ttl.is_some() {
            return if candidate.is_fresh() { Reuse::Fresh } else { Reuse::Validate };
        }
        candidate.reuse(asked, self.rules.is_shared)
    }

    /// `None` if only the origin can answer.
    fn answer(
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
                *response.headers_mut() = conditions::not_modified(&stored.headers, &[]);
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
        if stored.status == StatusCode::OK && request.contains_key(RANGE) {
            match portion(method, request, &stored.headers, stored.body.len(), wall) {
                Portion::Whole => {}
                Portion::Part(part) => {
                    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                    for name in part.omitted() {
                        response.headers_mut().remove(name);
                    }
                    for (name, value) in part.fields() {
                        response.headers_mut().insert(name, value);
                    }
                    *response.body_mut() = stored.body.slice(part.bytes());
                    return Some((response, None));
                }
                Portion::Unsatisfiable(content_range) => {
                    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                    response.headers_mut().insert(CONTENT_RANGE, content_range);
                    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
                    response.headers_mut().remove(CONTENT_TYPE);
                    *response.body_mut() = Bytes::new();
                    return Some((response, None));
                }
            }
        }
        Some((response, stored.trailers.clone()))
    }

    /// The head of the origin's answer has come, of which the body has so many bytes at `least`.
    pub(crate) fn answered(
        &self,
        asking: &Asking,
        status: StatusCode,
        headers: &HeaderMap,
        least: u64,
        was_validated: bool,
        now: Instant,
    ) -> Outcome {
        let wall = self.wall_clock.now();
        if was_validated && status == StatusCode::NOT_MODIFIED {
            return self.validated(asking, headers, now, wall);
        }
        if matches!(status.as_u16(), 500 | 502 | 503 | 504)
            && let Some((response, trailers)) = self.stale(asking, None, now, wall)
        {
            return Outcome::Answer { response, trailers, renewed: false };
        }
        if asking.method == Method::HEAD && status == StatusCode::OK {
            self.head(asking, headers, now, wall);
        }
        let fits = least <= self.rules.most as u64;
        let fill = if fits { self.fill(asking, status, headers, now, wall).map(Box::new) } else { None };
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
        self.stale(asking, self.rules.stale_if_unreachable, now, self.wall_clock.now())
    }

    fn stale(
        &self,
        asking: &Asking,
        bound: Option<Duration>,
        now: Instant,
        wall: SystemTime,
    ) -> Option<(Response<Bytes>, Option<HeaderMap>)> {
        let window = asking.asked.stale_if_error.map(|seconds| Duration::from_secs(seconds.into()));
        let answers = |stored: &Stored| stored.candidate(now).on_error(window, bound);
        let stored = chosen(asking.candidates.iter(), answers)?;
        if asking.is_passed || asking.asked.no_cache || !answers(stored) {
            return None;
        }
        let (mut response, trailers) = self.answer(&asking.method, &asking.request, stored, now, wall)?;
        self.tell(stored.hit(now), &mut response);
        Some((response, trailers))
    }

    pub(crate) fn tell<B>(&self, status: CacheStatus, response: &mut Response<B>) {
        let mut extensions = mem::take(response.extensions_mut());
        self.rules.telling.tell(status, response.headers_mut(), &mut extensions);
        *response.extensions_mut() = extensions;
    }

    /// RFC 9111 section 4.3.3 and 4.3.4.
    fn validated(&self, asking: &Asking, headers: &HeaderMap, now: Instant, wall: SystemTime) -> Outcome {
        let known: Vec<_> = asking.candidates.iter().map(|stored| &stored.headers).collect();
        let mut answer = None;
        let selected: Vec<_> = selected(headers, &known, wall).collect();
        // The newest is put last, before the others, and answers.
        for index in selected.into_iter().rev() {
            let stored = &asking.candidates[index];
            let Some(fresh) = self.freshen(asking, stored, headers, now, wall) else { continue };
            let fresh = Arc::new(fresh);
            self.store.put(&asking.key, fresh.clone(), Some(stored));
            answer = Some(fresh);
        }
        let answered = answer.as_deref().and_then(|stored| {
            self.answer(&asking.method, &asking.request, stored, now, wall).map(|answer| (stored, answer))
        });
        match answered {
            Some((stored, (mut response, trailers))) => {
                let renewed = self.is_for_others(stored, now);
                let (why, answered) = (asking.why, StatusCode::NOT_MODIFIED);
                let told = CacheStatus::Forwarded { why, answered, stored: true, collapsed: false };
                self.tell(told, &mut response);
                Outcome::Answer { response, trailers, renewed }
            }
            None => Outcome::Again,
        }
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
            let fresh = fresh.unwrap_or_else(|| {
                let lifetime = Lifetime::Expired(stored.candidate(now).expired_before());
                let policy = Policy { lifetime, ..stored.policy.clone() };
                Stored { policy, ..stored.as_ref().clone() }
            });
            self.store.put(&asking.key, Arc::new(fresh), Some(stored));
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
        let mut headers = freshened(&stored.headers, answer, &unstored(&said, self.rules.is_shared)).ok()?;
        if headers.len() > FIELDS {
            return None;
        }
        headers.insert(AGE, HeaderValue::from(0));
        // Without a date it is of now, and not of the time when it was stored (RFC 9110 section 6.6.1).
        let generated = fields::date(answer, wall).unwrap_or(wall);
        let policy = self.policy(asking, stored.status, &headers, Some(generated), wall)?;
        // It may have changed as well.
        let vary = if answer.contains_key(VARY) {
            Vary::read(answer).key(&asking.request)?
        } else {
            stored.vary.clone()
        };
        Some(Stored {
            policy,
            born: born(answer, asking, now, wall),
            vary,
            generated,
            groups: self.groups(&asking.key, &headers),
            asked: asking.sent,
            headers,
            ..stored.clone()
        })
    }

    fn groups(&self, key: &StoredKey, headers: &HeaderMap) -> Box<[u128]> {
        structured::groups(headers).iter().map(|group| self.keys.group(key, group)).collect()
    }

    fn fill(
        &self,
        asking: &Asking,
        status: StatusCode,
        headers: &HeaderMap,
        now: Instant,
        wall: SystemTime,
    ) -> Option<Fill> {
        let is_understood =
            asking.method == Method::GET || self.rules.ttl.is_none() && asking.is_of_target(headers);
        if !is_understood || headers.len() > FIELDS {
            return None;
        }
        let vary = Vary::read(headers).key(&asking.request)?;
        let date = fields::date(headers, wall);
        let policy = self.policy(asking, status, headers, date, wall)?;
        let said = Said::read(headers, &self.rules.targets, wall);
        let born = born(headers, asking, now, wall);
        let generated = date.unwrap_or(wall);
        let mut kept = headers.clone();
        remove_unstored(&mut kept, &unstored(&said, self.rules.is_shared));
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
            asked: asking.sent,
            received: wall,
        };
        if asking.posted_to.is_some() {
            // Else another one has changed it meanwhile, and nobody knows which came first.
            if !self.store.is_valid(asking.key.target_digest, &stored) {
                return None;
            }
            // What it brings is what became of the target, after it makes all else of it invalid.
            stored.asked = now + Duration::from_nanos(1);
        }
        let (store, key) = (self.store.clone(), asking.key.clone());
        Some(Fill { store, key, stored: Arc::new(stored), most: self.rules.most, lead: None })
    }

    fn policy(
        &self,
        asking: &Asking,
        status: StatusCode,
        headers: &HeaderMap,
        date: Option<SystemTime>,
        wall: SystemTime,
    ) -> Option<Policy> {
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
            let may_be = status == StatusCode::OK && !said.directives.no_store && !is_somebodys;
            return may_be.then(|| Policy::by_age(ttl));
        }
        answer.policy(self.rules.is_shared, wall).ok()
    }

    /// RFC 9111 section 4.4: a success of a method that is not known to be safe.
    pub(crate) fn invalidates(method: &Method, status: StatusCode) -> bool {
        !method.is_safe() && (status.is_success() || status.is_redirection())
    }

    pub(crate) fn invalidate(&self, key: &Key<'_>, now: Instant) {
        self.store.invalidate(key.target_digest, now);
    }

    /// RFC 9875 section 3.
    pub(crate) fn invalidate_groups(&self, key: &Key<'_>, headers: &HeaderMap, now: Instant) {
        let key = key.store();
        for group in structured::invalidated_groups(headers).iter() {
            self.store.invalidate(self.keys.group(&key, group), now);
        }
    }
}

impl Stored {
    fn hit(&self, now: Instant) -> CacheStatus {
        let candidate = self.candidate(now);
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let ttl =
            seconds(candidate.lifetime()) - seconds(candidate.age) - seconds(candidate.expired_before());
        CacheStatus::Hit { ttl }
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

/// The fields that a qualified `no-cache` lists, and in a shared cache `private`.
fn unstored(said: &Said, is_shared: bool) -> Vec<HeaderName> {
    let private = said.directives.private.as_ref().filter(|_| is_shared);
    let lists = [said.directives.no_cache.as_ref(), private];
    let listed = lists.into_iter().flatten().filter_map(|names| match names {
        Names::Listed(names) => Some(names),
        Names::All => None,
    });
    listed.flatten().cloned().collect()
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
            && matches!(self.why, Forward::UriMiss | Forward::VaryMiss | Forward::Stale)
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

    /// Without what is stored: that was not what the origin spoke of.
    pub(crate) fn asked_again(&mut self, now: Instant) {
        self.candidates.clear();
        self.sent = now;
    }
}
