use std::error::Error as _;
use std::io;

use bartizan_test::bodies::{Body, Step};

use super::*;

async fn reply(answer: Response<Full<Bytes>>) -> Result<Reply, Error> {
    Server::default().answering([answer]).send(Operation::new("{ a }")).await
}

#[tokio::test]
async fn the_media_type_decides_whether_a_body_is_trusted() {
    let body = r#"{"data":{"a":1}}"#;
    for (status, media_type, is_trusted) in [
        (200, "application/json", true),
        (200, "Application/JSON; charset=utf-8", true),
        (200, ITS_OWN, true),
        (294, ITS_OWN, true),
        (400, ITS_OWN, true),
        (422, ITS_OWN, true),
        (500, ITS_OWN, true),
        (302, ITS_OWN, false),
        (201, "application/json", false),
        (294, "application/json", false),
        (400, "application/json", false),
        (500, "application/json", false),
        (200, "text/html", false),
        (200, "application/jsonp", false),
    ] {
        let result = reply(answer(status, media_type, body)).await;
        assert_eq!(result.is_ok(), is_trusted, "{status} {media_type}");
        let seen = result.map_or_else(|error| error.status(), |reply| Some(reply.status()));
        assert_eq!(seen.map(|status| status.as_u16()), Some(status));
    }
}

#[tokio::test]
async fn what_is_no_graphql_says_what_it_is() {
    let error = reply(answer(502, "text/html", "<html>\n  Bad \u{7} gateway\r\n</html>")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer is no GraphQL response: 502 Bad Gateway, text/html: <html> Bad  gateway </html>"
    );
    assert!(error.is_not_graphql() && error.errors().is_empty());
    let error = reply(answer(503, "text/plain", "é".repeat(70_000))).await.unwrap_err();
    assert!(error.to_string().ends_with("text/plain"), "what is too long is not read: {error}");
    let error = reply(answer(503, "text/plain", "é".repeat(1000))).await.unwrap_err();
    assert_eq!(error.to_string().matches('é').count(), 200);
    let error = reply(Response::builder().status(204).body(Full::default()).unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), "the answer is no GraphQL response: 204 No Content, without a media type");
    // A redirect is not followed.
    let error = reply(answer(307, "text/plain", "")).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(307));
}

