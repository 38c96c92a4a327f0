//! Events through `tracing`, if the feature is on.

use bartizan_core::Origin;

use crate::Transition;

#[cfg(feature = "tracing")]
pub(crate) fn transition(origin: Option<&Origin>, transition: &Transition) {
    let Transition { from, to, open_for, .. } = transition;
    let (origin, from, to) = (origin.map(Origin::as_str), from.as_str(), to.as_str());
    tracing::warn!(origin, from, to, ?open_for, "circuit changed");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn transition(_: Option<&Origin>, _: &Transition) {}
