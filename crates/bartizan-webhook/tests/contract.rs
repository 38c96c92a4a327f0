//! The layers keep the contract of `tower_service::Service`.

use bartizan_test::contract;
use bartizan_webhook::sign::{EventIdLayer, SignLayer};
use bartizan_webhook::{SignatureFormat, Signer, VerifyLayer};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

fn layer() -> VerifyLayer {
    VerifyLayer::new(SignatureFormat::github().verifier(["s"]).expect("a key"))
}

fn signer() -> Signer {
    SignatureFormat::github().signer(["s"]).expect("a key")
}

fn request(nth: usize) -> Request<Full<Bytes>> {
    let mut request = Request::post(format!("http://contract.localhost/{nth}"))
        .body(Full::from("{}"))
        .expect("a number makes a valid path");
    signer()
        .sign(request.headers_mut(), b"{}", std::time::SystemTime::UNIX_EPOCH)
        .expect("nothing is missing");
    request
}

#[test]
fn what_is_signed() {
    contract::check_with(layer, request);
}

#[test]
fn what_is_not_signed() {
    contract::check(layer);
    contract::check_with(|| layer().body_limit(1), request);
}

#[test]
fn what_is_sent() {
    contract::check(|| SignLayer::new(signer()));
    contract::check(|| SignLayer::new(signer()).body_limit(0));
    contract::check(|| EventIdLayer::new(&signer()));
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(&layer());
    contract::accepts_local(&SignLayer::new(signer()));
    contract::accepts_local(&EventIdLayer::new(&signer()));
}

#[test]
fn layers_and_services_may_go_to_other_threads() {
    fn goes<T: Send + Sync + Clone + 'static>(_: &T) {}
    goes(&layer());
    goes(&tower::Layer::layer(&layer(), ()));
    goes(&SignLayer::new(signer()));
    goes(&tower::Layer::layer(&SignLayer::new(signer()), ()));
}
