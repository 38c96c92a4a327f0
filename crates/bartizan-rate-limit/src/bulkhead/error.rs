use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use bartizan_core::{Origin, Refusal, Rejection, Subject};
use http::StatusCode;

/// As many calls are under way as may be; this one was not let through, and nothing was sent.
#[derive(Clone, Debug)]
pub struct BulkheadFull {
    subject: Subject,
    limit: NonZeroUsize,
    queue: usize,
    why: Why,
    rejection: Rejection,
}

/// Why a call was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// As many calls are under way as may be, and as many wait.
    Full,
    /// It waited for as long as a call may.
    MaxWait,
    /// It waited until the deadline of the call, or that was over before.
    Deadline,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Why {
    Full,
    MaxWait { most: Duration },
    Deadline,
}

impl Reason {
    /// In one word: `full`, `max_wait`, `deadline`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::MaxWait => "max_wait",
            Self::Deadline => "deadline",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl BulkheadFull {
    pub(crate) fn new(subject: &Subject, limit: NonZeroUsize, queue: usize, why: Why) -> Self {
        // Nobody knows when a call that is under way will be over.
        Self { subject: subject.clone(), limit, queue, why, rejection: Rejection::new(None) }
    }

    /// Whose bulkhead it is.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The origin whose bulkhead it is; `None` for one that goes by other things, or serves all.
    pub fn origin(&self) -> Option<&Origin> {
        self.subject.origin()
    }

    /// How many calls may be under way at once.
    pub fn limit(&self) -> NonZeroUsize {
        self.limit
    }

    /// How many calls may wait.
    pub fn queue(&self) -> usize {
        self.queue
    }

    /// Why it was not let through.
    pub fn reason(&self) -> Reason {
        match self.why {
            Why::Full => Reason::Full,
            Why::MaxWait { .. } => Reason::MaxWait,
            Why::Deadline => Reason::Deadline,
        }
    }
}

impl fmt::Display for BulkheadFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bulkhead")?;
        if !self.subject.is_all() {
            write!(f, " of {}", self.subject)?;
        }
        match self.why {
            Why::Full => f.write_str(" is full")?,
            Why::MaxWait { most } => write!(f, " was full for the {most:?} that a call may wait")?,
            Why::Deadline => f.write_str(" was full until the call's deadline")?,
        }
        write!(f, " (at most {} at once and {} in line), nothing was sent", self.limit, self.queue)
    }
}

impl Error for BulkheadFull {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.rejection)
    }
}

impl Refusal for BulkheadFull {
    fn status(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
