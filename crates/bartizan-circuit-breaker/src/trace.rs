//! Events through `tracing`, if the feature is on.

use bartizan_core::Subject;

use crate::Transition;

#[cfg(feature = "tracing")]
pub(crate) fn transition(subject: &Subject, transition: &Transition) {
    let Transition { from, to, open_for, .. } = transition;
    let (from, to) = (from.as_str(), to.as_str());
    tracing::warn!(circuit = %subject, from, to, ?open_for, "circuit changed");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn transition(_: &Subject, _: &Transition) {}
