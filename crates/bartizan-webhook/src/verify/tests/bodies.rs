use http_body::SizeHint;
use tokio::time::Instant;

use super::*;

fn of_length(length: usize) -> Vec<u8> {
    vec![b'x'; length]
}

async fn status<B>(layer: VerifyLayer, request: Request<B>) -> StatusCode
where
    B: http_body::Body,
    B::Error: Into<bartizan_core::BoxError>,
{
    call(layer, request).await.0.status()
}

#[tokio::test]
async fn a_body_may_have_a_mib_and_no_more() {
    let mib = 1024 * 1024;
    for (length, expected) in [(mib, 200), (mib + 1, 413)] {
        let content = of_length(length);
        assert_eq!(status(layer(), signed(&content, Full::<Bytes>::from(content.clone()))).await, expected);
        // In pieces, of which nobody knows how many there are.
        let steps = content.chunks(10_000).map(|piece| Step::data(piece.to_vec()));
        let body = Body::frames(steps).with_size_hint(SizeHint::new());
        assert_eq!(status(layer(), signed(&content, body)).await, expected, "{length} in pieces");
    }
    let content = of_length(11);
    for (limit, expected) in [(10, 413), (11, 200)] {
        let layer = layer().body_limit(limit);
        assert_eq!(status(layer, signed(&content, Full::<Bytes>::from(content.clone()))).await, expected);
    }
}

#[tokio::test]
async fn a_length_that_is_announced_is_believed_if_it_is_too_much_and_makes_no_room() {
    let mut gib = SizeHint::new();
    gib.set_exact(1 << 30);
    let body = Body::never().with_size_hint(gib);
    let probe = body.probe();
    assert_eq!(status(layer(), signed(b"{}", body)).await, 413);
    assert_eq!(probe.polls(), 0, "it is not read");
    // One that lies the other way is counted.
    let body = Body::endless(of_length(1000)).with_size_hint(SizeHint::with_exact(2));
    assert_eq!(status(layer(), signed(b"{}", body)).await, 413);
}

#[tokio::test]
async fn what_is_not_let_through_by_its_head_is_not_read() {
    let body = Body::endless("x");
    let probe = body.probe();
    assert_eq!(status(layer(), Request::new(body)).await, 401);
    assert_eq!(probe.polls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_may_take_ten_seconds_in_all() {
    // A piece each second: it never falls silent.
    let slow = |seconds: u32| {
        let step = |_| [Step::Wait(SECOND), Step::data("x")];
        Body::frames((0..seconds).flat_map(step))
    };
    let started = Instant::now();
    assert_eq!(status(layer(), signed(&of_length(9), slow(9))).await, 200);
    assert_eq!(started.elapsed(), 9 * SECOND);
    let started = Instant::now();
    assert_eq!(status(layer(), signed(&of_length(20), slow(20))).await, 408);
    assert_eq!(started.elapsed(), 10 * SECOND);
    assert_eq!(status(layer().body_timeout(2 * SECOND), signed(b"x", Body::never())).await, 408);
    assert_eq!(started.elapsed(), 12 * SECOND);
    assert_eq!(status(layer().body_timeout(Duration::MAX), signed(&of_length(20), slow(20))).await, 200);
}

#[tokio::test]
async fn frames_without_content_do_not_keep_a_thread_for_ever() {
    // Under a clock that goes on: each time others get their turn, and the time ends it.
    let layer = layer().body_timeout(Duration::from_millis(20));
    assert_eq!(status(layer, signed(b"{}", Body::endless(""))).await, 408);
    let polls = std::cell::Cell::new(0);
    let service = super::layer().layer(service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let mut call = std::pin::pin!(service.oneshot(signed(b"{}", Body::endless(""))));
    std::future::poll_fn(|cx| {
        assert!(call.as_mut().poll(cx).is_pending(), "it yields");
        polls.set(polls.get() + 1);
        std::task::Poll::Ready(())
    })
    .await;
    assert_eq!(polls.get(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told_to_nobody_but_the_log() {
    let body = Body::frames([Step::data("{"), Step::Error]);
    let (answer, got) = call(layer(), signed(b"{}", body)).await;
    assert!(got.is_none());
    assert_eq!(answer.status(), 400);
    assert!(!text(answer).await.contains("reset"));
}

#[tokio::test]
async fn pieces_trailers_and_pauses_do_not_matter() {
    let trailers = HeaderMap::from_iter([("x-signed".parse().unwrap(), "no".parse().unwrap())]);
    let steps =
        [Step::data("{\"a\""), Step::Pending, Step::data(""), Step::data(":1}"), Step::Trailers(trailers)];
    let (answer, got) = call(layer(), signed(b"{\"a\":1}", Body::frames(steps))).await;
    assert_eq!(answer.status(), 200);
    let collected = got.unwrap().into_body().collect().await.unwrap();
    assert!(collected.trailers().is_none(), "they are not signed");
    assert_eq!(collected.to_bytes(), "{\"a\":1}");
}

#[tokio::test]
async fn a_body_that_is_there_in_one_piece_is_not_copied() {
    let content = Bytes::from(of_length(1000));
    let (_, got) = call(layer(), signed(&content, Full::new(content.clone()))).await;
    let got = got.unwrap().into_body().collect().await.unwrap().to_bytes();
    assert_eq!(got.as_ptr(), content.as_ptr());
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_the_body_with_it() {
    for steps in [vec![], vec![Step::data("{"), Step::data("\"")]] {
        let body = Body::frames(steps).then_never();
        let probe = body.probe();
        let app = service_fn(async |_: Request<Full<Bytes>>| -> Result<Response<Full<Bytes>>, Infallible> {
            panic!("nothing is verified")
        });
        let call = layer().layer(app).oneshot(signed(b"{}", body));
        assert!(tokio::time::timeout(Duration::from_millis(1), call).await.is_err());
        assert!(probe.is_dropped());
    }
}
