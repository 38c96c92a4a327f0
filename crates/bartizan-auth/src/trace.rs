//! Events through `tracing`, if the feature is on.

use std::fmt::Display;

#[cfg(feature = "tracing")]
pub(crate) fn refused(error: &dyn Display) {
    tracing::debug!(%error, "call refused");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn refused(_: &dyn Display) {}
