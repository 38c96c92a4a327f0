//! Layers around.

use bartizan::Stack;
use bartizan_cache::CacheLayer;
use bartizan_circuit_breaker::CircuitBreakerLayer;
use bartizan_graphql::GraphqlClient;
use bartizan_retry::RetryLayer;
use bartizan_timeout::{AttemptTimeoutLayer, DeadlineLayer};
use serde_json::{Value, json};
use tower::{Layer, ServiceBuilder};

use crate::against;
use crate::server::{ENDPOINT, Make, Server};
use crate::wire::shown;

against!([
    a_cache_keeps_hashed_gets_for_as_long_as_the_server_says,
    layers_by_hand_need_no_annotation,
]: async_graphql yoga apollo);

async fn a_cache_keeps_hashed_gets_for_as_long_as_the_server_says(server: &Server) {
    let wire = server.wire();
    let stack = Stack::standard().cache(CacheLayer::rfc9111()).build().unwrap();
    let client = GraphqlClient::new(ENDPOINT, stack.layer(wire.clone())).unwrap().get_for_hashed_queries();
    let ask = async |id: i32| -> Value {
        let document = "query Kept($id: Int!) { user(id: $id) { name } }";
        client.query(document, &json!({ "id": id })).await.unwrap()
    };
    ask(1).await;
    wire.take();
    for id in [2, 2, 2, 3] {
        assert_eq!(ask(id).await, json!({ "user": { "name": format!("user {id}") } }));
    }
    // Yoga says nothing of how long.
    let expected = if server.make == Make::Yoga { 4 } else { 2 };
    assert_eq!(shown(&wire.take()), vec!["GET hash: 200"; expected]);
}

async fn layers_by_hand_need_no_annotation(server: &Server) {
    let wire = server.wire();
    let http = ServiceBuilder::new()
        .layer(DeadlineLayer::default())
        .layer(RetryLayer::new())
        .layer(CircuitBreakerLayer::new())
        .layer(AttemptTimeoutLayer::default())
        .service(wire.clone());
    let client = GraphqlClient::new(ENDPOINT, http).unwrap();
    let data: Value = client.query("{ user(id: 1) { name } }", &()).await.unwrap();
    assert_eq!(data, json!({ "user": { "name": "user 1" } }));
    assert_eq!(shown(&wire.take()), ["POST document: 200"]);
}
