//! What the servers answer, and what the caller is told.

use bartizan_graphql::{Error, GraphqlError, Operation, PathSegment};
use http::HeaderValue;
use http::header::ACCEPT;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::against;
use crate::server::{Make, Server};
use crate::wire::shown;

against!([
    data_is_of_the_type_that_is_asked_for,
    what_is_coerced_is_coerced_by_the_server,
    a_bad_document_is_an_error_of_the_server,
    who_knows_the_old_media_type_alone_is_told_the_status,
    partial_data_stays_beside_its_errors,
    a_null_that_bubbles_to_the_root_is_an_error,
    variables_that_do_not_fit_are_an_error_without_data,
    what_is_throttled_has_its_code,
    a_mutation_is_executed_once,
]: async_graphql yoga apollo);

#[derive(Debug, PartialEq, Deserialize)]
struct Found {
    user: Option<User>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct User {
    name: String,
    email: Option<String>,
}

const USER: &str = "query User($id: Int!) { user(id: $id) { name email } }";

/// The errors as `path code`, without what each server words its own way.
fn errors(errors: &[GraphqlError]) -> Vec<String> {
    let step = |segment: &PathSegment| match segment {
        PathSegment::Key(key) => key.clone(),
        PathSegment::Index(index) => index.to_string(),
        _ => "?".to_owned(),
    };
    let path = |error: &GraphqlError| error.path().iter().map(step).collect::<Vec<_>>().join(".");
    errors.iter().map(|error| format!("{} {}", path(error), error.code().unwrap_or("-"))).collect()
}

/// Apollo has a code for each.
fn internal(server: &Server) -> &'static str {
    if server.make == Make::Apollo { "INTERNAL_SERVER_ERROR" } else { "-" }
}

async fn data_is_of_the_type_that_is_asked_for(server: &Server) {
    let (client, wire) = server.client();
    let found: Found = client.query(USER, &json!({ "id": 1 })).await.unwrap();
    let user = User { name: "user 1".into(), email: Some("1@example.com".into()) };
    assert_eq!(found, Found { user: Some(user) });
    assert_eq!(client.query::<Found>(USER, &json!({ "id": 0 })).await.unwrap(), Found { user: None });
    let seen = wire.take();
    assert_eq!(shown(&seen), ["POST document: 200"; 2]);
    assert!(seen[0].media_type.starts_with("application/graphql-response+json"), "{seen:?}");
}

async fn what_is_coerced_is_coerced_by_the_server(server: &Server) {
    let (client, _) = server.client();
    let one = "query($ids: [Int!]!) { users(ids: $ids) { id } }";
    let data: Value = client.query(one, &json!({ "ids": 3 })).await.unwrap();
    assert_eq!(data, json!({ "users": [{ "id": 3 }] }), "one is a list of one");
    let data: Value = client.query(one, &json!({ "ids": [1, 0, 2] })).await.unwrap();
    assert_eq!(data, json!({ "users": [{ "id": 1 }, null, { "id": 2 }] }));
    let of = "query($of: ID!) { bumps(of: $of) }";
    let data: Value = client.query(of, &json!({ "of": 7 })).await.unwrap();
    assert_eq!(data, json!({ "bumps": 0 }), "a number is an ID");
    let default = "query($id: Int! = 4) { user(id: $id) { id } }";
    let data: Value = client.query(default, &()).await.unwrap();
    assert_eq!(data, json!({ "user": { "id": 4 } }));
}

async fn a_bad_document_is_an_error_of_the_server(server: &Server) {
    let (client, wire) = server.client();
    let status = if server.make == Make::AsyncGraphql { 200 } else { 400 };
    for (document, code) in [("{ user(", "GRAPHQL_PARSE_FAILED"), ("{ nope }", "GRAPHQL_VALIDATION_FAILED")] {
        let error = client.query::<Value>(document, &()).await.unwrap_err();
        assert!(!error.is_not_graphql() && error.partial_data().is_none(), "{error}");
        assert_eq!(error.status().unwrap(), status, "{error}");
        assert_eq!(error.code(), (server.make != Make::AsyncGraphql).then_some(code));
        assert!(!error.errors()[0].locations().is_empty(), "{error:?}");
    }
    let seen = wire.take();
    assert!(
        seen.iter().all(|seen| seen.media_type.starts_with("application/graphql-response+json")),
        "{seen:?}"
    );
}

