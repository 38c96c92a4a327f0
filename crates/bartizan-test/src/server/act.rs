use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// What the server does with one request: an answer, with whatever is to be wrong about it, or something worse.
///
/// Unless an act says otherwise the whole request body is read first. The builder methods that shape an answer have
/// no effect on acts that send none.
///
/// ```
/// use std::time::Duration;
/// use bartizan_test::server::Act;
///
/// let slow = Act::reply(503).header("retry-after", "1").delay(Duration::from_millis(100));
/// assert_eq!(slow.name(), "reply");
/// ```
#[derive(Clone, Debug)]
#[must_use = "an act does nothing until a script returns it"]
pub struct Act {
    pub(super) kind: Kind,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trailers: Option<HeaderMap>,
    pub(super) interim: Vec<StatusCode>,
    pub(super) delay: Duration,
    pub(super) slow_head: Option<Duration>,
    pub(super) slow_body: Option<(usize, Duration)>,
    pub(super) content_length: Option<u64>,
    pub(super) early: bool,
    pub(super) chunked: bool,
    pub(super) then_close: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Reply,
    Reset,
    ResetAfterHead,
    ResetMidBody(usize),
    HalfClose,
    Close,
    Hang,
    Goaway,
    RefuseStream,
}

/// How much body follows the point of a reset, so that the client waits for more.
const BEYOND_THE_RESET: usize = 1024;

