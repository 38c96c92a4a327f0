//! What becomes of a request, and of an answer: decisions alone, over what is stored.

mod answer;
mod arrived;
mod change;
mod keeping;
mod partial;
mod plan;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{CacheOverride, WallClock};
use bytes::Bytes;
use http::header::{
    CONTENT_LOCATION, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::{HeaderMap, HeaderName, Method, Response, Uri};
use tokio::time::Instant;

pub(crate) use self::partial::Completed;
use crate::conditions::Validators;
use crate::fields::{RequestDirectives, Variant};
use crate::fill::Fill;
use crate::flight::{Flights, Goes};
use crate::key::{Keys, StoredKey};
use crate::named::same_origin;
use crate::parts::Rest;
use crate::singleton;
use crate::status::{CacheStatus, Forward, Telling};
use crate::store::Kept;
use crate::stored::Stored;
use crate::{Event, Hook, Target, trace};

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
    /// What it may change, if its method is not known to be safe.
    changes: Option<Uri>,
    /// As the client sent them.
    request: HeaderMap,
    /// It has a credential, or will be given one on its way.
    is_authenticated: bool,
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
    why: Forward,
    /// For which requests the answer will be, as far as what is stored lets one guess.
    like: Option<Variant>,
    /// Whoever asked has been answered already.
    pub(crate) in_background: bool,
}

/// What one who waited for another's fetch gets of it.
pub(crate) enum Followed {
    Answer(Response<()>),
    /// It answers other requests, or something has changed since it was asked for.
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
    pub(crate) fn tell<B>(&self, target: Target<'_>, status: CacheStatus, response: &mut Response<B>) {
        self.event(&Event::Answered { target, status });
        let mut extensions = mem::take(response.extensions_mut());
        self.rules.telling.tell(status, response.headers_mut(), &mut extensions);
        *response.extensions_mut() = extensions;
    }

    /// As [`tell`](Self::tell), unless nobody is answered: what is fetched in the background is no call.
    pub(crate) fn tell_asker<B>(&self, asking: &Asking, status: CacheStatus, response: &mut Response<B>) {
        if !asking.in_background {
            self.tell(asking.key.target(), status, response);
        }
    }

    pub(crate) fn event(&self, event: &Event<'_>) {
        trace::event(event);
        if let Some(hook) = &self.hook {
            hook.event(event);
        }
    }
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
            && !(is_shared && self.is_authenticated)
    }

    /// To wait for who went already, or to go.
    pub(crate) fn goes(&mut self) -> Goes<'_> {
        Goes { key: &self.key, request: &self.request, like: self.like.take(), asked: self.order }
    }

    /// The answer is not held against this field of the client.
    pub(crate) fn leave_behind(&mut self, name: &HeaderName) {
        self.request.remove(name);
    }

    /// Whether the answer to a POST says that it is what a GET of the same target would get (RFC 9110 section 9.3.3).
    fn is_of_target(&self, headers: &HeaderMap) -> bool {
        let named = singleton::value(headers, CONTENT_LOCATION);
        let Some((target, named)) = self.changes.as_ref().zip(named) else { return false };
        let is_target = |named: Uri| named.path_and_query() == target.path_and_query();
        self.method == Method::POST && same_origin(target, named).is_some_and(is_target)
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
