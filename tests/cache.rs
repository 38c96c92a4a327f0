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
        "/torn" => Act::reset_mid_body(3).header("cache-control", "max-age=60"),
        _ => fresh().header("cache-control", "no-store"),
    }
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
