use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Outcome, Rejection, Subject};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::circuit::{Circuit, Ended, Refused, Ticket};
use crate::{CircuitOpen, OnTransition, Settings, Snapshot, State, Transition, trace};

/// One circuit, which clones share: the engine without HTTP, and the handle of a layer's circuits.
///
/// ```
/// use std::num::NonZeroU32;
/// use bartizan_circuit_breaker::{CircuitBreaker, Settings, State, Trip};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let two = NonZeroU32::new(2).unwrap();
/// let breaker = CircuitBreaker::new(Settings::new().trip(Trip::consecutive(two)));
/// for _ in 0..2 {
///     let answer = breaker.call(async { Err::<(), _>("down") }).await;
///     assert_eq!(answer.unwrap(), Err("down"));
/// }
/// assert_eq!(breaker.state(), State::Open);
/// let refused = breaker.call(async { Ok::<_, &str>(()) }).await.unwrap_err();
/// assert!(refused.retry_in().is_some());
/// # }
/// ```
pub struct CircuitBreaker<H = ()> {
    shared: Arc<Shared<H>>,
}

struct Shared<H> {
    circuit: Circuit,
    subject: Subject,
    hook: H,
    changes: watch::Sender<(u64, State)>,
}

impl CircuitBreaker {
    /// A circuit that is closed.
    pub fn new(settings: Settings) -> Self {
        Self::with_hook(settings, ())
    }
}

impl<H: OnTransition> CircuitBreaker<H> {
    /// A circuit that is closed, and tells `hook` of each change.
    pub fn with_hook(settings: Settings, hook: H) -> Self {
        Self::of(Subject::ALL, settings, hook)
    }

    pub(crate) fn of(subject: Subject, settings: Settings, hook: H) -> Self {
        let circuit = Circuit::new(settings, Instant::now().into_std());
        let changes = watch::Sender::new((0, State::Closed));
        Self { shared: Arc::new(Shared { circuit, subject, hook, changes }) }
    }

    /// Runs `future` if the circuit lets it, and counts an error as a failure. Dropped before its end it counts as
    /// [`Permit`] says.
    ///
    /// # Errors
    /// When the circuit refuses; then the future was not polled. What the future gives is the value, error or not.
    pub async fn call<T, E>(
        &self,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, E>, CircuitOpen> {
        let permit = self.admit()?;
        let result = future.await;
        permit.end(if result.is_ok() { Outcome::Success } else { Outcome::Failure });
        Ok(result)
    }

    /// Leave for one call, now.
    ///
    /// # Errors
    /// When the circuit refuses.
    pub fn admit(&self) -> Result<Permit<H>, CircuitOpen> {
        let now = Instant::now();
        let (answer, transition) = self.shared.circuit.admit(now.into_std());
        self.tell(transition);
        let ticket = answer.map_err(|refused| self.refusal(refused))?;
        Ok(Permit { breaker: self.clone(), ticket: Some(ticket), started: now })
    }

    /// Whether a call would be refused now for sure. Takes nothing and changes nothing.
    ///
    /// # Errors
    /// When the circuit is open and not due, or forced open.
    pub fn look(&self) -> Result<(), CircuitOpen> {
        let refused = self.shared.circuit.look(Instant::now().into_std());
        refused.map_or(Ok(()), |refused| Err(self.refusal(refused)))
    }

    /// Lets nothing through until another call of a handle.
    pub fn force_open(&self) {
        self.force(State::ForcedOpen);
    }

    /// Closes the circuit, with nothing counted; it goes on counting.
    pub fn force_close(&self) {
        self.force(State::Closed);
    }

    /// Lets everything through and counts nothing until another call of a handle.
    pub fn disable(&self) {
        self.force(State::Disabled);
    }

    /// As it was when it was new.
    pub fn reset(&self) {
        self.force(State::Closed);
    }

    fn force(&self, state: State) {
        self.tell(self.shared.circuit.force(state, Instant::now().into_std()));
    }

    fn refusal(&self, refused: Refused) -> CircuitOpen {
        let Refused { state, retry_in } = refused;
        CircuitOpen { subject: self.shared.subject.clone(), state, rejection: Rejection::new(retry_in) }
    }

    fn ended(&self, ticket: Ticket, ended: Ended, now: Instant) {
        self.tell(self.shared.circuit.ended(ticket, ended, now.into_std()));
    }

    fn tell(&self, transition: Option<Transition>) {
        let Some(transition) = transition.filter(|transition| transition.from != transition.to) else {
            return;
        };
        let Shared { subject, hook, changes, .. } = &*self.shared;
        changes.send_if_modified(|newest| {
            let is_newer = transition.generation > newest.0;
            if is_newer {
                *newest = (transition.generation, transition.to);
            }
            is_newer
        });
        trace::transition(subject, &transition);
        hook.transition(subject, &transition);
    }
}

impl<H> CircuitBreaker<H> {
    /// What it does with calls. An open circuit that is due is open until a call comes.
    pub fn state(&self) -> State {
        self.shared.circuit.state()
    }

