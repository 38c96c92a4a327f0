//! Whether a stored response may answer a request (RFC 9111 section 4). Pure.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::fields::{MaxStale, RequestDirectives};
use crate::storing::{Lifetime, Policy};

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

/// How old a response was when it came, and when that was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Born {
    initial_age: Duration,
    received: Instant,
}

impl Born {
    /// RFC 9111 section 4.2.3. The request went at `sent`.
    pub(crate) fn new(
        age: Option<Duration>,
        date: Option<SystemTime>,
        wall: SystemTime,
        sent: Instant,
        received: Instant,
    ) -> Self {
        // A date has whole seconds: what was generated and came within one of them has no age.
        let apparent = date.and_then(|date| wall.duration_since(date).ok()).unwrap_or_default();
        let apparent = Duration::from_secs(apparent.as_secs());
        let delay = received.saturating_duration_since(sent);
        let corrected = age.unwrap_or_default().saturating_add(delay);
        Self { initial_age: apparent.max(corrected), received }
    }

    pub(crate) fn age(&self, now: Instant) -> Duration {
        self.initial_age.saturating_add(now.saturating_duration_since(self.received))
    }
}

/// What is done with a stored response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// It answers.
    Fresh,
    /// It answers although it is stale; `refresh`: and is fetched anew meanwhile.
    Stale { refresh: bool },
    /// The origin is asked.
    Validate,
}

/// A stored response, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) age: Duration,
}

impl Candidate<'_> {
    pub(crate) fn lifetime(&self) -> Duration {
        match self.policy.lifetime {
            Lifetime::Explicit(lifetime) | Lifetime::Heuristic(lifetime) => lifetime,
            Lifetime::Expired(_) | Lifetime::Unknown => Duration::ZERO,
        }
    }

    /// How long before it was generated it had expired.
    pub(crate) fn expired_before(&self) -> Duration {
        if let Lifetime::Expired(before) = self.policy.lifetime { before } else { Duration::ZERO }
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.lifetime() > self.age
    }

    fn staleness(&self) -> Duration {
        self.age.saturating_add(self.expired_before()).saturating_sub(self.lifetime())
    }

    pub(crate) fn reuse(&self, asked: &RequestDirectives, is_shared: bool) -> Reuse {
        if asked.no_cache || self.policy.no_cache {
            return Reuse::Validate;
        }
        // RFC 8246: while it is fresh a reload asks for nothing new.
        let is_immutable = self.policy.immutable && !is_shared && self.is_fresh();
        let is_young = is_immutable || asked.max_age.is_none_or(|most| self.age <= seconds(most));
        let least = seconds(asked.min_fresh.unwrap_or_default());
        if !is_young {
            return Reuse::Validate;
        }
        if self.is_fresh() {
            let stays_fresh = self.lifetime() - self.age >= least;
            return if stays_fresh { Reuse::Fresh } else { Reuse::Validate };
        }
        if self.policy.must_revalidate || !least.is_zero() {
            return Reuse::Validate;
        }
        let is_tolerated = match asked.max_stale {
            Some(MaxStale::Any) => true,
            Some(MaxStale::Seconds(most)) => self.staleness() <= seconds(most),
            Some(MaxStale::Nothing) | None => false,
        };
        let is_in_window = |window: Option<Duration>| window.is_some_and(|window| self.staleness() < window);
        if is_in_window(self.policy.stale_while_revalidate) && asked.max_age.is_none() {
            return Reuse::Stale { refresh: true };
        }
        if is_tolerated { Reuse::Stale { refresh: false } } else { Reuse::Validate }
    }

    /// Whether it may answer in the place of an error (RFC 5861 section 4): `bound` is for how long where nobody said so.
    pub(crate) fn on_error(&self, asked: Option<Duration>, bound: Option<Duration>) -> bool {
        if self.policy.must_revalidate || self.policy.no_cache {
            return false;
        }
        let said = asked.max(self.policy.stale_if_error);
        said.or(bound).is_some_and(|window| self.staleness() <= window)
    }
}
