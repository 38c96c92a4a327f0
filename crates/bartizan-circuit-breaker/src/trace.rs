//! Events through `tracing`, if the feature is on.

use bartizan_core::Subject;

use crate::{CircuitOpen, Transition};

#[cfg(feature = "tracing")]
pub(crate) fn transition(subject: &Subject, transition: &Transition) {
    let Transition { from, to, open_for, .. } = transition;
    let (from, to) = (from.as_str(), to.as_str());
    tracing::warn!(target: "bartizan_circuit_breaker", circuit = %subject, from, to, ?open_for, "circuit changed");
}

#[cfg(feature = "tracing")]
pub(crate) fn refused(open: &CircuitOpen) {
    tracing::debug!(
        target: "bartizan_circuit_breaker",
        circuit = %open.subject(),
        why = open.state().as_str(),
        retry_in = ?open.retry_in(),
        "call refused"
    );
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn transition(_: &Subject, _: &Transition) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn refused(_: &CircuitOpen) {}
