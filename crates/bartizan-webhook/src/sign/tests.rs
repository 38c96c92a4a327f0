use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bartizan_core::{BoxError, CallContext, Rejection, WallClock, find_source};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::util::service_fn;
use tower::{Layer, Service, ServiceExt};

use super::*;
use crate::{FaultKind, SignatureFormat, Signer};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn signer() -> Signer {
    SignatureFormat::standard_webhooks().signer([SECRET]).unwrap()
}

fn clock(seconds: u64) -> WallClock {
    WallClock::fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

type Sent = Arc<Mutex<Vec<Request<Full<Bytes>>>>>;

fn origin(
    sent: &Sent,
) -> impl Service<
    Request<Full<Bytes>>,
    Response = Response<()>,
    Error = BoxError,
    Future = std::future::Ready<Result<Response<()>, BoxError>>,
> + Clone
+ use<> {
    let sent = sent.clone();
    service_fn(move |request| {
        sent.lock().unwrap().push(request);
        std::future::ready(Ok(Response::new(())))
    })
}

fn post(fields: &[(&'static str, &'static str)]) -> Request<Full<Bytes>> {
    let mut request = Request::post("/").body(Full::from("{\"test\": 2432232314}")).unwrap();
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn what_is_sent_has_the_signature_and_the_content_that_was_signed() {
    let sent = Sent::default();
    let service = SignLayer::new(signer()).wall_clock(clock(1_614_265_330)).layer(origin(&sent));
    service.oneshot(post(&[("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")])).await.unwrap();
    let request = sent.lock().unwrap().pop().unwrap();
    assert_eq!(request.headers()["webhook-timestamp"], "1614265330");
    assert_eq!(request.headers()["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), "{\"test\": 2432232314}");
}

#[tokio::test]
async fn each_attempt_has_a_date_of_its_own_and_the_same_id() {
    let sent = Sent::default();
    let dates = Arc::new(Mutex::new(100..));
    let clock = WallClock::from_fn(move || {
        SystemTime::UNIX_EPOCH + Duration::from_secs(dates.lock().unwrap().next().unwrap())
    });
    let attempts = SignLayer::new(signer()).wall_clock(clock).layer(origin(&sent));
    // Retry, in short.
    let twice = service_fn(move |request: Request<Full<Bytes>>| {
        let attempts = attempts.clone();
        async move {
            for _ in 0..2 {
                attempts.clone().oneshot(request.clone()).await?;
            }
            Ok::<_, BoxError>(Response::new(()))
        }
    });
    EventIdLayer::new(&signer()).layer(twice).oneshot(post(&[])).await.unwrap();
    let sent = sent.lock().unwrap();
    let field = |nth: usize, name: &str| sent[nth].headers()[name].to_str().unwrap().to_owned();
    assert_eq!(field(0, "webhook-id"), field(1, "webhook-id"));
    assert_eq!((field(0, "webhook-timestamp"), field(1, "webhook-timestamp")), ("100".into(), "101".into()));
    assert_ne!(field(0, "webhook-signature"), field(1, "webhook-signature"));
}

#[tokio::test]
async fn ids_are_made_by_chance_stay_where_they_are_there_and_make_a_post_repeatable() {
    let sent = Sent::default();
    let service = EventIdLayer::new(&signer()).layer(origin(&sent));
    for request in [post(&[]), post(&[]), post(&[("webhook-id", "mine")])] {
        service.clone().oneshot(request).await.unwrap();
    }
    let sent = sent.lock().unwrap();
    let id = |nth: usize| sent[nth].headers()["webhook-id"].to_str().unwrap();
    assert!(id(0).starts_with("msg_") && id(0).len() == 36, "{}", id(0));
    assert_ne!(id(0), id(1));
    assert_eq!(id(2), "mine");
    for request in &*sent {
        assert!(CallContext::of(request.extensions()).is_some_and(|call| call.retry().safe_to_repeat));
    }
}

#[tokio::test]
async fn a_format_without_a_field_for_ids_gets_none_and_no_promise() {
    let sent = Sent::default();
    let stripe = SignatureFormat::stripe().signer(["s"]).unwrap();
    EventIdLayer::new(&stripe).layer(origin(&sent)).oneshot(post(&[])).await.unwrap();
    let request = sent.lock().unwrap().pop().unwrap();
    assert_eq!(request.headers(), &HeaderMap::new());
    assert!(CallContext::of(request.extensions()).is_none());
}

#[tokio::test]
async fn what_cannot_be_signed_is_not_sent() {
    let sent = Sent::default();
    let service = SignLayer::new(signer()).layer(origin(&sent));
    let error = service.clone().oneshot(post(&[])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the request cannot be signed as \"standard-webhooks\" has it: the id is not there"
    );
    let refused = error.downcast_ref::<NotSigned>().unwrap();
    assert_eq!(refused.sign_error().unwrap().fault().kind(), FaultKind::NoId);
    assert!(find_source::<Rejection>(&*error).is_some(), "nothing was sent");

    let small = SignLayer::new(signer()).body_limit(19).layer(origin(&sent));
    let error = small.oneshot(post(&[("webhook-id", "m")])).await.unwrap_err();
    assert_eq!(error.to_string(), "the request cannot be signed: its body has more than 19 bytes");
    assert!(find_source::<Rejection>(&*error).is_some());
    let enough = SignLayer::new(signer()).body_limit(20).layer(origin(&sent));
    assert!(enough.oneshot(post(&[("webhook-id", "m")])).await.is_ok());
    assert_eq!(sent.lock().unwrap().len(), 1);
}

/// A body that is made of bytes, and breaks off.
#[derive(Debug)]
struct Breaks;

impl From<Bytes> for Breaks {
    fn from(_: Bytes) -> Self {
        Self
    }
}

impl http_body::Body for Breaks {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        std::task::Poll::Ready(Some(Err(std::io::Error::other("cut"))))
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_sent_and_says_why() {
    let origin = service_fn(async |_: Request<Breaks>| -> Result<Response<()>, BoxError> {
        panic!("nothing is sent")
    });
    let error = SignLayer::new(signer()).layer(origin).oneshot(Request::new(Breaks)).await.unwrap_err();
    assert_eq!(error.to_string(), "the request cannot be signed: its body broke off");
    assert_eq!(find_source::<std::io::Error>(&*error).unwrap().to_string(), "cut");
    assert!(error.downcast_ref::<NotSigned>().unwrap().sign_error().is_none());
}

#[test]
fn nothing_prints_a_secret() {
    let layer = SignLayer::new(signer());
    let shown = format!("{layer:?} {:?} {:?}", layer.layer(()), EventIdLayer::new(&signer()));
    assert!(!shown.contains("MfKQ") && shown.contains("standard-webhooks"), "{shown}");
}
