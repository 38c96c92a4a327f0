//! Senders and strangers at real doors: an axum router, and hyper without anything, on loopback.

#![allow(missing_docs)]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::routing::{get, post};
use bartizan_core::{BoxError, WallClock};
use bartizan_retry::RetryLayer;
use bartizan_webhook::inbox::{Inbox, VolatileInbox};
use bartizan_webhook::sign::EventIdLayer;
use bartizan_webhook::{Receiver, SignLayer, SignatureFormat, VerifyLayer, Webhook};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn now() -> SystemTime {
    WallClock::system().now()
}

fn layer() -> Result<VerifyLayer, BoxError> {
    Ok(VerifyLayer::new(SignatureFormat::standard_webhooks().verifier([KEY])?))
}

/// Where the app listens, until the test's runtime is gone.
async fn serve(app: Router) -> Result<String, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address.to_string())
}

#[derive(serde::Deserialize)]
struct Said {
    r#type: String,
}

async fn said(webhook: Webhook<Said>) -> String {
    let id = webhook.verified().event_id().map(|id| id.as_str().to_owned());
    format!("{} {:?} {:?}", webhook.payload().r#type, webhook.verified().scheme(), id)
}

/// The sender: an id, a signature for each attempt, hyper.
async fn send(address: &str, path: &str, body: &'static str) -> Result<(u16, String), BoxError> {
    let signer = SignatureFormat::standard_webhooks().signer([KEY])?;
    let client = ServiceBuilder::new()
        .layer(EventIdLayer::new(&signer))
        .layer(RetryLayer::new())
        .layer(SignLayer::new(signer))
        .service(Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>());
    let answer =
        client.oneshot(Request::post(format!("http://{address}{path}")).body(Full::from(body))?).await?;
    let status = answer.status().as_u16();
    Ok((status, String::from_utf8(answer.into_body().collect().await?.to_bytes().into())?))
}

#[tokio::test]
async fn a_router_takes_the_layer_around_all_routes_or_some() -> Result<(), BoxError> {
    let all = serve(Router::new().route("/hook", post(said)).layer(layer()?)).await?;
    let some = Router::new()
        .route("/hook", post(said))
        .route_layer(layer()?)
        .route("/health", get(|| async { "up" }));
    let some = serve(some).await?;
    for address in [&all, &some] {
        let (status, text) = send(address, "/hook", r#"{"type":"invoice.paid"}"#).await?;
        assert!(
            status == 200 && text.starts_with("invoice.paid \"standard-webhooks\" Some(\"msg_"),
            "{text}"
        );
        // What is verified and does not fit is the handler's to refuse.
        assert_eq!(send(address, "/hook", "[]").await?.0, 422);
    }
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let get = |path: &str| Request::get(format!("http://{some}{path}")).body(Full::default());
    assert_eq!(http.clone().oneshot(get("/health")?).await?.status(), 200);
    let unsigned = Request::post(format!("http://{some}/hook")).body(Full::from("{}"))?;
    assert_eq!(http.oneshot(unsigned).await?.status(), 401);
    Ok(())
}

#[tokio::test]
async fn an_extractor_without_the_layer_is_an_error_of_ours() -> Result<(), BoxError> {
    let address = serve(Router::new().route("/hook", post(said))).await?;
    assert_eq!(send(&address, "/hook", r#"{"type":"a"}"#).await?.0, 500);
    Ok(())
}

#[tokio::test]
async fn a_receiver_stands_in_a_router_and_keeps_each_event_once() -> Result<(), BoxError> {
    let inbox = VolatileInbox::new();
    let hook = ServiceBuilder::new().layer(layer()?).service(Receiver::new("test", inbox.clone()));
    let address = serve(Router::new().route_service("/hook", hook)).await?;
    let signer = SignatureFormat::standard_webhooks().signer([KEY])?;
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let sender = SignLayer::new(signer).layer(http);
    for id in ["msg_1", "msg_2", "msg_1"] {
        let request = Request::post(format!("http://{address}/hook")).header("webhook-id", id);
        let answer = sender.clone().oneshot(request.body(Full::<Bytes>::from("{}"))?).await?;
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(inbox.stats(now()).await?.ready, 2);
    Ok(())
}

/// One request to hyper with the layer and nothing else, and what comes back.
async fn raw(layer: VerifyLayer, request: &[&[u8]], then: &[u8]) -> Result<(String, u64), BoxError> {
    let calls = Arc::new(AtomicU64::new(0));
    let app = {
        let calls = calls.clone();
        service_fn(move |_: Request<Full<Bytes>>| {
            calls.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = TowerToHyperService::new(layer.layer(app));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service.clone());
            tokio::spawn(connection);
        }
    });
    let (mut read, mut write) = TcpStream::connect(address).await?.into_split();
    let request = request.concat();
    let then = then.to_vec();
    let writing = tokio::spawn(async move {
        write.write_all(&request).await?;
        // For as long as somebody reads it.
        while !then.is_empty() && write.write_all(&then).await.is_ok() {}
        Ok::<_, std::io::Error>(write)
    });
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
        match read.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
        }
    }
    writing.abort();
    Ok((String::from_utf8_lossy(&answer).into_owned(), calls.load(Ordering::SeqCst)))
}

/// The header fields of a signed request, as lines.
fn signed(body: &[u8], date: SystemTime) -> Result<Vec<u8>, BoxError> {
    let mut headers = HeaderMap::from_iter([("webhook-id".parse()?, "msg_1".parse()?)]);
    SignatureFormat::standard_webhooks().signer([KEY])?.sign(&mut headers, body, date)?;
    let lines = headers
        .iter()
        .map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    Ok(lines.collect::<Vec<_>>().concat())
}

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nhost: a\r\n";

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("no answer")
}

#[tokio::test]
async fn a_huge_length_is_refused_before_anything_is_read() -> Result<(), BoxError> {
    for length in ["1073741824", "18446744073709551615", "9223372036854775807"] {
        let fields = signed(b"{}", now())?;
        let length = format!("content-length: {length}\r\n\r\n");
        let (answer, calls) = raw(layer()?, &[HEAD, &fields, length.as_bytes()], b"").await?;
        // hyper itself refuses what no body can have.
        let is_refused = status(&answer) == "413" || length != "1073741824" && status(&answer) == "431";
        assert!(is_refused && calls == 0, "{length}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn chunks_without_an_end_are_refused_at_the_limit() -> Result<(), BoxError> {
    let fields = signed(b"{}", now())?;
    let chunk = [b"8000\r\n", &[b'x'; 0x8000][..], b"\r\n"].concat();
    let (answer, calls) =
        raw(layer()?, &[HEAD, &fields, b"transfer-encoding: chunked\r\n\r\n"], &chunk).await?;
    assert!(status(&answer) == "413" && calls == 0, "{answer}");
    // One byte each: as much is kept, and it comes to an end too.
    let small = layer()?.body_limit(2000);
    let (answer, calls) =
        raw(small, &[HEAD, &fields, b"transfer-encoding: chunked\r\n\r\n"], b"1\r\nx\r\n").await?;
    assert!(status(&answer) == "413" && calls == 0, "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for_long() -> Result<(), BoxError> {
    let fields = signed(b"{}", now())?;
    let layer = layer()?.body_timeout(Duration::from_millis(50));
    let (answer, calls) = raw(layer, &[HEAD, &fields, b"content-length: 2\r\n\r\n{"], b"").await?;
    assert!(status(&answer) == "408" && calls == 0, "{answer}");
    Ok(())
}

#[tokio::test]
async fn fields_of_any_bytes_are_answered_alike() -> Result<(), BoxError> {
    let good = signed(b"{}", now())?;
    let end = b"content-length: 2\r\n\r\n{}";
    let (answer, calls) = raw(layer()?, &[HEAD, &good, end], b"").await?;
    assert!(status(&answer) == "200" && calls == 1, "{answer}");
    let text = |line: &str| line.as_bytes().to_vec();
    let timestamp = |timestamp: &str| {
        text(&format!("webhook-id: a\r\nwebhook-signature: v1,AAAA\r\nwebhook-timestamp: {timestamp}\r\n"))
    };
    for fields in [
        timestamp("-9223372036854775808"),
        timestamp("9223372036854775807"),
        timestamp("99999999999999999999999999"),
        timestamp(""),
        [&b"webhook-id: a\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,\xff\xfe\r\n"[..]].concat(),
        [&b"webhook-id: \xff\r\nwebhook-timestamp: \xff\r\nwebhook-signature: \xff\r\n"[..]].concat(),
        text(&format!("webhook-signature: {}\r\n", "v1,AAAA ".repeat(2000))),
        signed(b"{}", now() + Duration::from_secs(31_536_000))?,
        signed(b"{}", now() - Duration::from_secs(31_536_000))?,
        // The same JSON, written anew.
        signed(br#"{ }"#, now())?,
        [&good[..], &good[..]].concat(),
    ] {
        let (answer, calls) = raw(layer()?, &[HEAD, &fields, end], b"").await?;
        assert!(status(&answer) == "401" && calls == 0, "{answer} for {}", String::from_utf8_lossy(&fields));
        assert!(answer.to_lowercase().contains("www-authenticate: webhook-signature"), "{answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_clock_of_the_users_own_decides() -> Result<(), BoxError> {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_614_265_330);
    let layer = layer()?.wall_clock(WallClock::fixed(then));
    let fields = signed(b"{}", then)?;
    let (answer, _) = raw(layer, &[HEAD, &fields, b"content-length: 2\r\n\r\n{}"], b"").await?;
    assert_eq!(status(&answer), "200");
    Ok(())
}
