//! What the layers make of a GraphQL server's answers, in a standard stack over HTTP/1.1. The server's log is the judge.

#![allow(missing_docs)]

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bartizan::Stack;
use bartizan_core::{BoxError, CallContext, Outcome, Rejection, find_source};
use bartizan_graphql::{GraphqlClient, GraphqlOutcomeLayer};
use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt, service_fn};

const SECOND: Duration = Duration::from_secs(1);

/// What the server does with one request.
#[derive(Clone, Copy)]
enum Does {
    /// Executes it.
    Executes,
    /// Does nothing of it: so much is missing to what it costs, and comes back at 50 a second.
    Throttles { missing: u32 },
    /// Executes a part of it.
    ThrottlesAField,
    /// Executes it, and fails afterwards.
    Fails,
    /// Executes it, and never answers.
    Hangs,
    /// Executes it, and never comes to an end with its answer.
    HangsInTheBody,
    /// Does nothing of it.
    Refuses,
}

use Does::{Executes, Fails, Hangs, HangsInTheBody, Refuses, Throttles, ThrottlesAField};

impl Does {
    fn executes(self) -> bool {
        !matches!(self, Throttles { .. } | Refuses)
    }
}

/// A GraphQL server that does one step a request; when they have run out, the last again.
struct Shop {
    steps: Mutex<VecDeque<Does>>,
    log: Mutex<Vec<Instant>>,
    executions: Mutex<u32>,
}

impl Shop {
    fn of(steps: impl IntoIterator<Item = Does>) -> Arc<Self> {
        let steps = Mutex::new(steps.into_iter().collect());
        Arc::new(Self { steps, log: Mutex::default(), executions: Mutex::default() })
    }

    fn next(&self) -> Does {
        let mut steps = self.steps.lock().expect("no test panicked");
        let last = steps.len() == 1;
        if last { steps.front().copied() } else { steps.pop_front() }.expect("a step at least")
    }

    /// How many requests came, and how many of them were executed, or a part of them.
    fn saw(&self) -> (usize, u32) {
        let log = self.log.lock().expect("no test panicked");
        (log.len(), *self.executions.lock().expect("no test panicked"))
    }

    /// The time between the first two requests.
    fn between(&self) -> Duration {
        let log = self.log.lock().expect("no test panicked");
        log[1] - log[0]
    }
}

async fn graphql(State(shop): State<Arc<Shop>>, _document: Bytes) -> Response {
    let does = shop.next();
    shop.log.lock().expect("no test panicked").push(Instant::now());
    if does.executes() {
        *shop.executions.lock().expect("no test panicked") += 1;
    }
    let text = match does {
        Executes => r#"{"data": {"a": 1}}"#.to_owned(),
        Throttles { missing } => format!(
            r#"{{"errors": [{{"message": "Throttled", "extensions": {{"code": "THROTTLED"}}}}], "extensions": {{"cost":
            {{"requestedQueryCost": {missing}, "actualQueryCost": null, "throttleStatus":
            {{"maximumAvailable": 1000, "currentlyAvailable": 0, "restoreRate": 50}}}}}}}}"#
        ),
        ThrottlesAField => {
            let error = r#"{"message": "slow down", "path": ["b"], "extensions": {"code": "THROTTLED"}}"#;
            format!(r#"{{"data": {{"a": 1, "b": null}}, "errors": [{error}]}}"#)
        }
        Fails => {
            let error =
                r#"{"message": "oops", "path": ["a"], "extensions": {"code": "INTERNAL_SERVER_ERROR"}}"#;
            format!(r#"{{"data": {{"a": null}}, "errors": [{error}]}}"#)
        }
        Refuses => {
            r#"{"errors": [{"message": "who?", "extensions": {"code": "UNAUTHENTICATED"}}]}"#.to_owned()
        }
        Hangs => pending().await,
        HangsInTheBody => return ([(CONTENT_TYPE, "application/json")], Body::new(Stalls)).into_response(),
    };
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

struct Stalls;

impl http_body::Body for Stalls {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        std::task::Poll::Pending
    }
}

type Boxed = UnsyncBoxBody<Bytes, BoxError>;
type HttpClient = BoxCloneSyncService<Request<Full<Bytes>>, http::Response<hyper::body::Incoming>, BoxError>;
type Answer = Result<(Option<Outcome>, String), BoxError>;

