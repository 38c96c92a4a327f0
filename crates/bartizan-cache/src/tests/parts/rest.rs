//! What a part is the beginning of, and the rest of it.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::Pin;

use bartizan_core::Replay;
use http_body::{Body, Frame};
use tokio::sync::mpsc::unbounded_channel;

use super::*;
use crate::tests::growing::Piped;

#[tokio::test(start_paused = true)]
async fn the_rest_is_fetched_and_the_client_gets_the_whole() {
    let mut rest = fresh_part(5..=9);
    rest.headers_mut().insert("x-new", "1".parse().unwrap());
    let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), rest]).await;
    // That it is stale matters nothing: its validator is held against the origin's.
    advance(200 * SECOND).await;
    let (answer, headers) = send(&cache, request("GET", URI, &[("x-client", "1")])).await.unwrap();
    assert_eq!(answer, got(200, Some(0), WHOLE));
    assert_eq!(
        (shows(&headers, "content-length"), shows(&headers, "content-range")),
        ("10".into(), "".into())
    );
    assert_eq!(shows(&headers, "x-new"), "1");
    let asked = origin.last();
    assert_eq!((shows(&asked, "range"), shows(&asked, "if-range")), ("bytes=5-".into(), "\"a\"".into()));
    assert_eq!(shows(&asked, "x-client"), "1");
    advance(SECOND).await;
    assert_eq!(get(&cache, &[]).await, got(200, Some(1), WHOLE), "and it is stored");
    assert_eq!(get_range(&cache, "bytes=4-5").await, got(206, Some(1), "45"));
    assert_eq!(origin.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_made_complete_is_as_old_as_the_rest() {
    let (cache, _) =
        after("bytes=0-4", [fresh_part(0..=4), part_of(5..=9, &[FRESH, TAGGED, ("age", "7")])]).await;
    advance(9 * SECOND).await;
    assert_eq!(get(&cache, &[]).await, got(200, Some(7), WHOLE));
    advance(SECOND).await;
    assert_eq!(get(&cache, &[]).await, got(200, Some(8), WHOLE));
}

#[tokio::test(start_paused = true)]
async fn what_else_the_origin_tells_with_the_rest_is_passed_on() {
    let mut rest = fresh_part(5..=9);
    *rest.version_mut() = http::Version::HTTP_2;
    rest.extensions_mut().insert("told");
    let (cache, _) = after("bytes=0-4", [fresh_part(0..=4), rest]).await;
    let response = cache.oneshot(request("GET", URI, &[])).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_2));
    assert_eq!(response.extensions().get(), Some(&"told"));
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_range_is_fetched_and_the_client_gets_the_range() {
    let (cache, origin) = after("bytes=1-4", [fresh_part(1..=4), fresh_part(5..=7), fresh_part(8..=9)]).await;
    let (answer, headers) = send(&cache, request("GET", URI, &[("range", "bytes=2-7")])).await.unwrap();
    assert_eq!(answer, got(206, Some(0), "234567"));
    assert_eq!(shows(&headers, "content-range"), "bytes 2-7/10");
    assert_eq!(shows(&headers, "content-length"), "6");
    assert_eq!(
        (shows(&origin.last(), "range"), shows(&origin.last(), "if-range")),
        ("bytes=5-7".into(), "\"a\"".into())
    );
    assert_eq!(get_range(&cache, "bytes=1-7").await, got(206, Some(0), "1234567"), "and it is stored");
    assert_eq!(origin.asked(), 2);
    assert_eq!(get_range(&cache, "bytes=-4").await, got(206, Some(0), "6789"));
    assert_eq!(shows(&origin.last(), "range"), "bytes=8-");
}

#[tokio::test(start_paused = true)]
async fn what_a_client_that_sent_if_range_has_is_left_out() {
    let typed = |bytes| part_of(bytes, &[FRESH, TAGGED, ("content-type", "text/plain")]);
    let (cache, _) = after("bytes=0-4", [typed(0..=4), fresh_part(5..=6)]).await;
    let fields = [("range", "bytes=3-6"), TAGGED];
    let fields = [fields[0], ("if-range", fields[1].1)];
    let (answer, headers) = send(&cache, request("GET", URI, &fields)).await.unwrap();
    assert_eq!((answer, shows(&headers, "content-type")), (got(206, Some(0), "3456"), "".into()));
    // It is there for others.
    let (answer, headers) = send(&cache, request("GET", URI, &[("range", "bytes=3-6")])).await.unwrap();
    assert_eq!((answer, shows(&headers, "content-type")), (got(206, Some(0), "3456"), "text/plain".into()));
}

