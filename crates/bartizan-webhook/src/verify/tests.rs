mod bodies;
mod handshakes;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bartizan_core::{Rejection, RespondBody, WallClock};
use bartizan_test::bodies::{Body, Step};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::util::service_fn;
use tower::{Layer, ServiceExt};

use super::*;
use crate::{EventId, Key, SignatureFormat, Verified};

const SECOND: Duration = Duration::from_secs(1);
const NOW: u64 = 1_614_265_330;

fn clock() -> WallClock {
    WallClock::fixed(SystemTime::UNIX_EPOCH + NOW as u32 * SECOND)
}

fn layer() -> VerifyLayer {
    VerifyLayer::new(SignatureFormat::stripe().verifier(["s"]).unwrap()).wall_clock(clock())
}

/// A signed request.
fn signed<B>(content: &[u8], body: B) -> Request<B> {
    let mut request = Request::post("/webhooks").body(body).unwrap();
    let signer = SignatureFormat::stripe().signer(["s"]).unwrap();
    signer.sign(request.headers_mut(), content, clock().now()).unwrap();
    request
}

type Answer = Response<RespondBody<Full<Bytes>>>;

/// What becomes of a request, and the one that the app got.
async fn call<B, H>(layer: VerifyLayer<H>, request: Request<B>) -> (Answer, Option<Request<Full<Bytes>>>)
where
    B: http_body::Body,
    B::Error: Into<bartizan_core::BoxError>,
    H: Hook,
{
    let got = Arc::new(Mutex::new(None));
    let app = {
        let got = got.clone();
        service_fn(move |request: Request<Full<Bytes>>| {
            *got.lock().unwrap() = Some(request);
            async { Ok::<_, Infallible>(Response::new(Full::from("from the app"))) }
        })
    };
    let answer = layer.layer(app).oneshot(request).await.unwrap();
    let got = got.lock().unwrap().take();
    (answer, got)
}

async fn text(answer: Answer) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn what_is_signed_comes_through_as_it_was_and_says_whose_it_is() {
    let content = br#"{"id":"evt_1"}"#;
    let mut request = signed(content, Full::<Bytes>::from(&content[..]));
    request.headers_mut().insert("x-other", "1".parse().unwrap());
    request.extensions_mut().insert(7_u8);
    let (answer, got) = call(layer(), request).await;
    assert_eq!((answer.status(), &*text(answer).await), (StatusCode::OK, "from the app"));
    let got = got.unwrap();
    assert_eq!(got.uri(), "/webhooks");
    assert!(got.headers().contains_key("stripe-signature") && got.headers().contains_key("x-other"));
    assert_eq!(got.extensions().get::<u8>(), Some(&7));
    let verified = got.extensions().get::<Verified>().unwrap();
    assert_eq!((verified.scheme(), verified.key_id()), ("stripe", Some("1")));
    assert_eq!(verified.event_id(), Some(&EventId::new("evt_1", true)));
    assert_eq!(verified.signed_at(), Some(clock().now()));
    // printf '{"id":"evt_1"}' | sha256sum
    let hash = "40993c639ffb5f13a0a2ef5c93c965f10b405f2b87a379272381da2dbc158dfa";
    assert_eq!(hex::encode(verified.body_hash()), hash);
    assert_eq!(verified.body(), &content[..]);
    assert_eq!(got.into_body().collect().await.unwrap().to_bytes(), &content[..]);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_signature_the_answer_is_the_same() {
    let mut wrong = signed(b"{}", Full::<Bytes>::from("{ }"));
    let none = Request::new(Full::<Bytes>::default());
    let mut twice = signed(b"{}", Full::<Bytes>::from("{}"));
    let value = twice.headers()["stripe-signature"].clone();
    twice.headers_mut().append("stripe-signature", value);
    let mut old = signed(b"{}", Full::<Bytes>::from("{}"));
    let signer = SignatureFormat::stripe().signer(["s"]).unwrap();
    signer.sign(old.headers_mut(), b"{}", clock().now() - 301 * SECOND).unwrap();
    wrong.headers_mut().insert("host", "a".parse().unwrap());
    for request in [wrong, none, twice, old] {
        let (answer, got) = call(layer(), request).await;
        assert!(got.is_none());
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(answer.headers()[WWW_AUTHENTICATE], "Webhook-Signature");
        assert_eq!(answer.headers().len(), 2);
        assert!(answer.extensions().get::<Rejection>().is_some());
        assert_eq!(text(answer).await, r#"{"error":"Invalid signature"}"#);
    }
}

#[tokio::test]
async fn the_reason_goes_to_the_hook_alone() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = {
        let told = told.clone();
        move |verdict: &Verdict<'_>| {
            told.lock().unwrap().push(match verdict {
                Verdict::Passed(verified) => format!("passed {}", verified.scheme()),
                Verdict::Handshake { scheme } => format!("handshake {scheme}"),
                Verdict::Refused(refused) => format!("{}: {refused}", refused.reason()),
            });
        }
    };
    let layer = layer().hook(hook);
    call(layer.clone(), signed(b"{}", Full::<Bytes>::from("{}"))).await;
    call(layer.clone(), signed(b"{}", Full::<Bytes>::from("{ }"))).await;
    call(layer, signed(b"{}", Body::frames([Step::Error]))).await;
    assert_eq!(
        *told.lock().unwrap(),
        [
            "passed stripe",
            "no_match: the webhook is not let through: as \"stripe\" has it, no key makes any of the signatures",
            "broken: the webhook is not let through: as \"stripe\" has it, its body broke off",
        ]
    );
}

