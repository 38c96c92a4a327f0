//! Bodies that go twice, once, or are left.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_stream_is_replayed_byte_for_byte() {
    let upstream = Upstream::of([Read(2, 503), Read(0, 503)]);
    let service = ServiceBuilder::new().layer(ReplayLayer::new(6)).layer(layer()).service(upstream.clone());
    assert_eq!(service.oneshot(streamed(["ab", "cd", "ef"])).await.unwrap().status(), 200);
    assert_eq!(upstream.bodies(), ["abcd", "", "abcdef"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_above_the_limit_is_sent_once_and_its_answer_returned() {
    let (upstream, told) = (Upstream::of([status(503)]), Told::default());
    let service = ServiceBuilder::new()
        .layer(ReplayLayer::new(5))
        .layer(layer().hook(told.clone()))
        .service(upstream.clone());
    assert_eq!(service.oneshot(streamed(["ab", "cd", "ef"])).await.unwrap().status(), 503);
    assert_eq!(upstream.bodies(), ["abcdef"]);
    assert_eq!(told.take(), ["body after 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_gone_is_the_reason_before_any_wait() {
    let told = Told::default();
    let service = ServiceBuilder::new()
        .layer(ReplayLayer::new(5))
        .layer(layer().hook(told.clone()))
        .service(Upstream::of([throttled(&[(RETRY_AFTER, "301")])]));
    assert_eq!(service.oneshot(streamed(["ab", "cd", "ef"])).await.unwrap().status(), 429);
    assert_eq!(told.take(), ["body after 1"]);
}

/// A body that says it can be copied, and can so many times.
#[derive(Debug)]
struct Copies(Full<Bytes>, Arc<AtomicUsize>);

impl bartizan_core::Replay for Copies {
    fn replay(&self) -> Option<Self> {
        let left = self.1.load(Ordering::Relaxed).checked_sub(1)?;
        self.1.store(left, Ordering::Relaxed);
        Some(Self(self.0.clone(), self.1.clone()))
    }
}

impl Body for Copies {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_comes_too_late_ends_the_call_without_a_wait() {
    let (start, told) = (Instant::now(), Told::default());
    let service = layer().hook(told.clone()).layer(Upstream::of([status(503)]));
    let response = service.oneshot(get().map(|body| Copies(body, Arc::new(1.into())))).await.unwrap();
    assert_eq!((response.status().as_u16(), start.elapsed()), (503, Duration::ZERO));
    assert!(response.extensions().is_empty(), "one attempt is no news");
    assert_eq!(told.take(), ["body after 1"]);
}

/// A body that can never be sent twice.
#[derive(Debug)]
struct Once(Full<Bytes>);

impl bartizan_core::Replay for Once {
    fn replay(&self) -> Option<Self> {
        None
    }
}

impl Body for Once {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_without_a_copy_goes_once_and_whole() {
    let (upstream, told) = (Upstream::of([status(503)]), Told::default());
    let service = layer().hook(told.clone()).layer(upstream.clone());
    let response = service.oneshot(get().map(Once)).await.unwrap();
    assert_eq!((response.status().as_u16(), upstream.bodies()), (503, vec![Bytes::from("body")]));
    assert_eq!(told.take(), ["body after 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_discarded_answer_is_read_while_the_wait_lasts() {
    let slow = |ms| {
        let steps = [Step::data("some"), Step::Wait(Duration::from_millis(ms)), Step::data("text")];
        answer(503).map(|_| bodies::Body::frames(steps))
    };
    for (ms, is_read) in [(40, true), (60, false)] {
        let response = slow(ms);
        let (start, probe) = (Instant::now(), response.body().probe());
        let wait = Backoff::fixed(Duration::from_millis(70));
        let service = layer().backoff(wait).layer(Upstream::of([Answer(response)]));
        assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
        assert_eq!((probe.end_was_returned(), probe.is_dropped()), (is_read, true), "{ms} ms");
        assert_eq!(start.elapsed(), Duration::from_millis(70), "reading is part of the wait");
    }
}
