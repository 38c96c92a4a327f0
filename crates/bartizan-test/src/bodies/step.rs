//! What a scripted body does at one poll.

use std::{error::Error, fmt, time::Duration};

use bytes::Bytes;
use http::HeaderMap;

/// What a [`Body`](super::Body) does at one poll.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Returns a frame of data.
    Data(Bytes),
    /// Returns a frame of trailers.
    Trailers(HeaderMap),
    /// Pending, with the task woken at once.
    Pending,
    /// Pending until this much time has passed since the first poll of the step.
    Wait(Duration),
    /// Fails with [`ScriptedError`], which ends the body.
    Error,
}

impl Step {
    /// A frame of data.
    pub fn data(data: impl Into<Bytes>) -> Self {
        Self::Data(data.into())
    }

    pub(super) fn data_len(&self) -> u64 {
        match self {
            Self::Data(data) => data.len() as u64,
            _ => 0,
        }
    }

    pub(super) fn is_error(&self) -> bool {
        matches!(self, Self::Error)
    }
}

/// The error of [`Step::Error`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ScriptedError;

impl fmt::Display for ScriptedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the scripted body failed")
    }
}

impl Error for ScriptedError {}