/// What a client may not trust is not lost: it is in the error's text.
async fn who_knows_the_old_media_type_alone_is_told_the_status(server: &Server) {
    let (client, wire) = server.client();
    let client = client.header(ACCEPT, HeaderValue::from_static("application/json"));
    let found: Found = client.query(USER, &json!({ "id": 1 })).await.unwrap();
    assert!(found.user.is_some());
    let error = client.query::<Value>("{ nope }", &()).await.unwrap_err();
    let (status, media_type) = match server.make {
        Make::AsyncGraphql => (200, "application/graphql-response+json"),
        Make::Yoga => (200, "application/json"),
        Make::Apollo => (400, "application/json"),
    };
    assert_eq!(error.status().unwrap(), status);
    assert_eq!(error.is_not_graphql(), server.make == Make::Apollo, "{error}");
    assert!(error.to_string().contains("nope"), "{error}");
    let seen = wire.take();
    assert!(seen.iter().all(|seen| seen.media_type.starts_with(media_type)), "{seen:?}");
}

async fn partial_data_stays_beside_its_errors(server: &Server) {
    let (client, wire) = server.client();
    let document = "{ users(ids: [1, 2, 3]) { id email } user(id: 1) { secret } }";
    let error = client.query::<Value>(document, &()).await.unwrap_err();
    let data = json!({
        "users": [
            { "id": 1, "email": "1@example.com" }, { "id": 2, "email": null }, { "id": 3, "email": "3@example.com" },
        ],
        "user": null,
    });
    assert_eq!(error.partial::<Value>(), Some(data));
    let mut errors = errors(error.errors());
    errors.sort();
    assert_eq!(errors, ["user.secret FORBIDDEN".to_owned(), format!("users.1.email {}", internal(server))]);
    assert_eq!(wire.take()[0].status, 200, "it should be 294");
}

async fn a_null_that_bubbles_to_the_root_is_an_error(server: &Server) {
    let (client, wire) = server.client();
    let error = client.query::<Value>("{ user(id: 1) { name } must }", &()).await.unwrap_err();
    assert!(!error.is_not_graphql() && error.partial_data().is_none(), "{error}");
    assert_eq!(errors(error.errors()), [format!("must {}", internal(server))]);
    let [seen] = &wire.take()[..] else { panic!("one") };
    assert_eq!((seen.status, &seen.answer["data"]), (200, &Value::Null));
}

async fn variables_that_do_not_fit_are_an_error_without_data(server: &Server) {
    let (client, wire) = server.client();
    for variables in
        [json!({ "id": "x" }), json!({ "id": null }), json!({ "id": 4_294_967_296_u64 }), json!({})]
    {
        let error: Error = client.query::<Value>(USER, &variables).await.unwrap_err();
        assert!(!error.is_not_graphql() && error.partial_data().is_none(), "{error}");
        let status = if server.make == Make::AsyncGraphql { 200 } else { 400 };
        assert_eq!(error.status().unwrap(), status, "it should be 422: {error}");
        assert_eq!(error.code(), (server.make == Make::Apollo).then_some("BAD_USER_INPUT"));
        let [seen] = &wire.take()[..] else { panic!("one") };
        assert_eq!(seen.answer.get("data").is_some(), server.make == Make::AsyncGraphql);
    }
}

async fn what_is_throttled_has_its_code(server: &Server) {
    let (client, _) = server.client();
    let reply = client.send(Operation::new("{ throttled user(id: 1) { name } }")).await.unwrap();
    assert_eq!(errors(reply.errors()), ["throttled THROTTLED"]);
    assert_eq!(reply.status(), 200);
    let data: Value = reply.data().expect("there is data").read().unwrap();
    assert_eq!(data, json!({ "throttled": null, "user": { "name": "user 1" } }));
}

async fn a_mutation_is_executed_once(server: &Server) {
    let (client, wire) = server.client();
    let of = json!({ "of": format!("{:?}, executed once", server.make) });
    let data: Value = client.query("mutation($of: ID!) { bump(of: $of) }", &of).await.unwrap();
    assert_eq!(data, json!({ "bump": 1 }));
    let data: Value = client.query("query($of: ID!) { bumps(of: $of) }", &of).await.unwrap();
    assert_eq!(data, json!({ "bumps": 1 }));
    assert_eq!(shown(&wire.take()), ["POST document: 200"; 2]);
}
