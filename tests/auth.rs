//! Credentials over sockets, beside redirects and caches. The servers' logs are the judge.

#![allow(missing_docs)]

#[path = "auth/redirects.rs"]
mod redirects;
#[path = "tls/server.rs"]
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_auth::{
    ApiKey, AuthLayer, Authorizer, Basic, Bearer, Origins, Refreshing, Secret, Token, TokenError,
};
use bartizan_cache::CacheLayer;
use bartizan_core::BoxError;
use bartizan_retry::RetryLayer;
use bartizan_test::server::{Act, Seen, Server};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;
use tower_http::follow_redirect::policy::{Limited, PolicyExt};

type Http = Client<HttpConnector, Full<Bytes>>;

fn http() -> Http {
    Client::builder(TokioExecutor::new()).build_http()
}

const SECRET: &str = "s3cr3t";

/// Whether the secret stands anywhere in the request, as it is or in base64 at any place of a pair.
fn has_secret(seen: &Seen) -> bool {
    let values = seen.headers.values().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let text = format!("{} {}", seen.path, values.collect::<String>());
    text.contains(SECRET) || text.contains("dTpzM2NyM3Q=")
}

/// How a GET ends.
async fn follow<A, S>(client: S, uri: &str) -> Result<Response<Bytes>, BoxError>
where
    S: Service<Request<Full<Bytes>>, Response = Response<A>, Error: Into<BoxError>>,
    A: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    let request = Request::get(uri).body(Full::default())?;
    let (head, body) = client.oneshot(request).await.map_err(Into::into)?.into_parts();
    Ok(Response::from_parts(head, body.collect().await.map_err(Into::into)?.to_bytes()))
}

