use std::time::Duration;

use super::*;
use crate::join::join_all;

const DOCUMENT: &str = "{ a }";

/// How a server says that it does not know a hash.
type NotFound = fn() -> Response<Full<Bytes>>;

fn apollo() -> Response<Full<Bytes>> {
    let error =
        json!({ "message": "PersistedQueryNotFound", "extensions": { "code": "PERSISTED_QUERY_NOT_FOUND" } });
    json_answer(&json!({ "errors": [error] }))
}

fn yoga() -> Response<Full<Bytes>> {
    let error =
        json!({ "message": "PersistedQueryNotFound", "extensions": { "code": "PERSISTED_QUERY_NOT_FOUND" } });
    answer(404, "application/json", json!({ "errors": [error] }).to_string())
}

fn async_graphql() -> Response<Full<Bytes>> {
    json_answer(&json!({ "data": null, "errors": [{ "message": "PersistedQueryNotFound" }] }))
}

/// A server that keeps what it is told.
#[derive(Clone)]
struct Keeps {
    known: Arc<Mutex<Vec<String>>>,
    not_found: NotFound,
}

impl Keeps {
    fn new(not_found: NotFound) -> Self {
        Self { known: Arc::default(), not_found }
    }

    fn forget(&self) {
        self.known.lock().unwrap().clear();
    }

    fn client(&self, server: &Server) -> GraphqlClient<Http> {
        let this = self.clone();
        let client = server.client(move |request| {
            let parts = parts(request);
            let hash = parts["extensions"]["persistedQuery"]["sha256Hash"].as_str().map(str::to_owned);
            let mut known = this.known.lock().unwrap();
            if let (Some(_), Some(hash)) = (parts.get("query"), &hash) {
                known.push(hash.clone());
            } else if hash.is_some_and(|hash| !known.contains(&hash)) {
                return Ok((this.not_found)());
            }
            Ok(json_answer(&json!({ "data": { "a": 1 } })))
        });
        client.persisted_queries()
    }
}

fn parts(request: &Request<Bytes>) -> Value {
    if !request.body().is_empty() {
        return body(request);
    }
    let query = form_urlencoded::parse(request.uri().query().unwrap().as_bytes());
    let json = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
        (
            name.into_owned(),
            serde_json::from_str(&value).unwrap_or_else(|_| Value::String(value.into_owned())),
        )
    };
    query.map(json).collect::<serde_json::Map<_, _>>().into()
}

/// `hash`, `whole` (document and hash) or `plain`.
fn kinds(asked: &[Request<Bytes>]) -> Vec<&'static str> {
    let kind = |request: &Request<Bytes>| {
        let parts = parts(request);
        match (parts.get("query").is_some(), parts["extensions"].get("persistedQuery").is_some()) {
            (false, true) => "hash",
            (true, true) => "whole",
            (true, false) => "plain",
            (false, false) => "nothing",
        }
    };
    asked.iter().map(kind).collect()
}

#[tokio::test]
async fn the_hash_goes_first_and_the_document_where_it_is_not_known_however_the_server_says_so() {
    for not_found in [apollo as NotFound, yoga, async_graphql] {
        let server = Server::default();
        let client = Keeps::new(not_found).client(&server);
        for _ in 0..3 {
            assert_eq!(client.query::<Value>(DOCUMENT, &()).await.unwrap(), json!({ "a": 1 }));
        }
        let asked = server.asked();
        assert_eq!(kinds(&asked), ["hash", "whole", "hash", "hash"]);
        let extensions = &body(&asked[0])["extensions"]["persistedQuery"];
        // printf '{ a }' | sha256sum
        assert_eq!(
            extensions["sha256Hash"],
            "1c7e1e347f726166b5b1c55afd61f278cc9b45e00c108ec33d540a566379811b"
        );
        assert_eq!(extensions["version"], 1);
    }
}

#[tokio::test]
async fn a_thousand_at_once_say_it_once() {
    let server = Server::default();
    let client = Keeps::new(apollo).client(&server);
    let results = join_all((0..1000).map(|_| client.query::<Value>(DOCUMENT, &()))).await;
    assert!(results.iter().all(Result::is_ok));
    let asked = server.asked();
    let count = |kind| kinds(&asked).into_iter().filter(|found| *found == kind).count();
    assert_eq!((count("whole"), count("hash"), count("plain")), (1, 1000, 0));
}

