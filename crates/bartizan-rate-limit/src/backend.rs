use std::fmt;
use std::future::Future;
use std::num::{NonZeroU32, NonZeroUsize};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bartizan_core::{Entry, KeyBy, PerKey, RequestHead};

use crate::limiter::MAX_WAIT;
use crate::wait::{TooLong, Wait};
use crate::{Quota, RateLimited, RateLimiter};

/// Where tokens are kept: in memory by default, or where several machines find them.
///
/// Moments are given as durations from now, so clocks need not agree.
pub trait Backend: Clone {
    /// What a request was given.
    type Grant: Grant;
    /// Waits for tokens. A drop at any time gives back whatever had come.
    type Acquire: Future<Output = Result<Self::Grant, RateLimited>>;

    /// Takes `cost` for a request: now, or by a future, which decides at its first poll whether the wait fits.
    fn acquire(
        &self,
        request: &RequestHead<'_>,
        cost: NonZeroU32,
        within: Within,
    ) -> Acquiring<Self::Grant, Self::Acquire>;
}

/// Tokens that a request was given. They are spent, unless they are given back.
pub trait Grant {
    /// The request was not sent.
    fn give_back(self);

    /// How it stands with the quota now, for those who are to be told.
    fn standing(&self) -> Option<Standing>;
}

/// How it stands with a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The quota.
    pub quota: Quota,
    /// How many tokens are left.
    pub remaining: u32,
    /// Until there is one more; `None` if there are all.
    pub next: Option<Duration>,
}

/// What came of asking for tokens.
#[derive(Debug)]
pub enum Acquiring<G, A> {
    /// They were there.
    Now(G),
    /// They can never be had, or it is known that the wait is too long.
    Refused(RateLimited),
    /// They have to be waited for.
    Later(A),
}

/// How long a call may wait: for so long, and not beyond its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Within {
    /// From now on.
    pub max_wait: Duration,
    /// The end of the whole call.
    pub deadline: Option<Instant>,
}

impl Within {
    /// From now on, and not beyond `deadline`.
    pub fn new(max_wait: Duration, deadline: Option<Instant>) -> Self {
        Self { max_wait, deadline }
    }
}

impl Default for Within {
    fn default() -> Self {
        Self::new(MAX_WAIT, None)
    }
}

/// A bucket for each key, in this process.
#[derive(Clone)]
pub struct InMemory {
    buckets: Option<Arc<Buckets>>,
}

struct Buckets {
    quota: Quota,
    quota_for: Option<QuotaFor>,
    by_key: PerKey<RateLimiter>,
}

pub(crate) type QuotaFor = Arc<dyn Fn(&RequestHead<'_>) -> Option<Quota> + Send + Sync>;

impl InMemory {
    pub(crate) fn unlimited() -> Self {
        Self { buckets: None }
    }

    pub(crate) fn new(quota: Quota, quota_for: Option<QuotaFor>, key: KeyBy, max_keys: NonZeroUsize) -> Self {
        // Evicted in use, a bucket would be full again the next moment.
        let by_key = PerKey::new(key, max_keys, RateLimiter::is_idle).sharing_when_full();
        Self { buckets: Some(Arc::new(Buckets { quota, quota_for, by_key })) }
    }

    pub(crate) fn limiters(&self) -> Vec<RateLimiter> {
        let buckets = self.buckets.iter().flat_map(|buckets| buckets.by_key.entries());
        buckets.map(|entry| entry.value().clone()).collect()
    }
}

impl Backend for InMemory {
    type Grant = GrantInMemory;
    type Acquire = AcquireInMemory;

    fn acquire(
        &self,
        request: &RequestHead<'_>,
        cost: NonZeroU32,
        within: Within,
    ) -> Acquiring<GrantInMemory, AcquireInMemory> {
        let Some(buckets) = &self.buckets else {
            return Acquiring::Now(GrantInMemory { bucket: None, cost });
        };
        let bucket = buckets.by_key.get(request, |subject| {
            let own = buckets.quota_for.as_ref().and_then(|quota_for| quota_for(request));
            RateLimiter::of(subject.clone(), own.unwrap_or(buckets.quota))
        });
        if bucket.value().take(cost) {
            return Acquiring::Now(GrantInMemory { bucket: Some(bucket), cost });
        }
        match bucket.value().check(cost) {
            Err(limited) => Acquiring::Refused(limited),
            Ok(()) => Acquiring::Later(AcquireInMemory { wait: Wait::New(bucket), cost, within }),
        }
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.buckets {
            Some(buckets) => f
                .debug_struct("InMemory")
                .field("quota", &buckets.quota)
                .field("key_by", buckets.by_key.by())
                .finish_non_exhaustive(),
            None => f.write_str("InMemory(without quota)"),
        }
    }
}

/// What [`InMemory`] gives.
#[derive(Debug)]
pub struct GrantInMemory {
    bucket: Option<Arc<Entry<RateLimiter>>>,
    cost: NonZeroU32,
}

impl Grant for GrantInMemory {
    fn give_back(self) {
        if let Some(bucket) = self.bucket {
            bucket.value().give_back(self.cost);
        }
    }

    fn standing(&self) -> Option<Standing> {
        let bucket = self.bucket.as_ref()?.value();
        Some(bucket.standing())
    }
}

/// Waits for tokens of [`InMemory`].
#[derive(Debug)]
pub struct AcquireInMemory {
    wait: Wait<Arc<Entry<RateLimiter>>>,
    cost: NonZeroU32,
    within: Within,
}

impl Future for AcquireInMemory {
    type Output = Result<GrantInMemory, RateLimited>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { wait, cost, within } = self.get_mut();
        wait.poll(*cost, *within, cx).map(|result| match result {
            Ok(bucket) => Ok(GrantInMemory { bucket: Some(bucket), cost: *cost }),
            Err(TooLong { line, refused, now }) => Err(line.value().too_long(refused, now, *within)),
        })
    }
}
