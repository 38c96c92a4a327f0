//! Callers of an axum app on loopback, which knows them by key, password or token.

#![allow(missing_docs)]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::routing::get;
use axum::{Extension, Router};
use bartizan_auth::server::{
    ApiKeys, BasicUsers, BearerTokens, Place, Principal, Principals, SecretDigest, VerifyLayer,
};
use bartizan_auth::{
    ApiKey, AuthLayer, Authorizer, Basic, Bearer, Origins, Refreshing, Secret, Token, TokenError,
};
use bartizan_cache::CacheLayer;
use bartizan_core::{BoxError, Respond};
use bartizan_retry::RetryLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{ServiceBuilder, ServiceExt};

/// Where the app listens, until the test's runtime is gone.
async fn serve(app: Router) -> Result<String, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}

async fn whoami(Extension(principal): Extension<Principal>, request: axum::extract::Request) -> String {
    format!("{principal} {} {:?}", request.uri(), request.headers().get("authorization"))
}

fn principals() -> Principals {
    let pair = SecretDigest::of_user("ann", "p4:ß").expect("a user without a colon");
    Principals::new([(SecretDigest::of("k3y"), "billing"), (pair, "ann")])
}

fn anybody_known() -> Result<VerifyLayer<Respond>, BoxError> {
    let keys = ApiKeys::new(principals()).or_at(Place::query("key")?).or_at(Place::cookie("key")?);
    let tokens = BearerTokens::new(principals());
    Ok(VerifyLayer::new(BasicUsers::new(principals())).or(tokens).or(keys).respond())
}

/// Status and text, with what our client puts on the request.
async fn ask(origin: &str, path: &str, authorizer: impl Authorizer) -> Result<(u16, String), BoxError> {
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let client = ServiceBuilder::new()
        .layer(AuthLayer::new(Origins::new([origin])?, authorizer).or_without())
        .service(http);
    let answer = client.oneshot(Request::get(format!("{origin}{path}")).body(Full::default())?).await?;
    let status = answer.status().as_u16();
    Ok((status, String::from_utf8(answer.into_body().collect().await?.to_bytes().into())?))
}

#[tokio::test]
async fn what_our_clients_send_our_servers_know() -> Result<(), BoxError> {
    let app = Router::new().route("/me", get(whoami)).layer(anybody_known()?);
    let origin = serve(app).await?;
    let billing = (200, "billing /me?a=1 None".to_owned());
    assert_eq!(ask(&origin, "/me?a=1", ApiKey::new("k3y")?).await?, billing);
    assert_eq!(ask(&origin, "/me?a=1", ApiKey::query("key", "k3y")?).await?, billing);
    assert_eq!(ask(&origin, "/me?a=1", ApiKey::cookie("key", "k3y")?).await?, billing);
    assert_eq!(ask(&origin, "/me?a=1", Bearer::new("k3y")?).await?, billing);
    assert_eq!(ask(&origin, "/me", Basic::new("ann", "p4:ß")?).await?, (200, "ann /me None".to_owned()));
    assert_eq!(ask(&origin, "/me", Basic::new("ann", "p4")?).await?.0, 401);
    assert_eq!(ask(&origin, "/me", Bearer::unset()).await?.0, 401);
    assert_eq!(ask(&origin, "/me?key=k3y", ApiKey::new("k3y")?).await?.0, 400);
    Ok(())
}

