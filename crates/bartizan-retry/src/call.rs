use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{
    Attempts, BoxError, CallContext, Deadline, Delivery, Head, Outcome, Rejection, Replay, ReplayNow,
    RetriesSpent, delivery, find_source,
};
use http::{HeaderValue, Request, Response};
use tokio::time::Instant;

use crate::kept::Kept;
use crate::schedule::Failure;
use crate::service::Config;
use crate::spending::Spending;
use crate::{Attempt, Cause, Hook, Pace, Policy, Retrying, Stop, Stopped, Verdict, trace};

/// One call: how many attempts were made, and what is needed for more.
pub(crate) struct Call<S, B, P, H> {
    config: Arc<Config<P, H>>,
    again: Result<Provision<S, B>, Stop>,
    max_attempts: NonZeroU32,
    spending: Spending,
    /// Attempts made or begun.
    made: NonZeroU32,
    last_wait: Option<Duration>,
    /// What is done once a call at most.
    once: Once,
    /// Why the last attempt was the last.
    stopped: Option<Stop>,
}

/// What more attempts are made of.
pub(crate) struct Provision<S, B> {
    /// Cloned for each attempt.
    pub(crate) inner: S,
    pub(crate) kept: Kept<B>,
    /// Also if the origin may have processed it.
    pub(crate) freely: bool,
}

#[derive(Default)]
struct Once {
    waited_for_refusal: bool,
    resent_unprocessed: bool,
    replayed_as_asked: bool,
}

/// Another attempt, with this body.
pub(crate) struct Again<B> {
    pub(crate) cause: Cause,
    pub(crate) wait: Duration,
    pub(crate) body: B,
}

type ResultView<'a> = Result<Head<'a>, &'a (dyn Error + 'static)>;

impl<S, B: Replay, P: Policy, H: Hook> Call<S, B, P, H> {
    #[inline]
    pub(crate) fn new(
        config: Arc<Config<P, H>>,
        again: Result<Provision<S, B>, Stop>,
        max_attempts: NonZeroU32,
        spending: Spending,
    ) -> Self {
        Self {
            config,
            again,
            max_attempts,
            spending,
            made: NonZeroU32::MIN,
            last_wait: None,
            once: Once::default(),
            stopped: None,
        }
    }

    /// A service that is not ready yet, for the next attempt.
    pub(crate) fn not_ready_inner(&self) -> S
    where
        S: Clone,
    {
        self.provision().inner.clone()
    }

    /// The request of the next attempt, which is about to be sent.
    pub(crate) fn request(&mut self, body: B) -> Request<B> {
        self.spending.sent();
        self.provision().kept.request(body, self.made)
    }

    fn provision(&self) -> &Provision<S, B> {
        self.again.as_ref().expect("another attempt needs what was kept, so it is there")
    }