    /// What it has counted.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.circuit.snapshot(Instant::now().into_std())
    }

    pub(crate) fn hook(&self) -> &H {
        &self.shared.hook
    }

    pub(crate) fn settings(&self) -> &Settings {
        self.shared.circuit.settings()
    }

    /// Whose circuit it is.
    pub fn subject(&self) -> &Subject {
        &self.shared.subject
    }

    /// Waits for changes of its state.
    pub fn watch(&self) -> Watch {
        Watch { changes: self.shared.changes.subscribe() }
    }
}

impl<H> Clone for CircuitBreaker<H> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<H> fmt::Debug for CircuitBreaker<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("subject", &self.shared.subject)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// Leave for one call. Say how it ended.
///
/// Dropped without a word it says nothing, as a call that was given up early says nothing about the origin; but
/// one that was given up after the [slow threshold](Settings::slow_after) has failed. Else an outer time-out would hide an
/// origin that hangs. A permit to probe ends in either case, so that another call may.
#[must_use = "a permit that is dropped at once says nothing"]
pub struct Permit<H: OnTransition = ()> {
    breaker: CircuitBreaker<H>,
    /// Taken when it has ended.
    ticket: Option<Ticket>,
    started: Instant,
}

impl<H: OnTransition> Permit<H> {
    /// The call ended so. Neutral says nothing about the origin; throttled is a success that passes no probe.
    pub fn end(self, outcome: Outcome) {
        self.end_with(outcome, None);
    }

    /// The call ended so, and the origin asked to be left alone for some time: if that opens the circuit it stays open so long, at
    /// most 300 s.
    pub fn end_with(mut self, outcome: Outcome, retry_after: Option<Duration>) {
        if let Some(ticket) = self.ticket.take() {
            self.settle(ticket, |_| outcome, retry_after);
        }
    }

    fn settle(
        &self,
        ticket: Ticket,
        outcome: impl FnOnce(Duration) -> Outcome,
        retry_after: Option<Duration>,
    ) {
        let now = Instant::now();
        let took = now.saturating_duration_since(self.started);
        self.breaker.ended(ticket, Ended { outcome: outcome(took), took, retry_after }, now);
    }
}

impl<H: OnTransition> Drop for Permit<H> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let slow_after = self.breaker.settings().slow_after;
            let given_up = |took| if took >= slow_after { Outcome::Failure } else { Outcome::Neutral };
            self.settle(ticket, given_up, None);
        }
    }
}

impl<H: OnTransition> fmt::Debug for Permit<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

/// Waits for changes of a circuit's state: see [`CircuitBreaker::watch`].
#[derive(Clone, Debug)]
pub struct Watch {
    changes: watch::Receiver<(u64, State)>,
}

impl Watch {
    /// The state as it was last told.
    pub fn state(&self) -> State {
        self.changes.borrow().1
    }

    /// Waits for a change that was not seen yet; `None` when the circuit is gone. States between two calls may be missed, the newest
    /// never.
    pub async fn changed(&mut self) -> Option<State> {
        self.changes.changed().await.ok()?;
        Some(self.changes.borrow_and_update().1)
    }
}

#[cfg(test)]
#[cfg(not(bartizan_loom))]
mod tests {
    use super::*;

    /// Nobody holds a lock while changes are told, so an older one may come last.
    #[test]
    fn a_change_that_is_told_late_is_none_for_watchers() {
        let breaker = CircuitBreaker::new(Settings::new());
        let mut watch = breaker.watch();
        let tell = |generation, to| {
            breaker.tell(Some(Transition { from: State::Closed, to, generation, open_for: None }));
        };
        tell(2, State::Open);
        assert_eq!(watch.changes.borrow_and_update().1, State::Open);
        tell(1, State::Disabled);
        assert_eq!((watch.state(), watch.changes.has_changed().ok()), (State::Open, Some(false)));
    }
}
