//! Persisted queries, as each server has them.

use http::{HeaderMap, Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::{Service, ServiceExt};

use crate::against;
use crate::server::{Make, Server};
use crate::wire::{Exchange, shown};

against!([
    the_hash_goes_first_then_the_document_then_the_hash_alone,
    what_a_restarted_server_has_forgotten_is_said_again,
    a_server_without_them_is_asked_once,
    a_bad_variable_is_no_sign_that_they_are_unknown,
    hashed_queries_come_through_as_gets,
    a_mutation_is_never_a_get,
]: async_graphql yoga apollo);

/// How each server says that it does not know a hash: the status, and whether it has a code for it.
fn not_found(make: Make) -> (u16, bool) {
    match make {
        Make::AsyncGraphql => (200, false),
        Make::Yoga => (404, true),
        Make::Apollo => (200, true),
    }
}

/// A document that no other test has said.
fn document(test: &str) -> String {
    format!("query {test}($id: Int!) {{ user(id: $id) {{ name }} }}")
}

fn name(id: i32) -> Value {
    json!({ "user": { "name": format!("user {id}") } })
}

async fn the_hash_goes_first_then_the_document_then_the_hash_alone(server: &Server) {
    let (client, wire) = server.client();
    let (client, document) = (client.persisted_queries(), document("First"));
    let (status, has_code) = not_found(server.make);
    assert_eq!(client.query::<Value>(&*document, &json!({ "id": 1 })).await.unwrap(), name(1));
    let seen = wire.take();
    assert_eq!(shown(&seen), [format!("POST hash: {status}"), "POST hash and document: 200".into()]);
    let error = &seen[0].answer["errors"][0];
    assert_eq!(error["message"], "PersistedQueryNotFound");
    assert_eq!(error["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND", has_code);

    assert_eq!(client.query::<Value>(&*document, &json!({ "id": 2 })).await.unwrap(), name(2));
    assert_eq!(shown(&wire.take()), ["POST hash: 200"]);
    // Another client does not know that the server does.
    let (other, wire) = server.client();
    let data: Value = other.persisted_queries().query(&*document, &json!({ "id": 3 })).await.unwrap();
    assert_eq!((data, shown(&wire.take())), (name(3), vec!["POST hash: 200".into()]));
}

async fn what_a_restarted_server_has_forgotten_is_said_again(server: &Server) {
    let (client, wire) = server.client();
    let (client, document) = (client.persisted_queries(), document("Restarted"));
    client.query::<Value>(&*document, &json!({ "id": 1 })).await.unwrap();
    wire.take();
    let (url, _node) = server.restarted().await;
    wire.moved(&url);
    for id in [2, 3] {
        assert_eq!(client.query::<Value>(&*document, &json!({ "id": id })).await.unwrap(), name(id));
    }
    let (status, _) = not_found(server.make);
    let expected = [
        format!("POST hash: {status}"),
        "POST hash and document: 200".to_owned(),
        "POST hash: 200".to_owned(),
    ];
    assert_eq!(shown(&wire.take()), expected);
}

async fn a_server_without_them_is_asked_once(server: &Server) {
    let (client, wire) = server.plain_client();
    let client = client.persisted_queries();
    for (test, id) in [("Plain", 1), ("Plain", 2), ("AnotherPlain", 3)] {
        let data: Value = client.query(document(test), &json!({ "id": id })).await.unwrap();
        assert_eq!(data, name(id));
    }
    let status = if server.make == Make::Yoga { 400 } else { 200 };
    let expected =
        [&format!("POST hash: {status}"), "POST document: 200", "POST document: 200", "POST document: 200"];
    assert_eq!(shown(&wire.take()), expected);
}

async fn a_bad_variable_is_no_sign_that_they_are_unknown(server: &Server) {
    let (client, wire) = server.client();
    let (client, document) = (client.persisted_queries(), document("Bad"));
    client.query::<Value>(&*document, &json!({ "id": 1 })).await.unwrap();
    wire.take();
    client.query::<Value>(&*document, &json!({ "id": "x" })).await.unwrap_err();
    client.query::<Value>(&*document, &json!({ "id": 2 })).await.unwrap();
    let status = if server.make == Make::AsyncGraphql { 200 } else { 400 };
    assert_eq!(shown(&wire.take()), [format!("POST hash: {status}"), "POST hash: 200".into()]);
}

/// As it was sent, but for one field, by somebody who is not our client.
async fn again_without(server: &Server, seen: &Exchange, field: &str) -> Exchange {
    let (_, mut wire) = server.client();
    let mut request = Request::new(Full::default());
    (*request.method_mut(), *request.uri_mut()) = (seen.method.clone(), seen.target.clone().into());
    let mut headers: HeaderMap = seen.headers.clone();
    headers.remove(field);
    *request.headers_mut() = headers;
    wire.ready().await.unwrap().call(request).await.unwrap();
    wire.take().remove(0)
}

async fn hashed_queries_come_through_as_gets(server: &Server) {
    let (client, wire) = server.client();
    let (client, document) = (client.get_for_hashed_queries(), document("Get"));
    for id in [1, 2, 2] {
        assert_eq!(client.query::<Value>(&*document, &json!({ "id": id })).await.unwrap(), name(id));
    }
    let seen = wire.take();
    let (status, _) = not_found(server.make);
    let expected =
        [&format!("GET hash: {status}"), "POST hash and document: 200", "GET hash: 200", "GET hash: 200"];
    assert_eq!(shown(&seen), expected);
    assert_eq!(seen[2].target, seen[3].target);
    assert_eq!(seen[2].headers["apollo-require-preflight"], "true");
    // Apollo takes a GET without it for one that another site has made a browser send.
    let again = again_without(server, &seen[2], "apollo-require-preflight").await;
    if server.make == Make::Apollo {
        assert_eq!(again.status, 400);
        let text = again.answer["errors"][0]["message"].as_str().expect("it says why");
        assert!(text.contains("Cross-Site Request Forgery"), "{text}");
    } else {
        assert_eq!((again.status, &again.answer["data"]), (200, &name(2)));
    }
}

async fn a_mutation_is_never_a_get(server: &Server) {
    let (client, wire) = server.client();
    let client = client.get_for_hashed_queries();
    let of = json!({ "of": format!("{:?}, never a GET", server.make) });
    for nth in [1, 2] {
        let data: Value = client.query("mutation Never($of: ID!) { bump(of: $of) }", &of).await.unwrap();
        assert_eq!(data, json!({ "bump": nth }), "it is executed once each time");
    }
    let seen = wire.take();
    assert!(seen.iter().all(|seen| seen.method == Method::POST), "{seen:?}");
    assert_eq!(seen.len(), 3);
}
