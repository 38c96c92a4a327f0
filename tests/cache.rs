//! The cache between hyper's client and a server on loopback. The server's log is the judge.

#![allow(missing_docs)]

use bartizan_cache::{Cache, CacheBody, CacheLayer};
use bartizan_core::BoxError;
use bartizan_test::server::{Act, Seen, Server};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, ServiceExt};

type Http = Client<HttpConnector, Full<Bytes>>;

fn cache(h2: bool) -> Cache<Http> {
    CacheLayer::rfc9111().layer(Client::builder(TokioExecutor::new()).http2_only(h2).build_http())
}

async fn send(
    cache: &Cache<Http>,
    request: http::request::Builder,
) -> Result<Response<CacheBody<Incoming>>, BoxError> {
    Ok(cache.clone().oneshot(request.body(Full::default())?).await?)
}

async fn text(response: Response<CacheBody<Incoming>>) -> Result<String, BoxError> {
    Ok(String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?)
}

fn script(seen: &Seen) -> Act {
    let fresh = || Act::reply(200).header("etag", "\"1\"").body(format!("hello from {}", seen.path));
    match seen.path.as_str() {
        "/fresh" => fresh().header("cache-control", "max-age=60"),
        "/asked" if seen.headers.get("if-none-match").is_some_and(|tag| tag == "\"1\"") => {
            Act::reply(304).header("etag", "\"1\"").header("cache-control", "no-cache")
        }
        "/asked" => fresh().header("cache-control", "no-cache"),
        "/parts" | "/parts-torn" => match seen.headers.get("range").map(|range| range.as_bytes()) {
            Some(b"bytes=0-4") => part("0-4").body("01234"),
            Some(_) if seen.path == "/parts" => part("5-9").body("56789").chunked(),
            Some(_) => Act::reset_mid_body(3).header("etag", "\"1\"").header("content-range", "bytes 5-9/10"),
            None => fresh(),
        },
        "/torn" => Act::reset_mid_body(3).header("cache-control", "max-age=60"),
        _ => fresh().header("cache-control", "no-store"),
    }
}

fn part(bytes: &str) -> Act {
    let range = format!("bytes {bytes}/10");
    let reply = Act::reply(206).header("etag", "\"1\"").header("cache-control", "max-age=60");
    reply.header("content-range", &range)
}

async fn walk(h2: bool) -> Result<(), BoxError> {
    let server = if h2 { Server::h2(script).await } else { Server::h1(script).await }?;
    let cache = cache(h2);
    for (path, requests) in [("/fresh", 1), ("/asked", 3), ("/never", 3)] {
        for _ in 0..3 {
            let response = send(&cache, Request::get(server.uri(path))).await?;
            assert_eq!(
                (response.status().as_u16(), text(response).await?),
                (200, format!("hello from {path}"))
            );
        }
        let seen = server.log().requests().iter().filter(|seen| seen.path == path).count();
        assert_eq!(seen, requests, "{path}");
    }
    let asked: Vec<_> =
        server.log().requests().iter().filter_map(|seen| seen.status).map(|status| status.as_u16()).collect();
    assert_eq!(asked, [200, 200, 304, 304, 200, 200, 200]);
    Ok(())
}

#[tokio::test]
async fn what_is_fresh_is_not_asked_for_and_what_is_not_is_validated_over_http_1() -> Result<(), BoxError> {
    walk(false).await
}

#[tokio::test]
async fn what_is_fresh_is_not_asked_for_and_what_is_not_is_validated_over_http_2() -> Result<(), BoxError> {
    walk(true).await
}

#[tokio::test]
async fn what_breaks_off_is_not_stored() -> Result<(), BoxError> {
    let server = Server::h1(script).await?;
    let cache = cache(false);
    for _ in 0..2 {
        let response = send(&cache, Request::get(server.uri("/torn"))).await?;
        assert!(text(response).await.is_err());
    }
    assert_eq!(server.log().requests().len(), 2);
    Ok(())
}

async fn complete(h2: bool) -> Result<(), BoxError> {
    let server = if h2 { Server::h2(script).await } else { Server::h1(script).await }?;
    let cache = cache(h2);
    let beginning = send(&cache, Request::get(server.uri("/parts")).header("range", "bytes=0-4")).await?;
    assert_eq!((beginning.status().as_u16(), text(beginning).await?), (206, "01234".to_owned()));
    for _ in 0..2 {
        let whole = send(&cache, Request::get(server.uri("/parts"))).await?;
        assert_eq!((whole.status().as_u16(), &whole.headers()["content-length"]), (200, &"10".parse()?));
        assert_eq!(text(whole).await?, "0123456789");
    }
    let asked: Vec<_> =
        server.log().requests().iter().map(|seen| seen.headers.get("range").cloned()).collect();
    assert_eq!(asked, [Some("bytes=0-4".parse()?), Some("bytes=5-".parse()?)]);
    Ok(())
}

#[tokio::test]
async fn only_the_rest_of_a_part_is_asked_for_over_http_1() -> Result<(), BoxError> {
    complete(false).await
}

#[tokio::test]
async fn only_the_rest_of_a_part_is_asked_for_over_http_2() -> Result<(), BoxError> {
    complete(true).await
}

#[tokio::test]
async fn a_rest_that_breaks_off_leaves_the_part() -> Result<(), BoxError> {
    let server = Server::h1(script).await?;
    let cache = cache(false);
    let part = || Request::get(server.uri("/parts-torn")).header("range", "bytes=0-4");
    assert_eq!(text(send(&cache, part()).await?).await?, "01234");
    for _ in 0..2 {
        let whole = send(&cache, Request::get(server.uri("/parts-torn"))).await?;
        assert_eq!(whole.status(), 200);
        assert!(text(whole).await.is_err());
    }
    assert_eq!(text(send(&cache, part()).await?).await?, "01234");
    assert_eq!(server.log().requests().len(), 3);
    Ok(())
}
