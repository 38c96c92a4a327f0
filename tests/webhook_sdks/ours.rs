//! Our side: the layers as an app has them.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bartizan_core::WallClock;
use bartizan_webhook::sign::EventIdLayer;
use bartizan_webhook::verify::Verdict;
use bartizan_webhook::{SignLayer, SignatureFormat, VerifyLayer};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{ServiceBuilder, ServiceExt, service_fn};

/// Since 1970: the libraries read the system's clock.
pub(crate) fn now() -> u64 {
    let since = WallClock::system().now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("it is after 1970").as_secs()
}

/// A runtime for one call: the other side is asked in between, and blocks.
fn wait<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("memory for a runtime").block_on(future)
}

/// Through the verify layer: the body that the app gets, or the word why it gets none.
pub(crate) fn verify(
    format: SignatureFormat,
    keys: &[&str],
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Bytes, &'static str> {
    let why = Arc::new(Mutex::new(None));
    let told = why.clone();
    let layer = VerifyLayer::new(format.verifier(keys.iter().copied()).expect("a ring"));
    let layer = layer.hook(move |verdict: &Verdict<'_>| {
        if let Verdict::Refused(refused) = verdict {
            *told.lock().expect("no panic") = Some(refused.reason());
        }
    });
    let app = service_fn(async |request: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(body)));
    *request.headers_mut() = headers.clone();
    wait(async {
        let Ok(answer) = ServiceBuilder::new().layer(layer).service(app).oneshot(request).await;
        let status = answer.status();
        let body = answer.into_body().collect().await.expect("it is there").to_bytes();
        match *why.lock().expect("no panic") {
            None => {
                assert_eq!(status, StatusCode::OK);
                Ok(body)
            }
            Some(why) => {
                assert_eq!(
                    (status, &*body),
                    (StatusCode::UNAUTHORIZED, &br#"{"error":"Invalid signature"}"#[..])
                );
                Err(why)
            }
        }
    })
}

/// Through the sign layer: the fields as they go out, at that many seconds since 1970.
pub(crate) fn sign(format: SignatureFormat, keys: &[&str], seconds: u64, body: &[u8]) -> HeaderMap {
    let signer = format.signer(keys.iter().copied()).expect("a ring");
    let clock = WallClock::fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let sent = Arc::new(Mutex::new(None));
    let wire = sent.clone();
    let service = ServiceBuilder::new()
        .layer(EventIdLayer::new(&signer))
        .layer(SignLayer::new(signer).wall_clock(clock))
        .service_fn(move |request: Request<Full<Bytes>>| {
            *wire.lock().expect("no panic") = Some(request.headers().clone());
            async { Ok::<_, Infallible>(Response::new(())) }
        });
    let request = Request::new(Full::new(Bytes::copy_from_slice(body)));
    wait(service.oneshot(request)).expect("it is signed");
    sent.lock().expect("no panic").take().expect("it was sent")
}