/// Which of four requests carried the credential: the first one, those that came by a redirect to the same origin and to another one, and one that came back.
async fn redirected<A: Authorizer>(
    status: u16,
    make: impl Fn() -> A,
    is_outside: bool,
) -> Result<[bool; 4], BoxError> {
    let other = Server::h1(|seen: &Seen| match seen.path.split('?').next().unwrap_or_default() {
        "/there" => Act::reply(200).body("there"),
        // Back to whoever sent it.
        _ => {
            let back = seen.path.split("to=").nth(1).unwrap_or_default();
            Act::reply(302).header("location", &format!("http://{back}/end"))
        }
    })
    .await?;
    let elsewhere = other.uri("/there");
    let via = other.uri("/back");
    let here = Server::h1(move |seen: &Seen| {
        // Some servers repeat the query in what they redirect to.
        let query = seen.path.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
        match seen.path.split('?').next().unwrap_or_default() {
            "/start" => Act::reply(status).header("location", &format!("/same{query}")),
            "/same" => Act::reply(status).header("location", &format!("{elsewhere}{query}")),
            "/leave" => {
                let host = seen.headers["host"].to_str().unwrap_or_default();
                Act::reply(status).header(
                    "location",
                    &format!("{via}{query}{}to={host}", if query.is_empty() { "?" } else { "&" }),
                )
            }
            _ => Act::reply(200).body("end"),
        }
    })
    .await?;
    let auth = AuthLayer::new(Origins::new([here.uri("").trim_end_matches('/')])?, make());
    for path in ["/start", "/leave"] {
        let answer = if is_outside {
            let policy = auth
                .redirect_policy()
                .and::<_, Full<Bytes>, hyper_util::client::legacy::Error>(Limited::new(5));
            let stack =
                ServiceBuilder::new().layer(auth.clone()).layer(FollowRedirectLayer::with_policy(policy));
            follow(stack.service(http()), &here.uri(path)).await?
        } else {
            let follower = FollowRedirectLayer::with_policy(Limited::new(5));
            follow(ServiceBuilder::new().layer(follower).layer(auth.clone()).service(http()), &here.uri(path))
                .await?
        };
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(other.log().requests().len(), 2, "both were followed");
    assert!(!other.log().requests().iter().any(has_secret), "{:?}", other.log().requests());
    let seen = here.log().requests();
    let paths: Vec<_> =
        seen.iter().map(|seen| seen.path.split('?').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(paths, ["/start", "/same", "/leave", "/end"]);
    let [first, same, leave, back] = [0, 1, 2, 3].map(|index| has_secret(&seen[index]));
    Ok([first, same, leave, back])
}

#[tokio::test]
async fn no_credential_reaches_another_origin_by_a_redirect() -> Result<(), BoxError> {
    for status in [301, 302, 303, 307, 308] {
        for is_outside in [false, true] {
            // What was taken off on the way is not put on again by a follower; inside of one it is.
            let expected = [true, true, true, !is_outside];
            let name = http::HeaderName::from_static("x-key");
            let seen = [
                redirected(status, || Bearer::new(SECRET).expect("a token"), is_outside).await?,
                redirected(status, || Basic::new("u", SECRET).expect("a pair"), is_outside).await?,
                redirected(status, || ApiKey::new(SECRET).expect("a key"), is_outside).await?,
                redirected(status, || ApiKey::header(name.clone(), SECRET).expect("a key"), is_outside)
                    .await?,
                redirected(status, || ApiKey::cookie("sid", SECRET).expect("a key"), is_outside).await?,
            ];
            for seen in seen {
                assert_eq!(seen, expected, "{status} {is_outside}");
            }
            let seen =
                redirected(status, || ApiKey::query("key", SECRET).expect("a key"), is_outside).await?;
            assert_eq!(seen[..3], expected[..3], "{status} {is_outside}");
        }
    }
    Ok(())
}

/// Fresh for a minute, and says who has asked.
fn whoami(seen: &Seen) -> Act {
    let who = seen.headers.get("authorization").map_or("nobody", |value| value.to_str().unwrap_or_default());
    Act::reply(200).header("cache-control", "max-age=60").body(who.to_owned())
}

#[tokio::test]
async fn a_cache_outside_keeps_tenants_apart() -> Result<(), BoxError> {
    let server = Server::h1(whoami).await?;
    let origins = Origins::new([server.uri("").trim_end_matches('/')])?;
    let cache = CacheLayer::rfc9111();
    let tenant = |token: &str| {
        let auth = AuthLayer::new(origins.clone(), Bearer::new(token).expect("a token"));
        ServiceBuilder::new().layer(auth.identity_layer()).layer(cache.clone()).layer(auth).service(http())
    };
    for (asked, token) in [(1, "one"), (2, "two"), (2, "one"), (2, "two")] {
        let answer = follow(tenant(token), &server.uri("/me")).await?;
        assert_eq!(answer.body(), &format!("Bearer {token}"));
        assert_eq!(server.log().requests().len(), asked);
    }
    Ok(())
}

#[tokio::test]
async fn a_shared_cache_outside_stores_nothing_that_was_asked_for_with_a_credential() -> Result<(), BoxError>
{
    let server = Server::h1(whoami).await?;
    let auth = AuthLayer::new(Origins::new([server.uri("").trim_end_matches('/')])?, ApiKey::new(SECRET)?);
    let shared = CacheLayer::rfc9111().shared();
    let stack = ServiceBuilder::new().layer(auth.identity_layer()).layer(shared).layer(auth).service(http());
    for asked in 1..3 {
        follow(stack.clone(), &server.uri("/me")).await?;
        assert_eq!(server.log().requests().len(), asked);
    }
    Ok(())
}

/// An API that takes tokens from a number on, `t1`, `t2` and so on.
fn takes_from(least: Arc<AtomicU64>) -> impl Fn(&Seen) -> Act + Send + Sync + 'static {
    move |seen: &Seen| {
        let token = seen.headers.get("authorization").and_then(|value| value.to_str().ok());
        let token = token.and_then(|token| token.strip_prefix("Bearer t")?.parse::<u64>().ok());
        if token.is_some_and(|token| token >= least.load(Ordering::Relaxed)) {
            return Act::reply(200);
        }
        Act::reply(401).header("www-authenticate", "Bearer realm=\"api\", error=\"invalid_token\"")
    }
}

/// How so many calls at once end, through retry and auth.
async fn at_once(calls: usize, tokens: &Refreshing, server: &Server) -> Result<Vec<u16>, BoxError> {
    let auth = AuthLayer::new(Origins::new([server.uri("").trim_end_matches('/')])?, tokens.clone());
    let client = ServiceBuilder::new().layer(RetryLayer::new()).layer(auth).service(http());
    let mut tasks = JoinSet::new();
    for _ in 0..calls {
        let (client, request) = (client.clone(), Request::get(server.uri("/")).body(Full::default())?);
        tasks.spawn(async move { client.oneshot(request).await.map(|answer| answer.status().as_u16()) });
    }
    tasks.join_all().await.into_iter().collect()
}

/// Tokens by their number, and how many there were.
fn numbered() -> (Refreshing, Arc<AtomicU64>) {
    let fetched = Arc::<AtomicU64>::default();
    let tokens = Refreshing::new({
        let fetched = fetched.clone();
        move |_: Option<Secret>| {
            let number = fetched.fetch_add(1, Ordering::Relaxed) + 1;
            async move {
                tokio::task::yield_now().await;
                Token::new(format!("t{number}")).map_err(TokenError::permanent)
            }
        }
    });
    (tokens, fetched)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_calls_at_once_fetch_one_token() -> Result<(), BoxError> {
    let server = Server::h1(takes_from(Arc::default())).await?;
    let (tokens, fetched) = numbered();
    assert_eq!(at_once(500, &tokens, &server).await?, vec![200; 500]);
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_with_a_revoked_token_succeed_with_one_fetch() -> Result<(), BoxError> {
    let least = Arc::<AtomicU64>::default();
    let server = Server::h1(takes_from(least.clone())).await?;
    let (tokens, fetched) = numbered();
    assert_eq!(at_once(1, &tokens, &server).await?, [200]);
    least.store(2, Ordering::Relaxed);
    assert_eq!(at_once(200, &tokens, &server).await?, vec![200; 200]);
    assert_eq!(fetched.load(Ordering::Relaxed), 2);
    Ok(())
}
