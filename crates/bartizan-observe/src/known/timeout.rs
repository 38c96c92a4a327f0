use std::error::Error;

use bartizan_core::find_source;
use bartizan_timeout::{AttemptTimedOut, BodyStalled, BodyTooSlow, DeadlineExceeded};

pub(crate) fn read(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let deadline = find_source::<DeadlineExceeded>(error).map(|_| "deadline_exceeded");
    deadline
        .or_else(|| find_source::<AttemptTimedOut>(error).map(|_| "attempt_timeout"))
        .or_else(|| find_source::<BodyStalled>(error).map(|_| "body_stalled"))
        .or_else(|| find_source::<BodyTooSlow>(error).map(|_| "body_too_slow"))
}
