//! The server's layer keeps the contract of `tower_service::Service`.

use bartizan_auth::server::{ApiKeys, BasicUsers, BearerTokens, Principals, SecretDigest, VerifyLayer};
use bartizan_test::contract;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

fn layer() -> VerifyLayer {
    let principals = Principals::new([(SecretDigest::of("k3y"), "billing")]);
    VerifyLayer::new(BasicUsers::new(principals.clone()))
        .or(BearerTokens::new(principals.clone()))
        .or(ApiKeys::new(principals))
}

/// With this key.
fn with(key: &'static str) -> impl Fn(usize) -> Request<Full<Bytes>> {
    move |nth| {
        let request = Request::get(format!("http://contract.localhost/{nth}")).header("x-api-key", key);
        request.body(Full::default()).expect("a number makes a valid path")
    }
}

#[test]
fn who_is_known() {
    contract::check_with(layer, with("k3y"));
    contract::check_with(|| layer().keep_credential(), with("k3y"));
    contract::check_with(|| layer().respond(), with("k3y"));
}

#[test]
fn who_is_not_known() {
    contract::check(layer);
    contract::check_with(layer, with("other"));
    contract::check_with(|| layer().respond(), with("other"));
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(&layer());
}

#[test]
fn layers_and_services_may_go_to_other_threads() {
    fn goes<T: Send + Sync + Clone + 'static>(_: &T) {}
    goes(&layer());
    goes(&layer().respond());
    goes(&tower::Layer::layer(&layer(), ()));
}
