use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{
    BoxError, CallContext, Deadline, Head, Outcome, Rejection, Replay, find_source, retry_after,
};
use http::{Request, Response};
use tokio::time::Instant;

use crate::kept::Kept;
use crate::service::Config;
use crate::{Attempt, Hook, Policy, Retrying, Stop, Stopped, Verdict, trace};

/// One call: how many attempts were made, and what is needed for more.
pub(crate) struct Call<S, B, P, H> {
    config: Arc<Config<P, H>>,
    kept: Result<(S, Kept<B>), Stop>,
    max_attempts: NonZeroU32,
    /// Attempts made or begun.
    made: NonZeroU32,
    /// A refusal of a layer below is waited for once.
    waited_for_refusal: bool,
}

/// Another attempt, with this body.
pub(crate) struct Again<B> {
    pub(crate) wait: Duration,
    pub(crate) body: B,
}

impl<S, B: Replay, P: Policy, H: Hook> Call<S, B, P, H> {
    pub(crate) fn new(
        config: Arc<Config<P, H>>,
        kept: Result<(S, Kept<B>), Stop>,
        max_attempts: NonZeroU32,
    ) -> Self {
        Self { config, kept, max_attempts, made: NonZeroU32::MIN, waited_for_refusal: false }
    }

    pub(crate) fn made(&self) -> NonZeroU32 {
        self.made
    }

    /// A service that is not ready yet, for the next attempt.
    pub(crate) fn not_ready_inner(&self) -> S
    where
        S: Clone,
    {
        self.kept().0.clone()
    }

    /// The request of the next attempt.
    pub(crate) fn request(&self, body: B) -> Request<B> {
        self.kept().1.request(body, self.made)
    }

    fn kept(&self) -> &(S, Kept<B>) {
        self.kept.as_ref().expect("another attempt needs what was kept, so it is there")
    }

    /// What follows from the result of an attempt; `None` if it is the caller's.
    pub(crate) fn after<R>(&mut self, result: &Result<Response<R>, BoxError>) -> Option<Again<B>> {
        if !self.config.enabled {
            return None;
        }
        let result: Result<Head<'_>, &(dyn Error + 'static)> = match result {
            Ok(response) => Ok(Head::from(response)),
            Err(error) => Err(&**error),
        };
        let request = self.kept.as_ref().ok().map(|(_, kept)| kept.head());
        let attempt = Attempt { request, number: self.made, result };
        let refusal = rejection(result);
        let again = match refusal {
            Some(rejection) => self.after_refusal(rejection),
            None => match self.config.policy.judge(&attempt) {
                Verdict::Return => return None,
                Verdict::Retry(pace) => self.after_failure(result.ok(), pace),
            },
        };
        match again {
            Ok(again) => {
                let event = Retrying { attempt, wait: again.wait, was_refused: refusal.is_some() };
                trace::retrying(&event);
                self.config.hook.retrying(&event);
                match refusal {
                    Some(_) => self.waited_for_refusal = true,
                    None => self.made = self.made.saturating_add(1),
                }
                Some(again)
            }
            Err(why) => {
                let event = Stopped { attempt, why };
                trace::stopped(&event);
                self.config.hook.stopped(&event);
                None
            }
        }
    }

    // In this order: class (the policy's verdict, before), attempts, body, deadline.
    fn after_failure(&self, head: Option<Head<'_>>, pace: crate::Pace) -> Result<Again<B>, Stop> {
        let (_, kept) = self.kept.as_ref().map_err(|stop| *stop)?;
        if self.made >= self.max_attempts {
            return Err(Stop::Attempts);
        }
        if !kept.can_replay() {
            return Err(Stop::Body);
        }
        let asked = head.and_then(|head| retry_after(head.headers, self.config.wall_clock.now()));
        let wait = self.config.schedule.wait(self.made.get(), pace, asked, time_left(kept))?;
        // Last, since it ends the copy that is being sent.
        let body = kept.replay().ok_or(Stop::Body)?;
        Ok(Again { wait, body })
    }

    fn after_refusal(&self, rejection: Rejection) -> Result<Again<B>, Stop> {
        let (_, kept) = self.kept.as_ref().map_err(|stop| *stop)?;
        if self.waited_for_refusal {
            return Err(Stop::Refused);
        }
        let wait = self.config.schedule.wait_for_refusal(rejection, time_left(kept))?;
        let body = kept.replay().ok_or(Stop::Body)?;
        Ok(Again { wait, body })
    }
}

/// A layer below said no on its own account, as an error or as a marked answer.
fn rejection(result: Result<Head<'_>, &(dyn Error + 'static)>) -> Option<Rejection> {
    match result {
        // An outcome that an inner layer named weighs more, as it does for classifiers.
        Ok(head) if head.extensions.get::<Outcome>().is_some() => None,
        Ok(head) => head.extensions.get::<Rejection>().copied(),
        Err(error) => find_source::<Rejection>(error).copied(),
    }
}

fn time_left<B: Replay>(kept: &Kept<B>) -> Option<Duration> {
    let deadline: Deadline = kept.context().and_then(CallContext::deadline)?;
    Some(deadline.left(Instant::now().into_std()))
}