#[tokio::test(start_paused = true)]
async fn only_the_rest_of_what_is_strongly_tagged_is_asked_for() {
    let tagged = |fields: &[(&str, &str)]| part_of(0..=4, fields);
    let mut unknown = fresh_part(0..=4);
    unknown.headers_mut().insert("content-range", "bytes 0-4/*".parse().unwrap());
    let (before, date) = ("Sun, 06 Nov 1994 08:48:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT");
    for (part, fields, is_asked) in [
        (fresh_part(0..=4), &[][..], true),
        (fresh_part(0..=4), &[("range", "bytes=3-7")], true),
        (fresh_part(0..=4), &[("range", "bytes=3-7"), ("if-range", "\"a\"")], true),
        (fresh_part(0..=4), &[("range", "bytes=3-7"), ("if-range", "\"b\"")], false),
        (fresh_part(0..=4), &[("range", "bytes=5-7")], false),
        (fresh_part(0..=4), &[("range", "bytes=0-1,3-7")], false),
        (fresh_part(0..=4), &[("if-none-match", "\"b\"")], false),
        (fresh_part(0..=4), &[("if-modified-since", before)], false),
        (fresh_part(0..=4), &[("if-match", "\"a\"")], false),
        (fresh_part(0..=4), &[("if-unmodified-since", date)], false),
        (fresh_part(0..=4), &[("cache-control", "no-store")], false),
        (fresh_part(0..=4), &[("cache-control", "no-cache")], true),
        (fresh_part(1..=4), &[], false),
        (unknown, &[], false),
        (tagged(&[FRESH]), &[], false),
        (tagged(&[FRESH, ("etag", "W/\"a\"")]), &[], false),
        (tagged(&[FRESH, ("last-modified", before), ("date", date)]), &[], false),
    ] {
        let shown = format!("{:?} {fields:?}", part.headers());
        let (cache, origin) = after("bytes=0-4", [part, other()]).await;
        get(&cache, fields).await;
        assert_eq!(
            origin.last().contains_key("if-range") && shows(&origin.last(), "range").starts_with("bytes=5-"),
            is_asked,
            "{shown}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_whole_is_stored_the_whole_is_asked_for() {
    for (fields, body) in [
        (&[("cache-control", "max-age=5"), ("etag", "\"w\"")][..], "other"),
        (&[("cache-control", "max-age=5, stale-while-revalidate=99")], WHOLE),
    ] {
        let origin = Origin::of([answer_of(200, fields, WHOLE), fresh_part(0..=4), other()]);
        let cache = cache(&origin);
        get(&cache, &[]).await;
        get(&cache, &[("range", "bytes=0-4"), ("cache-control", "no-cache")]).await;
        advance(9 * SECOND).await;
        assert_eq!(get(&cache, &[]).await.body, body);
        tokio::task::yield_now().await;
        assert!(origin.asked() == 3 && !origin.last().contains_key("if-range"), "{fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_rest_is_asked_for_again_as_the_client_did() {
    let ranged = |bytes, tag: &'static str, range: &'static str| {
        let mut part = part_of(bytes, &[FRESH, ("etag", tag)]);
        part.headers_mut().insert("content-range", range.parse().unwrap());
        part
    };
    for (answer, is_again) in [
        (ranged(5..=9, "\"a\"", "bytes 5-9/10"), false),
        (ranged(5..=9, "\"b\"", "bytes 5-9/10"), true),
        (ranged(5..=9, "W/\"a\"", "bytes 5-9/10"), true),
        (part_of(5..=9, &[FRESH]), true),
        (ranged(4..=9, "\"a\"", "bytes 4-9/10"), true),
        (ranged(5..=8, "\"a\"", "bytes 5-8/10"), true),
        (ranged(5..=9, "\"a\"", "bytes 5-9/11"), true),
        (ranged(5..=9, "\"a\"", "bytes 5-9/*"), true),
        (part_of(5..=9, &[("cache-control", "no-store"), TAGGED]), true),
        (answer_of(304, &[TAGGED], ""), true),
        (answer_of(304, &[FRESH, TAGGED, ("content-range", "bytes 5-9/10")], ""), true),
        (answer_of(416, &[("content-range", "bytes */4")], ""), true),
    ] {
        let shown = format!("{:?}", answer.headers());
        for fields in [&[("x-client", "1")][..], &[("x-client", "1"), ("range", "bytes=3-")]] {
            let mut copy = Response::new(answer.body().clone());
            *copy.status_mut() = answer.status();
            *copy.headers_mut() = answer.headers().clone();
            let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), copy, other()]).await;
            let got = get(&cache, fields).await;
            let asked = origin.last();
            assert_eq!((origin.asked() == 3, got.body == "other"), (is_again, is_again), "{shown}");
            if is_again {
                let range = fields.get(1).map_or("", |range| range.1);
                assert_eq!((shows(&asked, "range").as_str(), shows(&asked, "if-range")), (range, "".into()));
                assert_eq!(shows(&asked, "x-client"), "1");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_became_another_takes_the_place_of_the_parts() {
    let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), other()]).await;
    assert_eq!(get(&cache, &[]).await, got(200, None, "other"));
    assert_eq!(get(&cache, &[]).await, got(200, Some(0), "other"));
    assert_eq!(get_range(&cache, "bytes=3-4").await, got(206, Some(0), "er"));
    assert_eq!(origin.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_to_fetch_the_rest_is_one() {
    let (cache, _) = after("bytes=0-4", [fresh_part(0..=4), answer_of(503, &[], "down")]).await;
    assert_eq!(get(&cache, &[]).await, got(503, None, "down"));
    let origin = Origin::of([fresh_part(0..=4)]).then_unreachable();
    let cache = super::cache(&origin);
    get_range(&cache, "bytes=0-4").await;
    assert!(send(&cache, request("GET", URI, &[])).await.is_err());
    assert_eq!(get_range(&cache, "bytes=0-4").await, got(206, Some(0), "01234"), "the part is still there");
}

#[tokio::test(start_paused = true)]
async fn a_rest_of_another_length_than_it_said_breaks_off() {
    for text in ["5678", "567890"] {
        let rest = fresh_part(5..=9).map(|_| Full::from(text));
        let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), rest, other()]).await;
        let response = cache.clone().oneshot(request("GET", URI, &[])).await.unwrap();
        assert_eq!(response.status(), 200);
        let error = response.into_body().collect().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "cache: the rest of a response that was stored in part has not the length that its head said"
        );
        assert_eq!(get(&cache, &[]).await.body, "other", "nothing was stored");
        assert_eq!(origin.asked(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rest_that_is_not_read_leaves_the_part() {
    let (cache, origin) = after("bytes=0-4", [fresh_part(0..=4), fresh_part(5..=9), fresh_part(5..=9)]).await;
    drop(cache.clone().oneshot(request("GET", URI, &[])).await.unwrap());
    assert_eq!(get_range(&cache, "bytes=0-4").await, got(206, Some(0), "01234"));
    assert_eq!(get(&cache, &[]).await.body, WHOLE);
    assert_eq!(origin.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_beginning_is_there_at_once_and_others_share_the_rest() {
    let pipes = Arc::new(Mutex::new(Vec::new()));
    let made = pipes.clone();
    let inner = tower::service_fn(move |request: Request<Full<Bytes>>| {
        let is_rest = request.headers().contains_key("if-range");
        let (sends, frames) = unbounded_channel();
        made.lock().unwrap().push(sends);
        let response = if is_rest { fresh_part(5..=9) } else { fresh_part(0..=4) };
        ready(Ok::<_, &str>(response.map(|_| Piped { frames, exact: None })))
    });
    let cache = CacheLayer::rfc9111().layer(inner);
    let send =
        |data: &'static str| pipes.lock().unwrap().pop().unwrap().send(Ok(Frame::data(data.into()))).unwrap();
    let ask = |fields| cache.clone().oneshot(request("GET", URI, fields));
    let first = ask(&[("range", "bytes=0-4")]).await.unwrap();
    send("01234");
    first.into_body().collect().await.unwrap();
    let mut one = ask(&[]).await.unwrap().into_body();
    let mut two = ask(&[]).await.unwrap().into_body();
    for body in [&mut one, &mut two] {
        assert_eq!(body.size_hint().exact(), Some(10));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "01234", "at once");
    }
    assert_eq!(pipes.lock().unwrap().len(), 1, "one fetch");
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum-of-the-rest", "1".parse().unwrap());
    pipes.lock().unwrap()[0].send(Ok(Frame::trailers(trailers))).unwrap();
    send("56789");
    for body in [one, two] {
        let rest = body.collect().await.unwrap();
        assert!(rest.trailers().is_none());
        assert_eq!(rest.to_bytes(), "56789");
    }
    assert_eq!(ask(&[]).await.unwrap().into_body().collect().await.unwrap().to_bytes(), WHOLE);
}

/// As hyper's server does, which reads no further than `Content-Length`.
#[tokio::test(start_paused = true)]
async fn who_stops_after_the_last_byte_has_completed_it() {
    let (sends, frames) = unbounded_channel();
    let rest = Arc::new(Mutex::new(Some(frames)));
    let inner = tower::service_fn(move |_: Request<Full<Bytes>>| {
        let frames = rest.lock().unwrap().take().expect("it is asked once");
        ready(Ok::<_, Infallible>(fresh_part(5..=9).map(|_| Piped { frames, exact: None })))
    });
    let layer = CacheLayer::rfc9111();
    let part = fresh_part(0..=4).map(|_| Bytes::from("01234"));
    layer.insert(&request("GET", URI, &[("range", "bytes=0-4")]), part).unwrap();
    let whole = layer.layer(inner).oneshot(request("GET", URI, &[])).await.unwrap();
    let mut body = whole.into_body();
    sends.send(Ok(Frame::data(Bytes::from("56789")))).unwrap();
    for data in ["01234", "56789"] {
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), data);
    }
    assert!(body.is_end_stream());
    drop(body);
    assert_eq!(layer.get(&request("GET", URI, &[])).unwrap().body(), WHOLE);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_before_the_rest_is_there_leaves_the_part_and_hands_over() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let inner = tower::service_fn(move |request: Request<Full<Bytes>>| {
        let mut seen = seen.lock().unwrap();
        seen.push(shows(request.headers(), "range"));
        let count = seen.len();
        async move {
            match count {
                1 => Ok::<_, Infallible>(fresh_part(0..=4)),
                2 => pending().await,
                _ => Ok(fresh_part(5..=9)),
            }
        }
    });
    let cache = CacheLayer::rfc9111().layer(inner);
    let ask = |fields| Box::pin(cache.clone().oneshot(request("GET", URI, fields)));
    ask(&[("range", "bytes=0-4")]).await.unwrap().into_body().collect().await.unwrap();
    let mut leaves = ask(&[]);
    let mut context = Context::from_waker(std::task::Waker::noop());
    assert!(leaves.as_mut().poll(&mut context).is_pending());
    let waits = tokio::spawn(ask(&[]));
    tokio::task::yield_now().await;
    drop(leaves);
    let whole = waits.await.unwrap().unwrap().into_body().collect().await.unwrap();
    assert_eq!(whole.to_bytes(), WHOLE);
    assert_eq!(*asked.lock().unwrap(), ["bytes=0-4", "bytes=5-", "bytes=5-"]);
}

/// A request's body that cannot be sent again.
struct Once;

impl Body for Once {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    /// Else it would be content, and the cache out of it.
    fn is_end_stream(&self) -> bool {
        true
    }
}

impl Replay for Once {
    fn replay(&self) -> Option<Self> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn who_cannot_ask_again_asks_for_the_whole() {
    for answer in [answer_of(200, &[FRESH], WHOLE), fresh_part(5..=9), answer_of(304, &[TAGGED], "")] {
        let origin = Origin::of([fresh_part(0..=4), answer]);
        let status = origin.answers.lock().unwrap()[1].as_ref().unwrap().status();
        let inner = origin.clone();
        let inner = tower::service_fn(move |request: Request<Once>| {
            inner.clone().oneshot(request.map(|_| Full::default()))
        });
        let cache = CacheLayer::rfc9111().layer(inner);
        let ask = |fields| cache.clone().oneshot(request("GET", URI, fields).map(|_| Once));
        ask(&[("range", "bytes=0-4")]).await.unwrap().into_body().collect().await.unwrap();
        assert_eq!(ask(&[]).await.unwrap().status(), status, "as it came");
        assert!(!origin.last().contains_key("range") && !origin.last().contains_key("if-range"));
    }
}
