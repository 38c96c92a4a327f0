use std::error::Error;
use std::fmt;
use std::sync::Arc;

use bartizan_core::BoxError;

/// The body that several were reading broke off.
#[derive(Debug)]
struct BrokenOff(Arc<dyn Error + Send + Sync>);

/// Somebody read too slowly for the others.
#[derive(Debug)]
struct TooSlow;

/// What was to complete a part has not the length that it said.
#[derive(Debug)]
struct OfAnotherLength;

/// The origin's body panicked, or had broken off before.
#[derive(Debug)]
struct Over;

pub(super) fn broken_off(error: &Arc<dyn Error + Send + Sync>) -> BoxError {
    BrokenOff(error.clone()).into()
}

pub(super) fn too_slow() -> BoxError {
    TooSlow.into()
}

pub(super) fn of_another_length() -> BoxError {
    OfAnotherLength.into()
}

pub(super) fn panicked() -> BoxError {
    Over.into()
}

/// Nobody is there to see it.
pub(super) fn nobodys() -> Arc<dyn Error + Send + Sync> {
    Arc::new(Over)
}

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cache: the response that was shared with another call broke off")
    }
}

impl Error for BrokenOff {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "cache: a response too long to be stored was read too slowly for the calls that it was shared with",
        )
    }
}

impl Error for TooSlow {}

impl fmt::Display for OfAnotherLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "cache: the rest of a response that was stored in part has not the length that its head said",
        )
    }
}

impl Error for OfAnotherLength {}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cache: the response had broken off")
    }
}

impl Error for Over {}
