//! Webhooks that verify.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use bartizan_core::WallClock;
use bartizan_webhook::{SignatureFormat, VerifyLayer};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body::{Body, Frame};
use http_body_util::Full;
use sha2::Sha256;
use tower_layer::Layer;
use tower_service::Service;

use crate::drive::{calls, request};
use crate::upstream::ReadyAtOnce;
use crate::{Group, Row};

const NOTE: &str = "The peer is `hmac` with `sha2` alone, over the same bytes as they come, with a key that was set up before: what any verification costs. Ours keeps \
    the body for the app as well, which is a copy where it comes in pieces; looks at the header fields; and tells the app who it was. Valgrind shows no \
    instructions for SHA to the program, which then makes do without; the time is with those that the machine has.";

/// `x-webhook-signature`.
pub const PLAIN: fn() -> SignatureFormat = SignatureFormat::x_webhook_signature;
/// Standard Webhooks.
pub const STANDARD: fn() -> SignatureFormat = SignatureFormat::standard_webhooks;

const LENGTH: usize = 64 * 1024;
const PIECES: usize = 16;

/// See the titles.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Webhooks, 64 KiB in one piece",
        note: NOTE,
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, ready at once", |n| calls(ReadyAtOnce::default(), &signed(whole()), n))
                .seldom(),
            Row::new("`VerifyLayer`, `x-webhook-signature`", |n| verified(PLAIN, whole(), n)).seldom(),
            Row::new("`VerifyLayer`, Standard Webhooks", |n| verified(STANDARD, whole(), n)).seldom(),
            Row::new("`hmac` and `sha2` alone", |n| calls(Raw::new(), &signed(whole()), n)).seldom(),
        ],
    },
    Group {
        title: "Webhooks, 64 KiB in 16 pieces",
        note: NOTE,
        paused: false,
        at_most: None,
        rows: &[
            Row::new("bare service, ready at once", |n| calls(ReadyAtOnce::default(), &signed(pieces()), n))
                .seldom(),
            Row::new("`VerifyLayer`, `x-webhook-signature`", |n| verified(PLAIN, pieces(), n)).seldom(),
            Row::new("`VerifyLayer`, Standard Webhooks", |n| verified(STANDARD, pieces(), n)).seldom(),
            Row::new("`hmac` and `sha2` alone", |n| calls(Raw::new(), &signed(pieces()), n)).seldom(),
        ],
    },
];

/// Made once: it takes as long as a call.
static BYTES: LazyLock<Bytes> =
    LazyLock::new(|| b"{\"type\":\"invoice.paid\",\"data\":0}".repeat(LENGTH / 32).into());
/// The fields of both tables: neither looks at the other's.
static SIGNED: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers =
        HeaderMap::from_iter([(HeaderName::from_static("webhook-id"), HeaderValue::from_static("msg_1"))]);
    for format in [PLAIN, STANDARD] {
        let signer = format().signer([SECRET]).expect("a key");
        signer.sign(&mut headers, &BYTES, date()).expect("it has an id");
    }
    headers
});

/// In one piece.
pub fn whole() -> Full<Bytes> {
    Full::new(BYTES.clone())
}

/// In 16 pieces.
pub fn pieces() -> Pieces {
    Pieces(BYTES.clone())
}

/// What is left of a body that comes in pieces.
#[derive(Clone, Debug)]
pub struct Pieces(Bytes);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = (!self.0.is_empty()).then(|| self.0.split_to(LENGTH / PIECES));
        Poll::Ready(next.map(|data| Ok(Frame::data(data))))
    }
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn date() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_614_265_330)
}

/// Signed by both tables.
///
/// # Panics
///
/// If a valid request is refused.
pub fn signed<B>(body: B) -> Request<B> {
    let mut request = request(Method::POST, body);
    request.headers_mut().extend(SIGNED.clone());
    request
}

/// The layer of one table.
///
/// # Panics
///
/// If a valid key is refused.
pub fn layer(format: fn() -> SignatureFormat) -> VerifyLayer {
    let verifier = format().verifier([SECRET]).expect("a key");
    VerifyLayer::new(verifier).wall_clock(WallClock::fixed(date()))
}

fn verified<B: Body<Error = Infallible> + Clone>(format: fn() -> SignatureFormat, body: B, n: u64) {
    calls(layer(format).layer(ReadyAtOnce::default()), &signed(body), n);
}

/// By hand, and nothing is kept.
struct Raw {
    mac: Hmac<Sha256>,
    inner: ReadyAtOnce,
}

impl Raw {
    fn new() -> Self {
        let mac = Hmac::new_from_slice(SECRET.as_bytes()).expect("HMAC takes any key");
        Self { mac, inner: ReadyAtOnce::default() }
    }
}

impl<B: Body<Data = Bytes, Error = Infallible>> Service<Request<B>> for Raw {
    type Response = <ReadyAtOnce as Service<Request<()>>>::Response;
    type Error = <ReadyAtOnce as Service<Request<()>>>::Error;
    type Future = <ReadyAtOnce as Service<Request<()>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        <ReadyAtOnce as Service<Request<()>>>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        let mut signature = [0; 32];
        let text = &head.headers["x-webhook-signature"];
        hex::decode_to_slice(text.as_bytes(), &mut signature).expect("it is hexadecimal");
        let (mut mac, mut body) = (self.mac.clone(), pin!(body));
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) {
            mac.update(frame.data_ref().expect("it has no trailers"));
        }
        mac.verify_slice(&signature).expect("it is signed");
        self.inner.call(Request::from_parts(head, ()))
    }
}