/// A connection of its own for each request, over a pipe in memory, so that paused time drives both ends.
fn pipes(shop: Arc<Shop>) -> HttpClient {
    let router = Router::new().route("/graphql", post(graphql)).with_state(shop);
    let serve = move |request: Request<Full<Bytes>>| {
        let router = router.clone();
        async move {
            let (near, far) = tokio::io::duplex(64 * 1024);
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(far), TowerToHyperService::new(router)));
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(near)).await?;
            tokio::spawn(connection);
            Ok(sender.send_request(request).await?)
        }
    };
    BoxCloneSyncService::new(service_fn(serve))
}

/// The stack, with the layer around the transport.
#[derive(Clone)]
struct Caller(BoxCloneSyncService<Request<Full<Bytes>>, http::Response<Boxed>, BoxError>);

impl Caller {
    fn over(transport: HttpClient) -> Self {
        let stack = Stack::standard().build().expect("the standard stack is sound");
        Self::boxing(stack.layer(GraphqlOutcomeLayer::new().layer(transport)))
    }

    fn boxing<S, B>(calls: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = http::Response<B>, Error = BoxError, Future: Send>,
        S: Clone + Send + Sync + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let boxing = |body: B| body.map_err(Into::into).boxed_unsync();
        Self(BoxCloneSyncService::new(calls.map_response(move |response| response.map(boxing))))
    }

    fn of(shop: &Arc<Shop>) -> Self {
        Self::over(pipes(shop.clone()))
    }

    async fn call(&self, change: impl FnOnce(&mut Request<Full<Bytes>>)) -> Answer {
        let mut request =
            Request::post("http://shop.test/graphql").body(Full::from("{}")).expect("a valid request");
        change(&mut request);
        let response = self.0.clone().oneshot(request).await?;
        let outcome = response.extensions().get().copied();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok((outcome, String::from_utf8(bytes.to_vec())?))
    }

    async fn query(&self) -> Answer {
        self.call(|request| CallContext::edit(request.extensions_mut()).retry_mut().safe_to_repeat = true)
            .await
    }

    async fn mutation(&self) -> Answer {
        self.call(|_| ()).await
    }
}

fn once(request: &mut Request<Full<Bytes>>) {
    CallContext::edit(request.extensions_mut()).retry_mut().off = true;
}

