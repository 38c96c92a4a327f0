use bartizan_core::{CallContext, IDEMPOTENCY_KEY};
use http::{HeaderName, HeaderValue, Method};

use super::*;

async fn sent(operation: Operation) -> Request<Bytes> {
    let server = Server::default();
    server.answering([json_answer(&json!({ "data": {} }))]).send(operation).await.unwrap();
    server.asked().pop().unwrap()
}

fn is_repeatable(request: &Request<Bytes>) -> bool {
    CallContext::of(request.extensions()).is_some_and(|call| call.retry().safe_to_repeat)
}

#[tokio::test]
async fn a_request_is_a_post_with_the_members_that_there_are_and_no_others() {
    let request = sent(Operation::new("{ a }")).await;
    assert_eq!(
        (request.method(), request.uri().to_string()),
        (&Method::POST, "https://api.example.com/graphql?v=1".into())
    );
    assert_eq!(request.headers()["accept"], "application/graphql-response+json, application/json;q=0.9");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.headers().len(), 2);
    assert_eq!(*request.body(), r#"{"query":"{ a }"}"#);

    let operation = Operation::new("query A($n: Int) { a(n: $n) } query B { b }").name("A");
    let operation = operation.variables(&json!({ "z": 1.0, "n": 9.0 })).unwrap();
    let request = sent(operation.extensions(&json!({ "trace": true })).unwrap()).await;
    assert_eq!(
        *request.body(),
        r#"{"query":"query A($n: Int) { a(n: $n) } query B { b }","operationName":"A","variables":{"n":9.0,"z":1.0},"extensions":{"trace":true}}"#
    );
}

#[tokio::test]
async fn variables_are_written_as_they_were_and_are_an_object() {
    let raw =
        serde_json::value::RawValue::from_string(r#"{"b": 1e400, "a": 12345678901234567890123}"#.into())
            .unwrap();
    let request = sent(Operation::new("{ a }").variables(&raw).unwrap()).await;
    assert_eq!(*request.body(), r#"{"query":"{ a }","variables":{"a":12345678901234567890123,"b":1e400}}"#);
    let request = sent(Operation::new("{ a }").variables(&()).unwrap()).await;
    assert_eq!(*request.body(), r#"{"query":"{ a }"}"#);
    let error = Operation::new("{ a }").variables(&[1]).unwrap_err();
    assert_eq!(error.to_string(), "the variables of a GraphQL operation are no JSON object");
    let error = Server::default().answering([]).query::<Value>("{ a }", &7).await.unwrap_err();
    assert_eq!(error.to_string(), "the variables of a GraphQL operation are no JSON object");
    assert_eq!(error.status(), None);
}

#[tokio::test]
async fn fields_of_the_operation_go_before_those_of_the_client_and_both_before_ours() {
    let server = Server::default();
    let client = server.answering([json_answer(&json!({ "data": {} }))]);
    let value = HeaderValue::from_static;
    let client = client
        .header(HeaderName::from_static("authorization"), value("of the client"))
        .header(HeaderName::from_static("x-client"), value("1"));
    let operation = Operation::new("{ a }")
        .header(HeaderName::from_static("authorization"), value("of the operation"))
        .header(HeaderName::from_static("accept"), value("application/json"));
    client.send(operation).await.unwrap();
    let request = server.asked().pop().unwrap();
    assert_eq!(request.headers()["authorization"], "of the operation");
    assert_eq!(request.headers()["x-client"], "1");
    assert_eq!(request.headers()["accept"], "application/json");
    assert_eq!(request.headers().get_all("accept").iter().count(), 1);
}

#[tokio::test]
async fn a_query_may_be_sent_again_and_a_mutation_may_not() {
    for (document, expected) in [
        ("{ a }", true),
        ("query A { a }", true),
        ("mutation { a }", false),
        ("subscription { a }", false),
        // The server has to say what is wrong with it.
        ("query A { a } mutation B { b }", false),
        ("query {", false),
    ] {
        assert_eq!(is_repeatable(&sent(Operation::new(document)).await), expected, "{document}");
    }
    let both = "query A { a } mutation B { b }";
    assert!(is_repeatable(&sent(Operation::new(both).name("A")).await));
    assert!(!is_repeatable(&sent(Operation::new(both).name("B")).await));
    let keyed =
        Operation::new("mutation { a }").header(IDEMPOTENCY_KEY.clone(), HeaderValue::from_static("\"k\""));
    assert!(sent(keyed).await.headers().contains_key(&IDEMPOTENCY_KEY));
}

#[test]
fn an_endpoint_is_a_url() {
    assert!(GraphqlClient::new("/graphql", ()).is_ok());
    let error = GraphqlClient::new("not a url", ()).unwrap_err();
    assert_eq!(error.to_string(), "the endpoint of a GraphQL client is no URL");
}

#[test]
fn nothing_prints_a_value_or_a_secret() {
    let operation = Operation::new("{ a }").variables(&json!({ "name": "s3cret" })).unwrap();
    let client = GraphqlClient::new("https://user:s3cret@api.example.com/graphql?key=s3cret", ()).unwrap();
    let client = client.header(HeaderName::from_static("authorization"), HeaderValue::from_static("s3cret"));
    let shown = format!("{operation:?} {client:?}");
    assert!(
        !shown.contains("s3cret") && shown.contains("name") && shown.contains("api.example.com"),
        "{shown}"
    );
}
