//! A body that several read while it comes.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;

use bartizan_core::BoxError;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::*;

/// What a test sends it.
pub(crate) struct Piped {
    pub(crate) frames: UnboundedReceiver<Result<Frame<Bytes>, Torn>>,
    pub(crate) exact: Option<u64>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Torn;

impl std::fmt::Display for Torn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("torn")
    }
}

impl Error for Torn {}

impl Body for Piped {
    type Data = Bytes;
    type Error = Torn;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Torn>>> {
        self.frames.poll_recv(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.exact.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

type Pipe = UnboundedSender<Result<Frame<Bytes>, Torn>>;

/// A cache before an origin that answers with pipes, of which the other ends are returned as they are made.
#[derive(Clone)]
struct Pipes {
    layer: CacheLayer,
    says: &'static [(&'static str, &'static str)],
    exact: Option<u64>,
    pipes: Arc<Mutex<Vec<Pipe>>>,
}

impl Pipes {
    fn new(says: &'static [(&'static str, &'static str)], exact: Option<u64>) -> Self {
        Self { layer: CacheLayer::rfc9111(), says, exact, pipes: Arc::default() }
    }

    fn fresh() -> Self {
        Self::new(&[("cache-control", "max-age=99")], None)
    }

    async fn get(&self) -> CacheBody<Piped> {
        let this = self.clone();
        let inner = tower::service_fn(move |_: Request<Full<Bytes>>| {
            let (sends, frames) = unbounded_channel();
            this.pipes.lock().unwrap().push(sends);
            let body = Piped { frames, exact: this.exact };
            ready(Ok::<_, &str>(answer_of(200, this.says, "").map(|_| body)))
        });
        self.layer.layer(inner).oneshot(request("GET", URI, &[])).await.unwrap().into_body()
    }

    fn asked(&self) -> usize {
        self.pipes.lock().unwrap().len()
    }

    fn pipe(&self) -> Pipe {
        self.pipes.lock().unwrap().last().unwrap().clone()
    }

    fn push(&self, data: impl Into<Bytes>) {
        self.pipe().send(Ok(Frame::data(data.into()))).unwrap();
    }

    /// No more comes.
    fn end(&self) {
        let (never, _) = unbounded_channel();
        *self.pipes.lock().unwrap().last_mut().unwrap() = never;
    }
}

async fn next(body: &mut CacheBody<Piped>) -> Option<Result<String, BoxError>> {
    let frame = body.frame().await?;
    Some(frame.map(|frame| match frame.into_data() {
        Ok(data) => String::from_utf8(data.to_vec()).unwrap(),
        Err(frame) => format!("{:?}", frame.into_trailers().unwrap()),
    }))
}

async fn data(body: &mut CacheBody<Piped>) -> String {
    next(body).await.expect("there is more").expect("it is not broken")
}

fn is_pending(body: &mut CacheBody<Piped>) -> bool {
    let mut frame = body.frame();
    Pin::new(&mut frame).poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending()
}

#[tokio::test(start_paused = true)]
async fn who_comes_later_gets_it_from_the_first_byte_while_it_comes() {
    let pipes = Pipes::fresh();
    let mut first = pipes.get().await;
    pipes.push("one ");
    assert_eq!(data(&mut first).await, "one ");
    let mut second = pipes.get().await;
    assert_eq!(data(&mut second).await, "one ");
    pipes.push("two");
    // Who came second reads first.
    assert_eq!((data(&mut second).await, data(&mut first).await), ("two".into(), "two".into()));
    assert!(is_pending(&mut first) && is_pending(&mut second));
    pipes.end();
    assert!(next(&mut second).await.is_none() && next(&mut first).await.is_none());
    assert!(first.is_end_stream() && second.is_end_stream());
    assert_eq!(data(&mut pipes.get().await).await, "one two", "in one piece");
    assert_eq!(pipes.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_is_left_reads_on_when_who_polled_leaves() {
    let pipes = Pipes::fresh();
    let mut first = pipes.get().await;
    let mut second = pipes.get().await;
    assert!(is_pending(&mut first));
    let second = tokio::spawn(async move { data(&mut second).await + &data(&mut second).await });
    tokio::task::yield_now().await;
    // It was the one whose poll the origin's body saw.
    drop(first);
    pipes.push("one ");
    tokio::task::yield_now().await;
    pipes.push("two");
    assert_eq!(second.await.unwrap(), "one two");
    assert_eq!(pipes.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_reads_without_polling_on_holds_up_nobody() {
    let pipes = Pipes::fresh();
    let mut first = pipes.get().await;
    let mut second = pipes.get().await;
    let second = tokio::spawn(async move {
        let mut read = Vec::new();
        while let Some(frame) = next(&mut second).await {
            read.push(frame.unwrap());
        }
        read
    });
    for text in ["a", "b", "c"] {
        pipes.push(text);
    }
    // It takes one frame, of three that are there, and stops.
    assert_eq!(data(&mut first).await, "a");
    tokio::task::yield_now().await;
    pipes.push("d");
    pipes.end();
    assert_eq!(second.await.unwrap(), ["a", "b", "c", "d"]);
    // What it has not read is in one piece by now.
    assert_eq!(data(&mut first).await, "bcd");
    assert!(next(&mut first).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn when_all_have_left_it_is_given_up() {
    let pipes = Pipes::fresh();
    let (first, second) = (pipes.get().await, pipes.get().await);
    drop(first);
    assert!(!pipes.pipe().is_closed());
    drop(second);
    assert!(pipes.pipe().is_closed(), "the origin's body is gone");
    pipes.get().await;
    assert_eq!(pipes.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_breaks_off_breaks_off_for_all() {
    let pipes = Pipes::fresh();
    let (mut first, mut second, mut third) = (pipes.get().await, pipes.get().await, pipes.get().await);
    pipes.push("one");
    assert_eq!(data(&mut first).await, "one");
    pipes.pipe().send(Err(Torn)).unwrap();
    let error = next(&mut first).await.unwrap().unwrap_err();
    assert_eq!(data(&mut second).await, "one", "what came is read");
    let other = next(&mut second).await.unwrap().unwrap_err();
    for error in [error, other] {
        assert_eq!(error.to_string(), "cache: the response that was shared with another call broke off");
        assert!(bartizan_core::find_source::<Torn>(&*error).is_some());
    }
    assert!(!first.is_end_stream() && !second.is_end_stream());
    for body in [&mut first, &mut second] {
        assert!(next(body).await.is_none(), "there is one error and nothing after it");
    }
    pipes.get().await;
    assert_eq!(pipes.asked(), 2, "it is not stored, and nobody joins it");
    assert_eq!(data(&mut third).await, "one");
}

#[tokio::test(start_paused = true)]
async fn who_reads_alone_gets_the_error_as_it_is() {
    let pipes = Pipes::fresh();
    let mut body = pipes.get().await;
    pipes.pipe().send(Err(Torn)).unwrap();
    let error = next(&mut body).await.unwrap().unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Torn));
    assert!(next(&mut body).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn trailers_are_for_all_and_are_stored() {
    let pipes = Pipes::fresh();
    let (mut first, mut second) = (pipes.get().await, pipes.get().await);
    pipes.push("one");
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "1".parse().unwrap());
    pipes.pipe().send(Ok(Frame::trailers(trailers))).unwrap();
    pipes.end();
    for body in [&mut first, &mut second] {
        assert_eq!(data(body).await, "one");
        assert!(!body.is_end_stream());
        assert_eq!(data(body).await, "{\"x-sum\": \"1\"}");
    }
    assert!(next(&mut first).await.is_none() && next(&mut second).await.is_none());
    let mut hit = pipes.get().await;
    assert_eq!((data(&mut hit).await, data(&mut hit).await), ("one".into(), "{\"x-sum\": \"1\"}".into()));
    assert_eq!(pipes.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn how_long_it_is_counts_down_for_each() {
    let pipes = Pipes::new(&[("cache-control", "max-age=99"), ("content-length", "6")], Some(6));
    let (mut first, second) = (pipes.get().await, pipes.get().await);
    pipes.push("one");
    data(&mut first).await;
    assert_eq!((first.size_hint().exact(), second.size_hint().exact()), (Some(3), Some(6)));
    assert_eq!(Pipes::fresh().get().await.size_hint().exact(), None);
}

const MIB: usize = 1024 * 1024;

/// Of a body that goes on and on.
fn chunk() -> Bytes {
    Bytes::from(vec![b'x'; MIB])
}

#[tokio::test(start_paused = true)]
async fn what_becomes_too_long_goes_on_for_those_who_read_it() {
    let pipes = Pipes::fresh();
    let (mut first, mut second) = (pipes.get().await, pipes.get().await);
    for _ in 0..20 {
        pipes.push(chunk());
        assert_eq!((data(&mut first).await.len(), data(&mut second).await.len()), (MIB, MIB));
    }
    // Nobody else may join, since the beginning is gone.
    drop(pipes.get().await);
    assert_eq!(pipes.asked(), 2);
    let others = (pipes.get().await, pipes.get().await);
    assert_eq!(pipes.asked(), 4, "nor do they wait for each other, since all would be too long");
    pipes.pipes.lock().unwrap().remove(0);
    assert!(next(&mut first).await.is_none() && next(&mut second).await.is_none());
    drop(pipes.get().await);
    assert_eq!(pipes.asked(), 4, "counted without the first");
    drop(others);
}

#[tokio::test(start_paused = true)]
async fn who_reads_too_slowly_what_is_too_long_is_waited_for_ten_seconds() {
    let pipes = Pipes::fresh();
    let (mut fast, mut slow) = (pipes.get().await, pipes.get().await);
    (0..20).for_each(|_| pipes.push(chunk()));
    assert_eq!(data(&mut slow).await.len(), MIB);
    for _ in 0..10 {
        data(&mut fast).await;
    }
    assert!(is_pending(&mut fast), "it is more than 8 MiB ahead");
    // A little further, and so is who waits.
    assert_eq!(data(&mut slow).await.len(), MIB);
    assert_eq!(data(&mut fast).await.len(), MIB);
    let start = Instant::now();
    assert_eq!(data(&mut fast).await.len(), MIB);
    assert_eq!(start.elapsed(), 10 * SECOND);
    let error = next(&mut slow).await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "cache: a response too long to be stored was read too slowly for the calls that it was shared with"
    );
    assert!(next(&mut slow).await.is_none());
    drop(slow);
    for _ in 0..8 {
        assert_eq!(data(&mut fast).await.len(), MIB);
    }
    pipes.end();
    assert!(next(&mut fast).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_slower_one_goes_on_as_soon_as_that_one_does_or_leaves() {
    for leaves in [true, false] {
        let pipes = Pipes::fresh();
        let (mut fast, mut slow) = (pipes.get().await, pipes.get().await);
        (0..12).for_each(|_| pipes.push(chunk()));
        let fast = tokio::spawn(async move {
            for _ in 0..12 {
                data(&mut fast).await;
            }
            Instant::now()
        });
        tokio::time::sleep(SECOND).await;
        let now = Instant::now();
        if leaves {
            drop(slow);
        } else {
            for _ in 0..4 {
                data(&mut slow).await;
            }
        }
        assert_eq!(fast.await.unwrap(), now, "{leaves}");
    }
}

/// Panics when it is polled the second time.
struct Panics(bool);

impl Body for Panics {
    type Data = Bytes;
    type Error = Torn;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Torn>>> {
        assert!(!self.0, "as it should");
        self.0 = true;
        Poll::Ready(Some(Ok(Frame::data("one".into()))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_panics_breaks_off_for_the_others() {
    let layer = CacheLayer::rfc9111();
    let get = || {
        let inner = tower::service_fn(|_: Request<Full<Bytes>>| {
            let says = [("cache-control", "max-age=99")];
            ready(Ok::<_, &str>(answer_of(200, &says, "").map(|_| Panics(false))))
        });
        layer.layer(inner).oneshot(request("GET", URI, &[]))
    };
    let (mut first, mut second) = (get().await.unwrap().into_body(), get().await.unwrap().into_body());
    let panicked = tokio::spawn(async move {
        first.frame().await.unwrap().unwrap();
        first.frame().await
    });
    assert!(panicked.await.unwrap_err().is_panic());
    assert!(second.frame().await.unwrap().is_ok());
    assert!(second.frame().await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn an_endless_stream_passes_its_first_event_at_once() {
    for says in [&[("content-type", "text/event-stream")][..], &[("cache-control", "max-age=99")]] {
        let pipes = Pipes::new(says, None);
        let mut body = pipes.get().await;
        pipes.push("data: 1\n\n");
        assert_eq!(data(&mut body).await, "data: 1\n\n");
        assert!(is_pending(&mut body));
    }
}
