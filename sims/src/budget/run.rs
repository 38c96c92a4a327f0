use std::time::Duration;

use bartizan_core::Chance;
use http::{Request, StatusCode};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tower::ServiceExt;

use super::clients::Client;
use super::server::{Body, Server, WORK, WORKERS};
use super::{Figures, Strategy, Summary, Trouble};
use crate::seeds;

/// Before the trouble.
pub(crate) const CALM: Duration = Duration::from_secs(20);
/// After it.
pub(crate) const AFTER: Duration = Duration::from_secs(120);
/// Of what the server can do.
const UTILISATION: f64 = 0.8;

/// One question: who calls, how, and what goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// How many clients share the load.
    pub clients: usize,
    /// How they retry.
    pub strategy: Strategy,
    /// What goes wrong.
    pub trouble: Trouble,
}

/// One run of a case.
pub fn run(case: Case, seed: u64) -> Figures {
    seeds::in_virtual_time(play(case, seed))
}

/// A run for each seed.
pub fn summarise(case: Case, seeds: u64) -> Summary {
    Summary::of(case, seeds::each(seeds, |seed| run(case, seed)))
}

async fn play(case: Case, seed: u64) -> Figures {
    let chance = Chance::from_seed(seed);
    // Each with a sequence of its own, so that the load is the same for all strategies.
    let [arrivals, work, waits] = [(); 3].map(|()| Chance::from_seed(chance.next_u64()));
    let server = Server::open(case.trouble, CALM, work);
    let clients: Vec<Client> =
        (0..case.clients).map(|_| case.strategy.client(server.clone(), &waits)).collect();

    let start = Instant::now();
    let lasts = CALM + case.trouble.lasts() + AFTER;
    let rate = UTILISATION * WORKERS as f64 / WORK.as_secs_f64();
    let mut figures = Figures::new(case.trouble, lasts);
    let mut calls = JoinSet::new();
    let mut at = Duration::ZERO;
    loop {
        // A Poisson process.
        at += Duration::from_secs_f64(-(1.0 - arrivals.unit()).ln() / rate);
        if at >= lasts {
            break;
        }
        let client = &clients[(arrivals.unit() * case.clients as f64) as usize];
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
