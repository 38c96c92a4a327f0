//! Plays the scenario against each client: the same calls at the same instants, whatever became of those before.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bartizan_core::BoxError;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use hyper_util::client::legacy::connect::Connect;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::clients::{self, Body};
use crate::counts::{Counted, Counts};
use crate::report::Figures;
use crate::scenario::{Call, ITEMS, Kind, PATIENCE, Scenario};
use crate::server::{CALL, KEY, Server};

/// What joins clients and servers: sockets, or memory.
pub(crate) trait Network {
    type Connector: Connect + Clone + Send + Sync + 'static;

    /// Opens `server` to clients. Returns what connects to it, and its authority.
    async fn open(&self, server: Arc<Server>) -> io::Result<(Self::Connector, String)>;
}

pub(crate) const CLIENTS: usize = 5;

/// The clients, in the order of all that is reported.
pub(crate) const NAMES: [&str; CLIENTS] = ["bare", "naive", "retry", "stack", "cached"];

/// What can be seen of a run while it goes on.
#[derive(Debug, Default)]
pub(crate) struct Live {
    good: AtomicUsize,
    server: OnceLock<Arc<Server>>,
}

impl Live {
    /// Good calls so far.
    pub(crate) fn good(&self) -> usize {
        self.good.load(Ordering::Relaxed)
    }

    /// Requests that have reached the server so far.
    pub(crate) fn seen(&self) -> usize {
        self.server.get().map_or(0, |server| server.log().arrivals.len())
    }
}

/// One call, as its caller saw it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) call: Call,
    pub(crate) took: Duration,
    /// A complete answer with a 2xx status came in time.
    pub(crate) is_good: bool,
}

/// Runs the clients side by side, each against a server of its own.
pub(crate) async fn side_by_side<N: Network>(
    scenario: &Arc<Scenario>,
    network: &N,
    live: &[Arc<Live>; CLIENTS],
) -> io::Result<[Figures; CLIENTS]> {
    let [bare_live, naive_live, retry_live, stack_live, cached_live] = live;
    let bare = Run::open(scenario, network, bare_live).await?;
    let naive = Run::open(scenario, network, naive_live).await?;
    let retry = Run::open(scenario, network, retry_live).await?;
    let stack = Run::open(scenario, network, stack_live).await?;
    let cached = Run::open(scenario, network, cached_live).await?;

    let [retry_counts, stack_counts, cached_counts] = [(); 3].map(|()| Counts::from_now());
    let bare_client = clients::bare(bare.connector.clone());
    let naive_client = clients::bare(naive.connector.clone());
    let retry_client = clients::retry(clients::bare(retry.connector.clone()), scenario.seed, &retry_counts);
    let stack_client = clients::stack(clients::bare(stack.connector.clone()), scenario.seed, &stack_counts);
    let cached_client =
        clients::cached(clients::bare(cached.connector.clone()), scenario.seed, &cached_counts);
    let outcomes = tokio::join!(
        bare.play(|request| clients::whole(bare_client.clone(), request)),
        naive.play(|request| clients::naive(naive_client.clone(), request)),
        retry.play(|request| clients::whole(retry_client.clone(), request)),
        stack.play(|request| clients::whole(stack_client.clone(), request)),
        cached.play(|request| clients::whole(cached_client.clone(), request)),
    );
    Ok([
        bare.figures(&outcomes.0, Counted::default()),
        naive.figures(&outcomes.1, Counted::default()),
        retry.figures(&outcomes.2, retry_counts.counted()),
        stack.figures(&outcomes.3, stack_counts.counted()),
        cached.figures(&outcomes.4, cached_counts.counted()),
    ])
}

/// One client's part of the comparison.
struct Run<C> {
    scenario: Arc<Scenario>,
    server: Arc<Server>,
    connector: C,
    authority: String,
    live: Arc<Live>,
}

impl<C> Run<C> {
    async fn open<N: Network<Connector = C>>(
        scenario: &Arc<Scenario>,
        network: &N,
        live: &Arc<Live>,
    ) -> io::Result<Self> {
        let server = Server::new(scenario.clone());
        let _ = live.server.set(server.clone());
        let (connector, authority) = network.open(server.clone()).await?;
        Ok(Self { scenario: scenario.clone(), server, connector, authority, live: live.clone() })
    }

    async fn play<F>(&self, client: impl Fn(Request<Body>) -> F) -> Vec<Outcome>
    where
        F: Future<Output = Result<StatusCode, BoxError>> + Send + 'static,
    {
        let started = Instant::now();
        let mut running = JoinSet::new();
        for &call in &self.scenario.calls {
            sleep_until(started + call.at).await;
            let answer = client(self.request(call));
            let live = self.live.clone();
            running.spawn(async move {
                let arrived = Instant::now();
                let result = timeout(PATIENCE, answer).await;
                let is_good = matches!(result, Ok(Ok(status)) if status.is_success());
                live.good.fetch_add(usize::from(is_good), Ordering::Relaxed);
                Outcome { call, took: arrived.elapsed(), is_good }
            });
        }
        running.join_all().await
    }

    fn request(&self, call: Call) -> Request<Body> {
        let target = match call.kind {
            Kind::Get => format!("items/{}", call.id % ITEMS),
            Kind::Post | Kind::PostWithKey => format!("orders/{}", call.id),
        };
        let mut request =
            Request::builder().uri(format!("http://{}/{target}", self.authority)).header(CALL, call.id);
        if call.kind != Kind::Get {
            request = request.method(Method::POST);
        }
        if call.kind == Kind::PostWithKey {
            request = request.header(KEY, format!("\"{}\"", call.id));
        }
        let body =
            if call.kind == Kind::Get { Bytes::new() } else { Bytes::from_static(b"{\"quantity\":1}") };
        request.body(body.into()).expect("digits and an authority make a valid request")
    }

    fn figures(&self, outcomes: &[Outcome], counted: Counted) -> Figures {
        Figures::new(&self.scenario, outcomes, &self.server.log(), counted)
    }
}
