//! The layer keeps the contract of `tower_service::Service`.

use bartizan_graphql::GraphqlOutcomeLayer;
use bartizan_test::contract;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use tower::ServiceBuilder;
use tower::util::MapResponseLayer;

#[test]
fn graphql_outcome() {
    contract::check(GraphqlOutcomeLayer::new);
    contract::check(GraphqlOutcomeLayer::disabled);
}

#[test]
fn of_answers_that_are_read() {
    contract::check(|| {
        let json = MapResponseLayer::new(|mut response: http::Response<_>| {
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        });
        ServiceBuilder::new().layer(GraphqlOutcomeLayer::new()).layer(json).into_inner()
    });
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(&GraphqlOutcomeLayer::new());
}