    /// What follows from the result of an attempt; `None` if it is the caller's.
    pub(crate) fn after<R>(&mut self, result: &Result<Response<R>, BoxError>) -> Option<Again<B>> {
        if !self.config.enabled {
            return None;
        }
        let result: ResultView<'_> = match result {
            Ok(response) => Ok(Head::from(response)),
            Err(error) => Err(&**error),
        };
        let number = self.made;
        let again = self.decide(result);
        let request = self.again.as_ref().ok().map(|provision| provision.kept.head());
        let attempt = Attempt { request, number, result };
        let again = again?;
        let budget_left = self.spending.left();
        match again {
            Ok(again) => {
                let event = Retrying { attempt, wait: again.wait, cause: again.cause, budget_left };
                trace::retrying(&event);
                self.config.hook.retrying(&event);
                Some(again)
            }
            Err(why) => {
                let event = Stopped { attempt, why, budget_left };
                trace::stopped(&event);
                self.config.hook.stopped(&event);
                self.stopped = Some(why);
                None
            }
        }
    }

    /// `None` if the result is no failure.
    fn decide(&mut self, result: ResultView<'_>) -> Option<Result<Again<B>, Stop>> {
        if let Some(again) = self.at_once(result) {
            return Some(Ok(again));
        }
        if let Some(rejection) = rejection(result) {
            self.spending.not_sent();
            return Some(self.after_refusal(rejection));
        }
        let request = self.again.as_ref().ok().map(|provision| provision.kept.head());
        match self.config.policy.judge(&Attempt { request, number: self.made, result }) {
            Verdict::Retry(pace) => {
                self.spending.failed();
                Some(self.after_failure(result, pace))
            }
            Verdict::Return => {
                if result.is_ok() {
                    self.spending.succeeded();
                }
                None
            }
        }
    }

    /// What is sent again without a wait, an attempt, a budget: a request that a layer below asks for, or that was not
    /// processed, for the first time in either case.
    fn at_once(&mut self, result: ResultView<'_>) -> Option<Again<B>> {
        let provision = self.again.as_ref().ok()?;
        let (cause, done) = match result {
            Ok(head) if head.extensions.get::<ReplayNow>().is_some() => {
                (Cause::Asked, &mut self.once.replayed_as_asked)
            }
            // Of several attempts only the last was surely not processed.
            Err(error) if delivery(error) == Delivery::NotProcessed && !self.is_spent_below(result) => {
                (Cause::NotProcessed, &mut self.once.resent_unprocessed)
            }
            _ => return None,
        };
        if *done || time_left(&provision.kept).is_some_and(|left| left.is_zero()) {
            return None;
        }
        let body = provision.kept.replay()?;
        *done = true;
        Some(Again { cause, wait: Duration::ZERO, body })
    }

    // In this order: class, attempts, body, deadline, budget.
    fn after_failure(&mut self, result: ResultView<'_>, pace: Pace) -> Result<Again<B>, Stop> {
        let provision = self.again.as_ref().map_err(|stop| *stop)?;
        if !provision.freely && !is_surely_unprocessed(result) {
            return Err(Stop::Method);
        }
        if self.is_spent_below(result) {
            return Err(Stop::Spent);
        }
        if self.made >= self.max_attempts {
            return Err(Stop::Attempts);
        }
        if !provision.kept.can_replay() {
            return Err(Stop::Body);
        }
        let asked = result.ok().and_then(|head| head.retry_after(self.config.wall_clock.now()));
        let failure = Failure { made: self.made.get(), pace, asked, last_wait: self.last_wait };
        let wait = self.config.schedule.wait(failure, time_left(&provision.kept))?;
        if !self.spending.withdraw() {
            return Err(Stop::Budget);
        }
        // Last, since it ends the copy that is being sent.
        let body = provision.kept.replay().ok_or(Stop::Body)?;
        (self.made, self.last_wait) = (self.made.saturating_add(1), Some(wait));
        Ok(Again { cause: Cause::Failed, wait, body })
    }

    fn after_refusal(&mut self, rejection: Rejection) -> Result<Again<B>, Stop> {
        let provision = self.again.as_ref().map_err(|stop| *stop)?;
        if self.once.waited_for_refusal {
            return Err(Stop::Refused);
        }
        let wait = self.config.schedule.wait_for_refusal(rejection, time_left(&provision.kept))?;
        let body = provision.kept.replay().ok_or(Stop::Body)?;
        self.once.waited_for_refusal = true;
        Ok(Again { cause: Cause::Refused, wait, body })
    }

    fn is_spent_below(&self, result: ResultView<'_>) -> bool {
        match result {
            Ok(head) => {
                let field = self.config.spent_field.as_ref();
                head.extensions.get::<Attempts>().is_some()
                    || field.is_some_and(|name| head.headers.contains_key(name))
            }
            Err(error) => find_source::<RetriesSpent>(error).is_some(),
        }
    }

    /// The last result, with what outer tiers have to know of it.
    #[inline]
    pub(crate) fn finish<R>(&self, result: Result<Response<R>, BoxError>) -> Result<Response<R>, BoxError> {
        let is_plain = self.made == NonZeroU32::MIN && self.stopped.is_none() && !self.once.replayed_as_asked;
        if is_plain { result } else { self.mark(result) }
    }

    fn mark<R>(&self, result: Result<Response<R>, BoxError>) -> Result<Response<R>, BoxError> {
        let made = self.made;
        let is_spent = self.stopped.is_some() && made > NonZeroU32::MIN || self.stopped == Some(Stop::Budget);
        match result {
            Ok(mut response) => {
                if self.once.replayed_as_asked {
                    // It was done; an outer tier would do it once more.
                    response.extensions_mut().remove::<ReplayNow>();
                }
                if made > NonZeroU32::MIN || is_spent {
                    response.extensions_mut().insert(Attempts(made));
                }
                if is_spent {
                    // An answer that stands for a refusal of the last attempt says nothing of those before it.
                    if rejection(Ok(Head::from(&response))).is_some() {
                        response.extensions_mut().insert(Outcome::Failure);
                    }
                    response.extensions_mut().remove::<Rejection>();
                }
                if (is_spent || self.stopped == Some(Stop::Spent))
                    && let Some(name) = &self.config.spent_field
                {
                    response.headers_mut().insert(name, HeaderValue::from_static("?1"));
                }
                Ok(response)
            }
            Err(error) if is_spent => Err(RetriesSpent::new(made, error).into()),
            Err(error) => Err(error),
        }
    }
}

/// A layer below said no on its own account, as an error or as a marked answer.
fn rejection(result: ResultView<'_>) -> Option<Rejection> {
    match result {
        Ok(head) => {
            let rejection = head.extensions.get::<Rejection>().copied();
            // An outcome that an inner layer named weighs more, as it does for classifiers.
            match head.extensions.get::<Outcome>() {
                None => rejection,
                Some(Outcome::Neutral) => rejection.or(Some(Rejection::new(None))),
                Some(_) => None,
            }
        }
        Err(error) => Rejection::of(error),
    }
}

fn is_surely_unprocessed(result: ResultView<'_>) -> bool {
    match result {
        Ok(head) => head.is_unprocessed(),
        Err(error) => matches!(delivery(error), Delivery::ConnectFailed | Delivery::NotProcessed),
    }
}

fn time_left<B: Replay>(kept: &Kept<B>) -> Option<Duration> {
    let deadline: Deadline = kept.context().and_then(CallContext::deadline)?;
    Some(deadline.left(Instant::now().into_std()))
}