#[tokio::test]
async fn a_route_layer_guards_the_routes_before_it_alone() -> Result<(), BoxError> {
    let app = Router::new().route("/me", get(whoami)).route_layer(anybody_known()?);
    let origin = serve(app.route("/health", get(async || "well"))).await?;
    assert_eq!(ask(&origin, "/me", Bearer::unset()).await?.0, 401);
    assert_eq!(ask(&origin, "/health", Bearer::unset()).await?, (200, "well".to_owned()));
    assert_eq!(ask(&origin, "/none", Bearer::unset()).await?.0, 404);
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_not_accepted_any_more_is_fetched_anew_by_our_client() -> Result<(), BoxError> {
    let known = Principals::new([(SecretDigest::of("t1"), "billing")]);
    let layer = VerifyLayer::new(BearerTokens::new(known.clone())).respond();
    let origin = serve(Router::new().route("/me", get(whoami)).layer(layer)).await?;
    let fetched = Arc::<AtomicU64>::default();
    let tokens = Refreshing::new({
        let fetched = fetched.clone();
        move |_: Option<Secret>| {
            let number = fetched.fetch_add(1, Ordering::Relaxed) + 1;
            async move { Token::new(format!("t{number}")).map_err(TokenError::permanent) }
        }
    });
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let auth = AuthLayer::new(Origins::new([&origin])?, tokens);
    let client = ServiceBuilder::new().layer(RetryLayer::new()).layer(auth).service(http);
    for number in 1..4 {
        known.set([(SecretDigest::of(format!("t{number}")), "billing")]);
        for _ in 0..2 {
            let request = Request::get(format!("{origin}/me")).body(Full::default())?;
            assert_eq!(client.clone().oneshot(request).await?.status(), 200);
        }
        assert_eq!(fetched.load(Ordering::Relaxed), number);
    }
    Ok(())
}

/// Says who has asked, and how often that was; fresh for a minute.
fn counting()
-> impl tower::Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = BoxError, Future: Send>
+ Clone
+ Send {
    let asked = Arc::<AtomicU64>::default();
    tower::service_fn(move |request: Request<Full<Bytes>>| {
        let who = Principal::of(request.extensions()).map(Principal::to_string).unwrap_or_default();
        let text = format!("{who} {}", asked.fetch_add(1, Ordering::Relaxed) + 1);
        async move {
            let answer = Response::builder().header("cache-control", "max-age=60");
            Ok::<_, BoxError>(answer.body(Full::from(text))?)
        }
    })
}

async fn behind(cache: CacheLayer, fields: &[(&str, &str)]) -> Result<Vec<String>, BoxError> {
    let layer = anybody_known()?;
    let app = ServiceBuilder::new().layer(layer).layer(cache).service(counting());
    let mut told = Vec::new();
    for (name, value) in fields {
        let request = Request::get("http://app.example/me").header(*name, *value).body(Full::default())?;
        let answer = app.clone().oneshot(request).await?;
        told.push(String::from_utf8(answer.into_body().collect().await?.to_bytes().into())?);
    }
    Ok(told)
}

const BILLING: (&str, &str) = ("x-api-key", "k3y");
const ANN: (&str, &str) = ("authorization", "Basic YW5uOnA0OsOf");

#[tokio::test]
async fn a_cache_inside_keeps_callers_apart() -> Result<(), BoxError> {
    let told = behind(CacheLayer::rfc9111(), &[BILLING, ANN, BILLING, ANN, ("authorization", "Bearer k3y")]);
    assert_eq!(told.await?, ["billing 1", "ann 2", "billing 1", "ann 2", "billing 1"]);
    Ok(())
}

#[tokio::test]
async fn a_shared_cache_inside_stores_nothing_that_is_for_one_caller() -> Result<(), BoxError> {
    let told = behind(CacheLayer::rfc9111().shared(), &[BILLING, BILLING, ANN]);
    assert_eq!(told.await?, ["billing 1", "billing 2", "ann 3"]);
    Ok(())
}

/// The status line of the answer to these fields.
async fn raw(origin: &str, fields: &[u8]) -> Result<String, BoxError> {
    let address = origin.strip_prefix("http://").unwrap_or(origin);
    let mut stream = TcpStream::connect(address).await?;
    let request = [b"GET /me HTTP/1.1\r\nhost: a\r\nconnection: close\r\n", fields, b"\r\n"].concat();
    stream.write_all(&request).await?;
    let mut got = Vec::new();
    stream.read_to_end(&mut got).await?;
    Ok(String::from_utf8_lossy(&got).lines().next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn whatever_a_stranger_sends_is_answered() -> Result<(), BoxError> {
    let origin = serve(Router::new().route("/me", get(whoami)).layer(anybody_known()?)).await?;
    let cookies: String = (0..10_000).map(|nth| format!("c{nth}=1; ")).collect();
    let (unauthorized, bad) = ("HTTP/1.1 401 Unauthorized", "HTTP/1.1 400 Bad Request");
    for (fields, expected) in [
        (format!("cookie: {cookies}\r\n").into_bytes(), unauthorized),
        (format!("cookie: {cookies}key=k3y\r\n").into_bytes(), "HTTP/1.1 200 OK"),
        (format!("x-api-key: {}\r\n", "k".repeat(100_000)).into_bytes(), unauthorized),
        (format!("authorization: Basic {}\r\n", "QUFB".repeat(25_000)).into_bytes(), unauthorized),
        (format!("authorization: Bearer {}\r\n", "k".repeat(100_000)).into_bytes(), unauthorized),
        (b"x-api-key: \xff\xfe\x80\r\n".to_vec(), unauthorized),
        (b"authorization: Basic \xff\r\n".to_vec(), unauthorized),
        (b"authorization: Bearer \xff\r\n".to_vec(), bad),
        (b"authorization: \xff\xff\r\n".to_vec(), unauthorized),
        (b"x-api-key: k3y\r\nX-API-KEY: k3y\r\n".to_vec(), bad),
        (b"authorization: Bearer k3y\r\nauthorization: Bearer k3y\r\n".to_vec(), bad),
    ] {
        let shown = String::from_utf8_lossy(&fields[..fields.len().min(60)]).into_owned();
        assert_eq!(raw(&origin, &fields).await?, expected, "{shown}");
    }
    Ok(())
}

#[test]
fn a_service_that_cannot_fail_stays_one() -> Result<(), BoxError> {
    fn cannot_fail<S: tower::Service<Request<()>, Error = Infallible>>(_: &S) {}
    let app = tower::service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    cannot_fail(&ServiceBuilder::new().layer(anybody_known()?).service(app));
    Ok(())
}