impl Act {
    /// Answers with this status, and an empty body until [`body`](Act::body) gives another.
    ///
    /// # Panics
    ///
    /// If `status` is not a final status, 200 to 999.
    pub fn reply(status: u16) -> Self {
        let status = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational());
        Self::new(Kind::Reply, status.expect("a final status lies between 200 and 999"))
    }

    /// Breaks off before the head: a TCP RST on HTTP/1.1, `RST_STREAM(INTERNAL_ERROR)` on HTTP/2.
    ///
    /// An in-memory pipe knows no RST: there HTTP/1.1 clients see the end of the stream.
    pub fn reset() -> Self {
        Self::new(Kind::Reset, StatusCode::OK)
    }

    /// Sends a head with status 200 that promises a body, then breaks off as [`reset`](Act::reset) does.
    pub fn reset_after_head() -> Self {
        Self::new(Kind::ResetAfterHead, StatusCode::OK)
    }

    /// Sends a head with status 200 and `after_bytes` of the body, then breaks off as [`reset`](Act::reset) does.
    ///
    /// A body not longer than `after_bytes` is filled up with `x`, so that the promise is never kept.
    pub fn reset_mid_body(after_bytes: usize) -> Self {
        Self::new(Kind::ResetMidBody(after_bytes), StatusCode::OK)
    }

    /// Sends half a head, shuts down the server's sending side and reads on until the client leaves.
    ///
    /// On HTTP/2 that is a truncated HEADERS frame, and the end of the stream for the whole connection.
    pub fn half_close() -> Self {
        Self::new(Kind::HalfClose, StatusCode::OK)
    }

    /// Closes the connection without an answer: a FIN, and on HTTP/2 no GOAWAY before it.
    pub fn close() -> Self {
        Self::new(Kind::Close, StatusCode::OK)
    }

    /// Never answers, and reads on until the client leaves.
    pub fn hang() -> Self {
        Self::new(Kind::Hang, StatusCode::OK)
    }

    /// On HTTP/2 sends `GOAWAY(NO_ERROR)` with a last stream below this one, at once and without reading the body, so
    /// that the client knows the request as unprocessed. Lower streams are carried out, then the connection ends.
    ///
    /// HTTP/1.1 has nothing of the kind: there it is [`close`](Act::close), and the request counts as processed, for
    /// its client cannot know.
    pub fn goaway() -> Self {
        Self::new(Kind::Goaway, StatusCode::OK)
    }

    /// On HTTP/2 sends `RST_STREAM(REFUSED_STREAM)`, at once and without reading the body, so that the client knows
    /// the request as unprocessed.
    ///
    /// HTTP/1.1 has nothing of the kind: there it is [`close`](Act::close), and the request counts as processed, for
    /// its client cannot know.
    pub fn refuse_stream() -> Self {
        Self::new(Kind::RefuseStream, StatusCode::OK)
    }

    /// Adds a response header; a name given twice is sent twice.
    ///
    /// `content-length` or `transfer-encoding` given here are sent as they are and replace the server's own. HTTP/2
    /// sends none of the fields that concern a connection (RFC 9113, section 8.2.2).
    ///
    /// # Panics
    ///
    /// If `name` or `value` is none that HTTP allows.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name is a token");
        let value = HeaderValue::from_str(value).expect("a header value has visible characters only");
        self.headers.append(name, value);
        self
    }

    /// Adds these response headers, whatever bytes their values have, as [`header`](Act::header) does one.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        for (name, value) in &headers {
            self.headers.append(name, value.clone());
        }
        self
    }

    /// The response body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends trailers after the body. On HTTP/1.1 this makes the body [`chunked`](Act::chunked).
    pub fn trailers(mut self, trailers: HeaderMap) -> Self {
        self.trailers = Some(trailers);
        self
    }

    /// Sends an interim response such as 103 before the answer; called twice it sends two. They come after the
    /// [`delay`](Act::delay).
    ///
    /// # Panics
    ///
    /// If `status` is not an interim status, 100 to 199, or is 101, which would switch protocols.
    pub fn interim(mut self, status: u16) -> Self {
        let status =
            StatusCode::from_u16(status).ok().filter(|status| status.is_informational() && *status != 101);
        self.interim.push(status.expect("an interim status lies between 100 and 199 and is not 101"));
        self
    }

    /// Waits before the act begins: before the head, the reset, the half close.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends the head a line at a time, with `gap` before each line.
    ///
    /// On HTTP/2, where a client sees a head all at once or not at all, it comes after as many gaps.
    pub fn slow_head(mut self, gap: Duration) -> Self {
        self.slow_head = Some(gap);
        self
    }

    /// Sends the body in pieces of `chunk_len` bytes (0 is taken as 1), with `gap` before each piece.
    pub fn slow_body(mut self, chunk_len: usize, gap: Duration) -> Self {
        self.slow_body = Some((chunk_len.max(1), gap));
        self
    }

    /// Declares a body of `declared` bytes, sends the one it has, and closes the connection. On HTTP/2 the stream ends
    /// instead, in the regular way.
    pub fn lying_content_length(mut self, declared: u64) -> Self {
        self.content_length = Some(declared);
        self
    }

    /// Acts on the head alone, without waiting for the request body. What still comes of it is read afterwards.
    ///
    /// A client that sent `Expect: 100-continue` over HTTP/1.1 gets no 100, and the connection closes after the answer.
    pub fn early(mut self) -> Self {
        self.early = true;
        self
    }

    /// Sends the body with `Transfer-Encoding: chunked` and no `Content-Length`. On HTTP/2 only the length goes.
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Answers as if the connection stayed open, then closes it without notice.
    ///
    /// On HTTP/2 that takes every other stream of the connection along, and no GOAWAY is sent.
    pub fn then_close(mut self) -> Self {
        self.then_close = true;
        self
    }

    /// The short name by which the log and timelines call this act: `reply`, `reset`, `reset-after-head`,
    /// `reset-mid-body`, `half-close`, `close`, `hang`, `goaway` or `refuse-stream`.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Reply => "reply",
            Kind::Reset => "reset",
            Kind::ResetAfterHead => "reset-after-head",
            Kind::ResetMidBody(_) => "reset-mid-body",
            Kind::HalfClose => "half-close",
            Kind::Close => "close",
            Kind::Hang => "hang",
            Kind::Goaway => "goaway",
            Kind::RefuseStream => "refuse-stream",
        }
    }

    fn new(kind: Kind, status: StatusCode) -> Self {
        Self {
            kind,
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            trailers: None,
            interim: Vec::new(),
            delay: Duration::ZERO,
            slow_head: None,
            slow_body: None,
            content_length: None,
            early: false,
            chunked: false,
            then_close: false,
        }
    }

    /// Whether it begins before the request body has arrived.
    pub(super) fn is_early(&self) -> bool {
        self.early || matches!(self.kind, Kind::Goaway | Kind::RefuseStream)
    }

    /// The status of the head that this act sends, if it sends one.
    pub(super) fn sent_status(&self) -> Option<StatusCode> {
        matches!(self.kind, Kind::Reply | Kind::ResetAfterHead | Kind::ResetMidBody(_)).then_some(self.status)
    }

    /// The body that the head announces; for an act that breaks off it is longer than what will be sent.
    pub(super) fn announced_body(&self) -> Bytes {
        let sent = match self.kind {
            Kind::ResetAfterHead => 0,
            Kind::ResetMidBody(after_bytes) => after_bytes,
            _ => return self.body.clone(),
        };
        if self.body.len() > sent {
            return self.body.clone();
        }
        let mut padded = self.body.to_vec();
        padded.resize(sent.saturating_add(BEYOND_THE_RESET), b'x');
        padded.into()
    }

    /// Whether the answer to `method` has a body at all (RFC 9110, section 6.4.1).
    pub(super) fn has_body(&self, method: &http::Method) -> bool {
        method != http::Method::HEAD
            && self.status != StatusCode::NO_CONTENT
            && self.status != StatusCode::NOT_MODIFIED
    }
}
