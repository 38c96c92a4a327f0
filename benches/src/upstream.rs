//! Services that do nothing, in place of a transport.

use std::future::{self, Future};
use std::hint::black_box;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use tower_service::Service;

/// What all of them answer.
pub type Answer = Result<Response<Full<Bytes>>, io::Error>;

/// The status is hidden from the optimiser: a layer that looks at it has to look.
///
/// # Errors
///
/// Never, but the optimiser cannot know.
pub fn answer(status: StatusCode) -> Answer {
    let mut response = Response::new(Full::default());
    *response.status_mut() = black_box(status);
    black_box(Ok(response))
}

/// Answers 200 in the first poll. A clone costs one reference count, which is less than any real client asks.
#[derive(Clone, Debug, Default)]
pub struct ReadyAtOnce {
    _shared: Arc<()>,
}

impl<B> Service<Request<B>> for ReadyAtOnce {
    type Response = Response<Full<Bytes>>;
    type Error = io::Error;
    type Future = future::Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        black_box(Poll::Ready(Ok(())))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        drop(black_box(request));
        future::ready(answer(StatusCode::OK))
    }
}

/// Answers 200 in the second poll, as everything does that waits for a socket.
#[derive(Clone, Debug, Default)]
pub struct PendingOnce {
    _shared: Arc<()>,
}

impl<B> Service<Request<B>> for PendingOnce {
    type Response = Response<Full<Bytes>>;
    type Error = io::Error;
    type Future = SecondPoll;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        black_box(Poll::Ready(Ok(())))
    }

    fn call(&mut self, request: Request<B>) -> SecondPoll {
        drop(black_box(request));
        SecondPoll { polled: false }
    }
}

/// The future of [`PendingOnce`].
#[derive(Debug)]
pub struct SecondPoll {
    polled: bool,
}

impl Future for SecondPoll {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        if std::mem::replace(&mut self.polled, true) {
            return Poll::Ready(answer(StatusCode::OK));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Reads the request's body to its end in the call, then answers 200 in the first poll.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    _shared: Arc<()>,
}

impl<B: Body> Service<Request<B>> for Reader {
    type Response = Response<Full<Bytes>>;
    type Error = io::Error;
    type Future = future::Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        black_box(Poll::Ready(Ok(())))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut body = pin!(request.into_body());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        while !body.is_end_stream() {
            match body.as_mut().poll_frame(&mut cx) {
                Poll::Ready(Some(frame)) => drop(black_box(frame.map_err(drop))),
                Poll::Ready(None) => break,
                Poll::Pending => {}
            }
        }
        future::ready(answer(StatusCode::OK))
    }
}

/// A streamed body of one frame: it can be read once and does not say when it is at its end.
#[derive(Clone, Debug)]
pub struct OneFrame(Option<Bytes>);

impl OneFrame {
    /// With these bytes in its frame.
    pub const fn new(data: &'static [u8]) -> Self {
        Self(Some(Bytes::from_static(data)))
    }
}

impl Body for OneFrame {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, io::Error>>> {
        Poll::Ready(self.0.take().map(|data| Ok(http_body::Frame::data(data))))
    }
}

/// Answers in the first poll, with a body of eight frames.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    pauses: bool,
    _shared: Arc<()>,
}

impl Streams {
    /// Each frame has to be waited for: it comes in the poll after one that finds nothing.
    pub fn with_pauses() -> Self {
        Self { pauses: true, ..Self::default() }
    }
}

impl<B> Service<Request<B>> for Streams {
    type Response = Response<Frames>;
    type Error = io::Error;
    type Future = future::Ready<Result<Response<Frames>, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        black_box(Poll::Ready(Ok(())))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        drop(black_box(request));
        let body = Frames { left: 8, pauses: self.pauses, paused: false };
        future::ready(black_box(Ok(Response::new(body))))
    }
}

/// The body of [`Streams`].
#[derive(Debug)]
pub struct Frames {
    left: usize,
    pauses: bool,
    paused: bool,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.paused = self.pauses && !self.paused;
        if self.paused {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.left -= 1;
        black_box(Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(b"a frame"))))))
    }
}