#[tokio::test(start_paused = true)]
async fn a_throttled_query_is_sent_again_after_its_wait() {
    let shop = Shop::of([Throttles { missing: 500 }, Executes]);
    let (_, text) = Caller::of(&shop).query().await.expect("an answer");
    assert_eq!((&*text, shop.saw()), (r#"{"data": {"a": 1}}"#, (2, 1)));
    assert!(shop.between() >= 10 * SECOND && shop.between() < 16 * SECOND, "{:?}", shop.between());
}

#[tokio::test(start_paused = true)]
async fn a_throttled_mutation_is_sent_again_and_runs_once() {
    let shop = Shop::of([Throttles { missing: 500 }, Executes]);
    let (_, text) = Caller::of(&shop).mutation().await.expect("an answer");
    assert_eq!((&*text, shop.saw()), (r#"{"data": {"a": 1}}"#, (2, 1)));
    assert!(shop.between() >= 10 * SECOND && shop.between() < 16 * SECOND, "{:?}", shop.between());
}

#[tokio::test]
async fn over_tcp_a_throttled_mutation_runs_once_too() {
    let shop = Shop::of([Throttles { missing: 5 }, Executes]);
    let router = Router::new().route("/graphql", post(graphql)).with_state(shop.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let addr = listener.local_addr().expect("it is bound");
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await });
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let caller = Caller::over(BoxCloneSyncService::new(client.map_err(Into::into)));
    let to_addr = |request: &mut Request<Full<Bytes>>| {
        *request.uri_mut() = format!("http://{addr}/graphql").parse().expect("a valid URI");
    };
    caller.call(to_addr).await.expect("an answer");
    assert_eq!(shop.saw(), (2, 1));
    assert!(shop.between() >= Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn a_mutation_that_was_done_in_part_is_not_sent_again() {
    let shop = Shop::of([ThrottlesAField]);
    let (outcome, _) = Caller::of(&shop).mutation().await.expect("an answer");
    assert_eq!((outcome, shop.saw()), (Some(Outcome::Throttled), (1, 1)));
}

#[tokio::test(start_paused = true)]
async fn a_mutation_that_timed_out_is_not_sent_again() {
    for hangs in [Hangs, HangsInTheBody] {
        let shop = Shop::of([hangs, Executes]);
        Caller::of(&shop).mutation().await.expect_err("a timeout");
        assert_eq!(shop.saw(), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_that_timed_out_in_its_body_is_sent_again() {
    let shop = Shop::of([HangsInTheBody, Executes]);
    Caller::of(&shop).query().await.expect("an answer");
    assert_eq!(shop.saw().0, 2);
}

#[tokio::test(start_paused = true)]
async fn a_mutation_that_failed_is_sent_again_with_an_idempotency_key_alone() {
    let shop = Shop::of([Fails, Executes]);
    let (outcome, _) = Caller::of(&shop).mutation().await.expect("an answer");
    assert_eq!((outcome, shop.saw().0), (Some(Outcome::Failure), 1));

    let shop = Shop::of([Fails, Executes]);
    let with_key = |request: &mut Request<Full<Bytes>>| {
        request.headers_mut().insert("idempotency-key", "\"8e03978e\"".parse().expect("a valid value"));
    };
    Caller::of(&shop).call(with_key).await.expect("an answer");
    assert_eq!(shop.saw().0, 2);
}

#[tokio::test(start_paused = true)]
async fn a_query_that_failed_is_sent_again() {
    let shop = Shop::of([Fails, Executes]);
    let (outcome, _) = Caller::of(&shop).query().await.expect("an answer");
    assert_eq!((outcome, shop.saw().0), (None, 2));
}

#[tokio::test(start_paused = true)]
async fn failures_at_200_open_the_circuit() {
    let (shop, mut refused) = (Shop::of([Fails]), 0);
    let caller = Caller::of(&shop);
    for _ in 0..20 {
        // Retry would wait for a circuit that is open.
        if let Err(error) = caller.call(once).await {
            assert!(find_source::<Rejection>(&*error).is_some(), "{error}");
            refused += 1;
        }
    }
    assert_eq!((shop.saw().0, refused), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_throttles_or_refuses_leaves_the_circuit_closed() {
    for step in [Throttles { missing: 1 }, Refuses, ThrottlesAField] {
        let shop = Shop::of([step]);
        let caller = Caller::of(&shop);
        for _ in 0..30 {
            caller.mutation().await.expect("an answer");
        }
        assert!(shop.saw().0 >= 30);
    }
}

#[tokio::test(start_paused = true)]
async fn other_calls_wait_while_the_server_throttles() {
    let shop = Shop::of([Throttles { missing: 500 }, Executes]);
    let caller = Caller::of(&shop);
    let (outcome, text) = caller.call(once).await.expect("an answer");
    assert!(
        outcome == Some(Outcome::Throttled) && text.contains("THROTTLED"),
        "it is the caller's, as it came"
    );
    caller.call(once).await.expect("an answer");
    assert!(shop.between() >= 10 * SECOND, "{:?}", shop.between());
}

/// As an application asks: which requests may be sent again is read in their documents.
async fn ask(shop: &Arc<Shop>, document: &str) -> Result<serde_json::Value, bartizan_graphql::Error> {
    let client =
        GraphqlClient::new("http://shop.test/graphql", Caller::of(shop).0).expect("a valid endpoint");
    client.query(document, &()).await
}

#[tokio::test(start_paused = true)]
async fn by_the_client_a_query_that_failed_is_sent_again_and_a_mutation_is_not() {
    for (document, requests) in [("{ a }", 2), ("mutation { a }", 1)] {
        let shop = Shop::of([Fails, Executes]);
        assert_eq!(ask(&shop, document).await.is_ok(), requests == 2, "{document}");
        assert_eq!(shop.saw().0, requests, "{document}");
    }
}

#[tokio::test(start_paused = true)]
async fn by_the_client_a_throttled_mutation_runs_once() {
    let shop = Shop::of([Throttles { missing: 500 }, Executes]);
    ask(&shop, "mutation { a }").await.expect("an answer");
    assert_eq!(shop.saw(), (2, 1));
    assert!(shop.between() >= 10 * SECOND, "{:?}", shop.between());
}
