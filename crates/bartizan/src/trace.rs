//! Events through `tracing`, if the feature is on.

use std::fmt::Display;

#[cfg(feature = "tracing")]
pub(crate) fn warning(warning: &dyn Display) {
    tracing::warn!(target: "bartizan", %warning, "stack");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn warning(_: &dyn Display) {}
