//! What a scenario is made of.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Private,
    Shared,
}

impl Mode {
    pub(crate) const ALL: [Self; 2] = [Self::Private, Self::Shared];
}

#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) id: String,
    /// Targeted fields, the first that is there counts (RFC 9213).
    pub(crate) targets: Vec<HeaderName>,
    /// By which name it speaks in `Cache-Status` (RFC 9211).
    pub(crate) status_field: Option<HeaderName>,
    /// It answers by a 504 where the origin is not reached.
    pub(crate) responds: bool,
    pub(crate) expected_to_fail: Vec<Mode>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there are few waits")]
pub(crate) enum Step {
    Wait(Duration),
    Exchange(Exchange),
}

/// A client asks, the origin answers if it is asked, and this has to be seen.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) line: usize,
    pub(crate) request: Request,
    pub(crate) answers: Vec<Answer>,
    pub(crate) private: Expected,
    pub(crate) shared: Expected,
}

impl Exchange {
    pub(crate) fn expected(&self, mode: Mode) -> &Expected {
        match mode {
            Mode::Private => &self.private,
            Mode::Shared => &self.shared,
        }
    }
}

pub(crate) type Field = (HeaderName, HeaderValue);

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// A path at the origin of all scenarios, or `//other.example/path`.
    pub(crate) target: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) body: Bytes,
}

/// What the origin does when it is asked.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Reply(Reply),
    /// It closes the connection without a word.
    Disconnect,
    /// It is silent for longer than the client waits.
    Timeout,
}

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// So long it is on its way.
    pub(crate) after: Duration,
    pub(crate) status: StatusCode,
    pub(crate) fields: Vec<Field>,
    pub(crate) body: Bytes,
    pub(crate) trailers: Vec<Field>,
    /// It breaks off after so many bytes of body.
    pub(crate) torn: Option<usize>,
}

/// What the client and the origin have to see.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) verdict: Verdict,
    pub(crate) status: Option<StatusCode>,
    /// The client leaves without reading the body.
    pub(crate) unread: bool,
    /// The body breaks off.
    pub(crate) torn: bool,
    pub(crate) fields: Vec<Check>,
    pub(crate) body: Option<Bytes>,
    pub(crate) trailers: Option<Vec<Field>>,
    /// What the origin sees of each request.
    pub(crate) seen: Vec<ExpectedRequest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// From memory, without a word to the origin, and with an age.
    Cached,
    /// From memory and with an age, after the origin was asked once.
    Validated,
    /// From memory and with an age, and the origin is asked once meanwhile.
    Background,
    /// The origin is asked so many times.
    Asked(usize),
    /// By the cache itself, without a word to the origin, and from nothing that is stored.
    Local,
    /// The origin is asked once, and the client gets an error and no response.
    Failed,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Check {
    /// These lines and no others.
    Exactly(HeaderName, Vec<HeaderValue>),
    Absent(HeaderName),
    Present(HeaderName),
}

#[derive(Clone, Debug)]
pub(crate) struct ExpectedRequest {
    pub(crate) head: Option<(Method, String)>,
    pub(crate) fields: Vec<Check>,
    pub(crate) body: Option<Bytes>,
}
