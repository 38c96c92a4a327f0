use std::error::Error;
use std::fmt;

use bartizan_core::BoxError;

/// Why an inbox did not do what it was asked for.
#[derive(Debug)]
pub struct InboxError(Why);

#[derive(Debug)]
enum Why {
    LeaseLost,
    Unavailable(BoxError),
}

impl InboxError {
    /// The event is somebody else's by now, or settled.
    pub fn lease_lost() -> Self {
        Self(Why::LeaseLost)
    }

    /// The store behind it failed. What it was asked for may or may not have been done.
    pub fn unavailable(error: impl Into<BoxError>) -> Self {
        Self(Why::Unavailable(error.into()))
    }

    /// Whether the event is somebody else's by now, or settled: whoever asked has nothing to do with it any more.
    pub fn is_lease_lost(&self) -> bool {
        matches!(self.0, Why::LeaseLost)
    }
}

impl fmt::Display for InboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Why::LeaseLost => "the lease of the event has ended",
            Why::Unavailable(_) => "the inbox is not available",
        })
    }
}

impl Error for InboxError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Why::LeaseLost => None,
            Why::Unavailable(error) => Some(&**error),
        }
    }
}