#[tokio::test]
async fn what_calls_itself_graphql_and_is_not_is_an_error() {
    for body in [
        "",
        "{",
        "[]",
        "null",
        "7",
        r#"{"data":null}"#,
        "{}",
        r#"{"errors":[]}"#,
        r#"{"data":null,"errors":[]}"#,
    ] {
        let error = reply(answer(200, ITS_OWN, body)).await.unwrap_err();
        assert!(error.is_not_graphql(), "{body}");
        assert_eq!(error.to_string(), "the answer is no GraphQL response, though 200 OK says so", "{body}");
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn data_comes_as_your_type() {
    let server = Server::default();
    let client = server.answering([
        json_answer(&json!({ "data": { "a": 1 } })),
        json_answer(&json!({ "data": { "a": "x" } })),
    ]);
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Data {
        a: u32,
    }
    assert_eq!(client.query::<Data>("{ a }", &()).await.unwrap(), Data { a: 1 });
    let error = client.query::<Data>("{ a }", &()).await.unwrap_err();
    assert_eq!(error.to_string(), "the data is something else than what was asked for");
    assert_eq!(error.partial_data().map(RawJson::get), Some(r#"{"a":"x"}"#), "it is not lost");
    assert!(error.source().is_some());
}

#[tokio::test]
async fn an_error_keeps_the_data_that_is_beside_it() {
    let error = json!({
        "message": "no such friend", "path": ["a", 0, "b"], "locations": [{ "line": 1, "column": 3 }],
        "extensions": { "code": "NOT_FOUND" },
    });
    let body = json!({ "data": { "a": [null], "c": 1 }, "errors": [error, { "message": "more" }], "extensions": { "cost": 7 } });
    let server = Server::default();
    let client = server.answering([json_answer(&body), json_answer(&body)]);
    let error = client.query::<Value>("{ a }", &()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer has 2 errors, the first: no such friend at a.0.b (NOT_FOUND); it has data beside"
    );
    assert_eq!(error.code(), Some("NOT_FOUND"));
    assert_eq!(error.partial::<Value>(), Some(json!({ "a": [null], "c": 1 })));
    assert_eq!(error.errors().len(), 2);
    assert_eq!(error.source().unwrap().to_string(), "no such friend at a.0.b (NOT_FOUND)");
    let [first, _] = error.errors() else { panic!("two") };
    assert_eq!(first.locations()[0].column, 3);
    assert_eq!(first.path().len(), 3);

    let reply = client.send(Operation::new("{ a }")).await.unwrap();
    assert_eq!((reply.errors().len(), reply.extensions().map(RawJson::get)), (2, Some(r#"{"cost":7}"#)));
    assert_eq!(reply.data().map(RawJson::get), Some(r#"{"a":[null],"c":1}"#));
}

#[tokio::test]
async fn an_answer_of_errors_alone_has_no_data() {
    for body in [r#"{"errors":[{"message":"no"}]}"#, r#"{"data":null,"errors":[{"message":"no"}]}"#] {
        let reply = reply(answer(400, ITS_OWN, body)).await.unwrap();
        assert!(reply.data().is_none());
        let error = reply.into_data::<Value>().unwrap_err();
        assert_eq!(error.to_string(), "the answer has an error: no");
        assert!(error.partial_data().is_none());
    }
}

#[tokio::test]
async fn an_error_is_not_lost_by_what_is_wrong_with_it() {
    let body = json!({ "errors": [7, { "message": 7, "path": [true, "a", -1, 2], "locations": "x", "extensions": [] }, { "type": "RATE_LIMITED", "message": "m" }] });
    let reply = reply(json_answer(&body)).await.unwrap();
    let texts: Vec<String> = reply.errors().iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        ["an error that is no object", "an error without a message at a.2", "m (RATE_LIMITED)"]
    );
}

#[tokio::test]
async fn data_is_not_copied() {
    let body = Bytes::from(format!(r#"{{"data":{{"a":"{}"}}}}"#, "x".repeat(100_000)));
    let range = body.as_ptr_range();
    let reply = reply(answer(200, ITS_OWN, body.clone())).await.unwrap();
    assert!(range.contains(&reply.data().unwrap().get().as_ptr()));
}

#[tokio::test]
async fn an_answer_may_have_so_many_bytes_and_no_more() {
    let body = r#"{"data":{"a":1}}"#;
    for (limit, is_read) in [(body.len(), true), (body.len() - 1, false)] {
        let client = Server::default().answering([answer(200, ITS_OWN, body)]).body_limit(limit);
        let result = client.send(Operation::new("{ a }")).await;
        assert_eq!(result.is_ok(), is_read, "{limit}");
        if let Err(error) = result {
            assert_eq!(error.to_string(), format!("the answer has more than {limit} bytes"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_breaks_is_told_by_where_it_broke() {
    let client = Server::default().client(|_| Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()));
    let error = client.send(Operation::new("{ a }")).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no answer");
    assert!(bartizan_core::find_source::<io::Error>(&error).is_some() && error.status().is_none());

    let broken = |status: u16, media_type: &'static str, steps: [Step; 2]| {
        let service = tower::service_fn(move |_: Request<Full<Bytes>>| {
            let body = Body::frames(steps.clone());
            let head = Response::builder().status(status).header("content-type", media_type);
            async move { head.body(body) }
        });
        GraphqlClient::new("/", service).unwrap()
    };
    let cut = [Step::data("{"), Step::Error];
    let error = broken(200, ITS_OWN, cut.clone()).send(Operation::new("{ a }")).await.unwrap_err();
    assert_eq!((error.to_string(), error.status().is_some()), ("the answer broke off".to_owned(), true));
    // The status is not lost by a text that is cut off, or does not come.
    let hangs = [Step::Wait(std::time::Duration::from_secs(60)), Step::Error];
    for steps in [cut, hangs] {
        let error = broken(502, "text/html", steps).send(Operation::new("{ a }")).await.unwrap_err();
        assert_eq!(error.to_string(), "the answer is no GraphQL response: 502 Bad Gateway, text/html");
    }
}

proptest::proptest! {
    #[test]
    fn no_answer_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = Answer::read(&bytes.into());
    }
}