#[tokio::test]
async fn what_a_server_has_forgotten_is_said_again_once() {
    let server = Server::default();
    let keeps = Keeps::new(apollo);
    let client = keeps.client(&server);
    client.query::<Value>(DOCUMENT, &()).await.unwrap();
    keeps.forget();
    server.asked();
    let results = join_all((0..100).map(|_| client.query::<Value>(DOCUMENT, &()))).await;
    assert!(results.iter().all(Result::is_ok));
    let asked = server.asked();
    assert_eq!(kinds(&asked).into_iter().filter(|kind| *kind == "whole").count(), 1);
}

#[tokio::test]
async fn who_leaves_while_he_says_it_leaves_it_to_the_next() {
    for polls in 0..12 {
        let server = Server::default();
        let client = Keeps::new(apollo).client(&server);
        let mut first = Box::pin(client.query::<Value>(DOCUMENT, &()));
        for _ in 0..polls {
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx))).await;
            if polled.is_ready() {
                return;
            }
        }
        let second = client.query::<Value>(DOCUMENT, &());
        let (_, second) = tokio::join!(async { drop(first) }, second);
        assert!(second.is_ok(), "after {polls}");
    }
}

#[tokio::test]
async fn a_document_that_could_not_be_said_is_said_by_the_next() {
    let server = Server::default();
    let fails = Arc::new(Mutex::new(true));
    let client = {
        let fails = fails.clone();
        server.client(move |request| {
            if parts(request).get("query").is_none() {
                return Ok(apollo());
            }
            if std::mem::take(&mut *fails.lock().unwrap()) {
                return Err("reset".into());
            }
            Ok(json_answer(&json!({ "data": { "a": 1 } })))
        })
    };
    let client = client.persisted_queries();
    assert!(client.query::<Value>(DOCUMENT, &()).await.is_err());
    assert!(client.query::<Value>(DOCUMENT, &()).await.is_ok());
    assert_eq!(kinds(&server.asked()), ["hash", "whole", "hash", "whole"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_long_for_another_one() {
    let service = tower::service_fn(|request: Request<Full<Bytes>>| async move {
        let request = request.into_body().collect().await.unwrap().to_bytes();
        let parts: Value = serde_json::from_slice(&request).unwrap();
        if parts.get("query").is_none() {
            std::future::pending::<()>().await;
        }
        Ok::<_, BoxError>(json_answer(&json!({ "data": { "a": 1 } })))
    });
    let client = GraphqlClient::new("/", service).unwrap().persisted_queries();
    let hangs = tokio::spawn({
        let client = client.clone();
        async move { client.query::<Value>(DOCUMENT, &()).await }
    });
    tokio::task::yield_now().await;
    let started = tokio::time::Instant::now();
    assert!(client.query::<Value>(DOCUMENT, &()).await.is_ok());
    assert_eq!(started.elapsed(), Duration::from_secs(2));
    hangs.abort();
}

#[tokio::test]
async fn a_server_that_does_not_know_how_is_not_asked_again() {
    for error in [
        json!({ "message": "no", "extensions": { "code": "PERSISTED_QUERY_NOT_SUPPORTED" } }),
        json!({ "message": "PersistedQueryNotSupported" }),
        json!({ "message": "Must provide query string." }),
    ] {
        let server = Server::default();
        let refuses = answer(400, "application/json", json!({ "errors": [error] }).to_string());
        let good = || json_answer(&json!({ "data": { "a": 1 } }));
        let client = server.answering([refuses, good(), good(), good()]).persisted_queries();
        for document in [DOCUMENT, DOCUMENT, "{ b }"] {
            assert!(client.clone().query::<Value>(document, &()).await.is_ok());
        }
        assert_eq!(kinds(&server.asked()), ["hash", "plain", "plain", "plain"]);
    }
}

/// A server that knows nothing of extensions, and says to a hash what it is given here.
fn without_extensions(
    server: &Server,
    refuses: impl Fn() -> Response<Full<Bytes>> + Clone + Send + Sync + 'static,
) -> GraphqlClient<Http> {
    let answer = move |request: &Request<Bytes>| {
        let has_document = parts(request).get("query").is_some();
        Ok(if has_document { json_answer(&json!({ "data": { "a": 1 } })) } else { refuses() })
    };
    server.client(answer).persisted_queries()
}

#[tokio::test]
async fn a_server_that_does_not_know_how_and_says_so_in_its_own_words_is_not_asked_again() {
    let refusals: [NotFound; 4] = [
        || answer(200, ITS_OWN, r#"{"data":null,"errors":[{"message":" --> 1:1, expected a definition"}]}"#),
        || answer(400, ITS_OWN, r#"{"errors":[{"message":"no","extensions":{"code":"BAD_REQUEST"}}]}"#),
        || answer(400, "text/plain", "missing field `query`"),
        || answer(422, "application/json", "{}"),
    ];
    for refuses in refusals {
        let server = Server::default();
        let client = without_extensions(&server, refuses);
        for document in ["mutation { a }", DOCUMENT, "{ b }"] {
            assert!(client.query::<Value>(document, &()).await.is_ok());
        }
        assert_eq!(kinds(&server.asked()), ["hash", "plain", "plain", "plain"]);
    }
}

#[tokio::test]
async fn what_was_executed_or_has_a_code_of_its_own_is_not_said_again() {
    let refusals: [NotFound; 4] = [
        || answer(200, ITS_OWN, r#"{"data":null,"errors":[{"message":"no","path":["a"]}]}"#),
        || answer(200, ITS_OWN, r#"{"errors":[{"message":"no","extensions":{"code":"THROTTLED"}}]}"#),
        || answer(200, ITS_OWN, r#"{"data":{"a":null},"errors":[{"message":"no"}]}"#),
        || answer(503, "text/plain", "come back later"),
    ];
    for refuses in refusals {
        let server = Server::default();
        let client = without_extensions(&server, refuses);
        assert!(client.query::<Value>("mutation { a }", &()).await.is_err());
        assert_eq!(kinds(&server.asked()), ["hash"]);
    }
}

#[tokio::test]
async fn who_waits_for_a_server_that_does_not_know_how_does_not_ask_it_too() {
    let server = Server::default();
    let client = without_extensions(&server, || {
        json_answer(&json!({ "errors": [{ "message": "PersistedQueryNotSupported" }] }))
    });
    let results = join_all((0..100).map(|_| client.query::<Value>(DOCUMENT, &()))).await;
    assert!(results.iter().all(Result::is_ok));
    let asked = server.asked();
    assert_eq!(kinds(&asked).into_iter().filter(|kind| *kind == "hash").count(), 1);
    assert_eq!(asked.len(), 101);
}

#[tokio::test]
async fn an_error_that_the_document_meets_too_says_nothing_of_the_server() {
    let coercion = || answer(400, ITS_OWN, r#"{"errors":[{"message":"$a of type Int"}]}"#);
    let throttled =
        || answer(200, ITS_OWN, r#"{"errors":[{"message":"","extensions":{"code":"THROTTLED"}}]}"#);
    let down = || answer(503, "text/plain", "come back later");
    let good = || json_answer(&json!({ "data": { "a": 1 } }));
    for meets in [coercion as NotFound, throttled, down] {
        let server = Server::default();
        let client = server.answering([coercion(), meets(), good(), good()]).persisted_queries();
        assert!(client.query::<Value>(DOCUMENT, &()).await.is_err());
        for _ in 0..2 {
            assert!(client.query::<Value>(DOCUMENT, &()).await.is_ok());
        }
        assert_eq!(kinds(&server.asked()), ["hash", "plain", "hash", "hash"]);
    }
}

#[tokio::test]
async fn other_errors_of_a_server_that_knows_how_are_the_callers() {
    let coercion = || answer(400, ITS_OWN, r#"{"errors":[{"message":"$a of type Int"}]}"#);
    let good = || json_answer(&json!({ "data": { "a": 1 } }));
    for (shows, kinds_of_first) in
        [(vec![good()], vec!["hash"]), (vec![apollo(), good()], vec!["hash", "whole"])]
    {
        let server = Server::default();
        let client = server.answering(shows.into_iter().chain([coercion(), coercion()])).persisted_queries();
        client.query::<Value>(DOCUMENT, &()).await.unwrap();
        assert_eq!(kinds(&server.asked()), kinds_of_first);
        for document in ["{ b }", "{ c }"] {
            assert_eq!(client.send(Operation::new(document)).await.unwrap().errors().len(), 1);
        }
        assert_eq!(kinds(&server.asked()), ["hash", "hash"]);
    }
}

#[tokio::test]
async fn hashed_queries_may_be_gets_with_a_target_that_is_the_same_each_time() {
    let server = Server::default();
    let client = Keeps::new(apollo).client(&server).get_for_hashed_queries();
    let operation = || {
        let operation = Operation::new("query A($b: Int, $a: String) { a }").name("A");
        operation.variables(&json!({ "b": 1, "a": "ü&=" })).unwrap()
    };
    for _ in 0..2 {
        client.send(operation()).await.unwrap();
    }
    let asked = server.asked();
    assert_eq!(kinds(&asked), ["hash", "whole", "hash"]);
    assert_eq!(
        asked.iter().map(|request| request.method().as_str()).collect::<Vec<_>>(),
        ["GET", "POST", "GET"]
    );
    assert_eq!(asked[0].uri(), asked[2].uri());
    let target = asked[0].uri().path_and_query().unwrap().as_str();
    let start = "/graphql?v=1&operationName=A&variables=%7B%22a%22%3A%22%C3%BC%26%3D%22%2C%22b%22%3A1%7D&extensions=%7B%22persistedQuery%22%3A%7B%22sha256Hash%22%3A%22";
    assert!(target.starts_with(start), "{target}");
    assert_eq!(asked[0].headers()["apollo-require-preflight"], "true");
    assert!(!asked[0].headers().contains_key("content-type") && asked[0].body().is_empty());
    assert_eq!(asked[0].headers()["accept"], asked[1].headers()["accept"]);
}

#[tokio::test]
async fn mutations_and_long_targets_are_posts() {
    let server = Server::default();
    let client = Keeps::new(apollo).client(&server).get_for_hashed_queries();
    client.send(Operation::new("mutation { a }")).await.unwrap();
    let asked = server.asked();
    assert!(asked.iter().all(|request| request.method() == "POST"));
    assert_eq!(kinds(&asked), ["hash", "whole"]);

    let length = |text: usize| Operation::new(DOCUMENT).variables(&json!({ "a": "x".repeat(text) })).unwrap();
    client.send(length(100)).await.unwrap();
    let base = server.asked()[0].uri().path_and_query().unwrap().as_str().len() - 100;
    for (target, method) in [(8000, "GET"), (8001, "POST")] {
        client.send(length(target - base)).await.unwrap();
        assert_eq!(server.asked()[0].method(), method, "{target}");
    }
}

#[tokio::test]
async fn clones_know_the_same() {
    let server = Server::default();
    let client = Keeps::new(apollo).client(&server);
    client.clone().query::<Value>(DOCUMENT, &()).await.unwrap();
    client.query::<Value>(DOCUMENT, &()).await.unwrap();
    assert_eq!(kinds(&server.asked()), ["hash", "whole", "hash"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_long_for_another_one_who_says_again_what_was_forgotten() {
    let forgotten = Arc::new(Mutex::new(false));
    let service = {
        let forgotten = forgotten.clone();
        tower::service_fn(move |request: Request<Full<Bytes>>| {
            let forgotten = forgotten.clone();
            async move {
                let parts: Value = serde_json::from_slice(&request.into_body().collect().await?.to_bytes())?;
                let is_hash = parts.get("query").is_none();
                let was_forgotten = *forgotten.lock().unwrap();
                if was_forgotten && parts["variables"]["hangs"] == true && !is_hash {
                    std::future::pending::<()>().await;
                }
                if was_forgotten && is_hash {
                    // The one that hangs is faster here.
                    let wait = if parts["variables"]["hangs"] == true { 0 } else { 100 };
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                    return Ok(apollo());
                }
                Ok::<_, BoxError>(json_answer(&json!({ "data": { "a": 1 } })))
            }
        })
    };
    let client = GraphqlClient::new("/", service).unwrap().persisted_queries();
    client.query::<Value>(DOCUMENT, &()).await.unwrap();
    *forgotten.lock().unwrap() = true;
    let hangs = tokio::spawn({
        let client = client.clone();
        async move { client.query::<Value>(DOCUMENT, &json!({ "hangs": true })).await }
    });
    let started = tokio::time::Instant::now();
    let answered = tokio::time::timeout(Duration::from_secs(60), client.query::<Value>(DOCUMENT, &())).await;
    assert!(answered.is_ok_and(|answer| answer.is_ok()), "it says it by itself");
    assert_eq!(started.elapsed(), Duration::from_millis(2100));
    hangs.abort();
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_server_that_does_not_know_how_waits_no_longer_than_that_is_unknown() {
    let service = tower::service_fn(|request: Request<Full<Bytes>>| async move {
        let parts: Value = serde_json::from_slice(&request.into_body().collect().await?.to_bytes())?;
        let seconds = if parts["variables"]["slow"] == true && parts.get("query").is_some() { 60 } else { 1 };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        if parts.get("query").is_none() {
            return Ok(json_answer(&json!({ "errors": [{ "message": "PersistedQueryNotSupported" }] })));
        }
        Ok::<_, BoxError>(json_answer(&json!({ "data": { "a": 1 } })))
    });
    let client = GraphqlClient::new("/", service).unwrap().persisted_queries();
    let slow = tokio::spawn({
        let client = client.clone();
        async move { client.query::<Value>(DOCUMENT, &json!({ "slow": true })).await }
    });
    tokio::task::yield_now().await;
    let started = tokio::time::Instant::now();
    client.query::<Value>(DOCUMENT, &()).await.unwrap();
    assert_eq!(started.elapsed(), Duration::from_secs(2), "one to hear it, one for its own");
    slow.abort();
}
