use std::time::Duration;

use bartizan_core::{BoxError, Chance};
use http::{Request, StatusCode};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tower::ServiceExt;
use tower::util::BoxCloneService;

use super::server::{Body, Server, WORK, WORKERS};
use super::{Figures, Trouble};
use crate::seeds;

/// Before the trouble.
pub(crate) const CALM: Duration = Duration::from_secs(20);
/// After it.
pub(crate) const AFTER: Duration = Duration::from_secs(120);
/// Of what the server can do.
const UTILISATION: f64 = 0.8;

/// One client: a stack of its own around the common server. Its errors are of no interest.
pub(crate) type Client = BoxCloneService<Request<Body>, StatusCode, BoxError>;

/// One run, in virtual time: `client` makes each of so many clients, with a source of chance for its waits.
pub(crate) fn play(
    trouble: Trouble,
    clients: usize,
    seed: u64,
    client: impl Fn(Server, &Chance) -> Client,
) -> Figures {
    seeds::in_virtual_time(run(trouble, clients, seed, client))
}

async fn run(
    trouble: Trouble,
    clients: usize,
    seed: u64,
    client: impl Fn(Server, &Chance) -> Client,
) -> Figures {
    let chance = Chance::from_seed(seed);
    // Each with a sequence of its own, so that the load is the same for all strategies.
    let [arrivals, work, waits] = [(); 3].map(|()| Chance::from_seed(chance.next_u64()));
    let server = Server::open(trouble, CALM, work);
    let clients: Vec<Client> = (0..clients).map(|_| client(server.clone(), &waits)).collect();

    let start = Instant::now();
    let lasts = CALM + trouble.lasts() + AFTER;
    let rate = UTILISATION * WORKERS as f64 / WORK.as_secs_f64();
    let mut figures = Figures::new(trouble, lasts);
    let mut calls = JoinSet::new();
    let mut at = Duration::ZERO;
    loop {
        // A Poisson process.
        at += Duration::from_secs_f64(-(1.0 - arrivals.unit()).ln() / rate);
        if at >= lasts {
            break;
        }
        let client = &clients[(arrivals.unit() * clients.len() as f64) as usize];
        sleep_until(start + at).await;
        let call = client.clone().oneshot(request());
        calls.spawn(async move {
            (at.as_secs() as usize, call.await.is_ok_and(|status| status == StatusCode::OK))
        });
        while let Some(ended) = calls.try_join_next() {
            let (second, is_good) = ended.expect("no call panics");
            figures.ended(second, is_good);
        }
    }
    while let Some(ended) = calls.join_next().await {
        let (second, is_good) = ended.expect("no call panics");
        figures.ended(second, is_good);
    }
    figures.seen_by_second = server.seen_by_second();
    figures
}

fn request() -> Request<Body> {
    Request::get("http://origin.example/").body(Body::default()).expect("a valid request")
}
