use super::*;
use crate::merge::Settings;

/// A server that answers what it understands: each root field `x` of a request is `1`, `fails` fails, and `bubbles` takes all data with it.
fn answers(request: &Request<Bytes>) -> Response<Full<Bytes>> {
    let query = body(request)["query"].as_str().unwrap().to_owned();
    let (start, end) = (query.find('{').unwrap() + 1, query.rfind('}').unwrap());
    let mut data = serde_json::Map::new();
    let mut errors = Vec::new();
    let mut is_null = false;
    let words = query[start..end].replace(':', ": ");
    let mut words = words.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let (key, field) = match word.strip_suffix(':') {
            Some(alias) => (alias, words.next().unwrap()),
            None => (word, word),
        };
        if field == "fails" || field == "bubbles" {
            is_null |= field == "bubbles";
            errors.push(json!({ "message": format!("{field} has failed"), "path": [key] }));
            data.insert(key.to_owned(), Value::Null);
        } else {
            data.insert(key.to_owned(), 1.into());
        }
    }
    let data = if is_null { Value::Null } else { data.into() };
    json_answer(&if errors.is_empty() {
        json!({ "data": data })
    } else {
        json!({ "data": data, "errors": errors })
    })
}

fn client(server: &Server) -> GraphqlClient<Http> {
    server.client(|request| Ok(answers(request)))
}

fn operations<const N: usize>(documents: [&str; N]) -> [Operation; N] {
    documents.map(Operation::new)
}

fn data(result: &Result<Reply, Error>) -> Option<&str> {
    result.as_ref().ok().and_then(Reply::data).map(RawJson::get)
}

#[tokio::test]
async fn queries_share_a_request_and_each_gets_its_own() {
    let server = Server::default();
    let [a, b, c] = client(&server).batch(operations(["{ a }", "{ b x: a }", "{ a }"])).await;
    assert_eq!(
        [data(&a), data(&b), data(&c)],
        [Some(r#"{"a":1}"#), Some(r#"{"b":1,"x":1}"#), Some(r#"{"a":1}"#)]
    );
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    let query = body(&asked[0])["query"].as_str().unwrap().to_owned();
    for key in ["query0_a", "query1_b", "query1_x", "query2_a"] {
        assert!(query.contains(key), "{query}");
    }
}

#[tokio::test]
async fn each_has_a_type_of_its_own_in_a_tuple() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct A {
        a: u32,
    }
    #[derive(Debug, serde::Deserialize)]
    struct Text {
        #[allow(dead_code)]
        b: String,
    }
    let server = Server::default();
    let asked = (
        Operation::new("{ a }").typed::<A>(),
        Operation::new("{ b }").typed::<Text>(),
        Operation::new("{ c }"),
    );
    let (a, b, c) = client(&server).batch(asked).await;
    assert_eq!(a.unwrap(), A { a: 1 });
    assert_eq!(b.unwrap_err().to_string(), "the data is something else than what was asked for");
    assert_eq!(data(&c), Some(r#"{"c":1}"#));
    let many: Vec<_> = client(&server).batch(vec![Operation::new("{ a }").typed::<A>(); 3]).await;
    assert!(many.into_iter().all(|a| a.is_ok_and(|a| a.a == 1)));
    let none: [Result<Reply, Error>; 0] = client(&server).batch(operations([])).await;
    assert!(none.is_empty());
}

#[tokio::test]
async fn an_error_is_its_owners_and_the_innocent_are_asked_again_where_it_takes_all_data() {
    let server = Server::default();
    let [a, b] = client(&server).batch(operations(["{ a fails }", "{ b }"])).await;
    assert_eq!((data(&a), data(&b)), (Some(r#"{"a":1,"fails":null}"#), Some(r#"{"b":1}"#)));
    assert_eq!(a.unwrap().errors()[0].to_string(), "fails has failed at fails");
    assert!(b.unwrap().errors().is_empty());
    assert_eq!(server.asked().len(), 1);

    let [a, b, c] = client(&server).batch(operations(["{ a }", "{ bubbles }", "{ c }"])).await;
    assert_eq!((data(&a), data(&c)), (Some(r#"{"a":1}"#), Some(r#"{"c":1}"#)));
    let b = b.unwrap();
    assert!(b.data().is_none());
    assert_eq!(b.errors()[0].to_string(), "bubbles has failed at bubbles");
    assert_eq!(server.asked().len(), 3, "the two that are innocent");
}

#[tokio::test]
async fn what_cannot_be_merged_goes_alone_and_mutations_go_one_after_the_other() {
    let server = Server::default();
    let documents = ["{ a }", "mutation { m1 }", "{ b }", "mutation { m2 }", "query A @live { c }"];
    let results = client(&server).batch(operations(documents)).await;
    assert!(results.iter().all(Result::is_ok));
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    let place =
        |text: &str| asked.iter().position(|request| body(request)["query"].as_str().unwrap().contains(text));
    assert!(place("m1") < place("m2"));
    assert_eq!(place("query0_a"), place("query2_b"));

    let both = client(&server).batching(Settings::default().with_mutations());
    let results = both.batch(operations(["mutation { m1 }", "mutation { m2 }"])).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(server.asked().len(), 1);
    let [a, b] = both.batch(operations(["mutation { m1 }", "mutation { bubbles }"])).await;
    let lost = a.unwrap_err();
    assert!(lost.is_lost(), "it may have been carried out, and is not sent again");
    assert!(lost.to_string().contains("may have been carried out"));
    assert!(b.is_ok_and(|b| b.data().is_none()) || server.asked().len() == 2);
}

#[tokio::test]
async fn who_shares_a_request_shares_what_becomes_of_it() {
    let server = Server::default();
    let client = server.client(|_| Err("reset".into()));
    let [a, b] = client.batch(operations(["{ a }", "{ b }"])).await;
    for result in [a, b] {
        assert_eq!(result.unwrap_err().to_string(), "there is no answer");
    }
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn what_the_server_says_to_the_caller_it_says_to_each_and_is_not_asked_for_each() {
    let with = |code: &str, path: Value| json!({ "errors": [{ "message": "no", "path": path, "extensions": { "code": code } }] });
    for (answer, calls) in [
        (with("THROTTLED", Value::Null), 1),
        (with("UNAUTHENTICATED", Value::Null), 1),
        (with("SERVICE_UNAVAILABLE", Value::Null), 1),
        // What is wrong with the request may be wrong with one of them.
        (with("GRAPHQL_VALIDATION_FAILED", Value::Null), 3),
        (with("MY_OWN", Value::Null), 3),
        (with("MY_OWN_LIMIT", Value::Null), 1),
        // It is of one of them, which keeps it.
        (with("FORBIDDEN", json!(["query0_a"])), 2),
    ] {
        let server = Server::default();
        let client = server.client(move |request| {
            let is_merged = body(request)["query"].as_str().unwrap().contains("query1_");
            Ok(if is_merged { json_answer(&answer) } else { answers(request) })
        });
        let client = client.codes(Codes::standard().with("MY_OWN_LIMIT", Kind::Throttled));
        let results = client.batch(operations(["{ a }", "{ b }"])).await;
        assert_eq!(server.asked().len(), calls);
        let is_told =
            |result: &Result<Reply, Error>| result.as_ref().is_ok_and(|reply| !reply.errors().is_empty());
        assert_eq!(results.iter().filter(|result| is_told(result)).count(), [2, 1, 0][calls - 1]);
    }
}