#[tokio::test]
async fn a_content_encoding_is_refused_before_the_body_is_read() {
    for (encoding, status) in [("gzip", 415), ("identity", 200), ("identity, gzip", 415), ("", 415)] {
        let mut request = signed(b"{}", Full::<Bytes>::from("{}"));
        request.headers_mut().insert(CONTENT_ENCODING, encoding.parse().unwrap());
        let (answer, _) = call(layer(), request).await;
        assert_eq!(answer.status(), status, "{encoding:?}");
        let asks = answer.headers().get("accept-encoding").map(|value| value.to_str().unwrap());
        assert_eq!(asks, (status == 415).then_some("identity"));
    }
    let body = Body::never();
    let probe = body.probe();
    let mut request = signed(b"{}", body);
    request.headers_mut().insert(CONTENT_ENCODING, "br".parse().unwrap());
    assert_eq!(call(layer(), request).await.0.status(), 415);
    assert_eq!(probe.polls(), 0);
}

#[tokio::test]
async fn a_key_that_has_ended_and_a_clock_are_heeded() {
    let ring = [Key::new("s").not_after(clock().now() - SECOND)];
    let layer = VerifyLayer::new(SignatureFormat::stripe().verifier(ring).unwrap()).wall_clock(clock());
    assert_eq!(call(layer, signed(b"{}", Full::<Bytes>::from("{}"))).await.0.status(), 401);
    let by_the_system = VerifyLayer::new(SignatureFormat::stripe().verifier(["s"]).unwrap());
    assert_eq!(call(by_the_system, signed(b"{}", Full::<Bytes>::from("{}"))).await.0.status(), 401);
}

#[tokio::test]
async fn the_error_of_the_app_stays_what_it_is() {
    let app = service_fn(async |_: Request<Full<Bytes>>| Err::<Response<Full<Bytes>>, _>("of the app"));
    let result = layer().layer(app).oneshot(signed(b"{}", Full::<Bytes>::from("{}"))).await;
    assert_eq!(result.err(), Some("of the app"));
}

#[test]
fn nothing_prints_a_secret() {
    let layer = VerifyLayer::new(SignatureFormat::stripe().verifier(["whsec_secret"]).unwrap())
        .meta_handshake("token_secret");
    let shown = format!("{layer:?} {:?}", layer.layer(()));
    assert!(!shown.contains("secret") && shown.contains("stripe"), "{shown}");
}
