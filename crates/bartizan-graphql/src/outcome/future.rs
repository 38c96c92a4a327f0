use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bartizan_core::Head;
use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::{Kept, OutcomeBody, Rest};
use super::judge::{self, Marks};
use super::service::Config;

pin_project! {
    /// The future of [`GraphqlOutcome`](crate::GraphqlOutcome).
    pub struct OutcomeFuture<F, R> {
        #[pin]
        state: State<F, R>,
        config: Arc<Config>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, R> {
        Calling { #[pin] future: F },
        Reading { reading: Option<Reading<R>> },
    }
}

/// After that many frames in one go others get their turn: a stream of empty frames would not end.
const FRAMES: u32 = 32;

/// An answer whose body is being read.
struct Reading<R> {
    response: Response<R>,
    kept: Kept,
}

impl<F, R> OutcomeFuture<F, R> {
    pub(super) fn new(future: F, config: Arc<Config>) -> Self {
        Self { state: State::Calling { future }, config }
    }
}

impl<F, R, E> Future for OutcomeFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body<Data = Bytes> + Unpin,
{
    type Output = Result<Response<OutcomeBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Calling { future } => {
                    let response = ready!(future.poll(cx))?;
                    if !this.config.reads(&response) {
                        return Poll::Ready(Ok(response.map(OutcomeBody::unread)));
                    }
                    let reading = Some(Reading { response, kept: Kept::default() });
                    this.state.set(State::Reading { reading });
                }
                StateProjection::Reading { reading } => {
                    let read = reading.as_mut().expect("a future is not polled after its end");
                    let (marks, rest) = ready!(read.poll(this.config, cx));
                    let Reading { mut response, kept } = reading.take().expect("it was there");
                    marks.leave_in(response.extensions_mut());
                    return Poll::Ready(Ok(response.map(|body| OutcomeBody::read(kept, rest, body))));
                }
            }
        }
    }
}

impl<R: Body<Data = Bytes> + Unpin> Reading<R> {
    /// Reads until the answer can be judged, or is too long for that.
    fn poll(&mut self, config: &Config, cx: &mut Context<'_>) -> Poll<(Marks, Rest<R::Error>)> {
        let body = self.response.body_mut();
        let mut frames = 0;
        while !body.is_end_stream() {
            if frames == FRAMES {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            frames += 1;
            match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                Some(Ok(frame)) => self.kept.push(frame),
                Some(Err(error)) => return Poll::Ready((Marks::BROKEN, Rest::Error(error))),
                None => break,
            }
            if self.kept.len() > config.max_body {
                return Poll::Ready((Marks::default(), Rest::Unread));
            }
        }
        let head = Head::from(&self.response);
        let marks = judge::judge(&config.codes, &head, self.kept.data(), || config.wall_clock.now());
        Poll::Ready((marks, Rest::End))
    }
}

impl<F, R> fmt::Debug for OutcomeFuture<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Calling { .. } => "OutcomeFuture(calling)",
            State::Reading { .. } => "OutcomeFuture(reading)",
        })
    }
}
