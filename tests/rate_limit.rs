//! Greedy callers of a server on loopback that allows fifty calls a second and says so.

#![allow(missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::BoxError;
use bartizan_rate_limit::RateLimitLayer;
use bartizan_test::server::{Act, Seen, Server};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt};

const QUOTA: u64 = 50;
const LASTS: Duration = Duration::from_secs(5);

/// What the server counted: of each second since it was started, how many calls it allowed and how many it threw back.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<Vec<(u64, u64)>>>);

impl Counts {
    fn answer(&self, at: Duration) -> Act {
        let second = usize::try_from(at.as_secs()).expect("a few seconds");
        let mut seconds = self.0.lock().expect("no test panicked");
        if seconds.len() <= second {
            seconds.resize(second + 1, (0, 0));
        }
        let (allowed, thrown_back) = &mut seconds[second];
        let goes = *allowed < QUOTA;
        *(if goes { &mut *allowed } else { thrown_back }) += 1;
        let left = (QUOTA - *allowed).to_string();
        let act = Act::reply(if goes { 200 } else { 429 })
            .header("x-ratelimit-limit", "50")
            .header("x-ratelimit-remaining", &left)
            .header("x-ratelimit-reset", "1");
        if goes { act } else { act.header("retry-after", "1") }
    }
}

/// The number of a call, given when it comes to the limit.
#[derive(Clone, Copy)]
struct Number(usize);

async fn greed(h2: bool) {
    let counts = Counts::default();
    let (started, counting) = (Instant::now(), counts.clone());
    let script = move |_: &Seen| counting.answer(started.elapsed());
    let server =
        if h2 { Server::h2(script).await } else { Server::h1(script).await }.expect("a loopback port");
    let uri = server.uri("/");

    let (came, went) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(Vec::new())));
    let gone = went.clone();
    let client = ServiceBuilder::new()
        .map_request(move |mut request: Request<Full<Bytes>>| {
            let mut came = came.lock().expect("no test panicked");
            request.extensions_mut().insert(Number(*came));
            *came += 1;
            request
        })
        .layer(RateLimitLayer::without_quota())
        .map_request(move |request: Request<Full<Bytes>>| {
            let number = request.extensions().get::<Number>().expect("each has one").0;
            gone.lock().expect("no test panicked").push(number);
            request
        })
        .service(Client::builder(TokioExecutor::new()).http2_only(h2).build_http());
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let (client, uri) = (client.clone(), uri.clone());
            tokio::spawn(async move {
                while started.elapsed() < LASTS {
                    let request = Request::get(&uri).body(Full::default())?;
                    client.clone().oneshot(request).await?.into_body().collect().await?;
                }
                Ok::<_, BoxError>(())
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no caller panicks").expect("the server answers");
    }

    let went = went.lock().expect("no test panicked");
    // Those that go at the same moment are begun by the runtime as it likes; beyond that nobody is passed.
    let is_in_order = went.iter().enumerate().all(|(at, number)| at.abs_diff(*number) < QUOTA as usize);
    assert!(is_in_order, "{went:?}");
    let seconds = counts.0.lock().expect("no test panicked");
    let later = &seconds[2..];
    let (allowed, thrown_back) =
        later.iter().fold((0, 0), |sum, second| (sum.0 + second.0, sum.1 + second.1));
    let share = thrown_back as f64 / (allowed + thrown_back) as f64;
    println!(
        "{}: {seconds:?}, {:.2} % thrown back after the first second",
        if h2 { "h2" } else { "h1" },
        100.0 * share
    );
    assert_eq!(seconds[0].0, QUOTA);
    assert!(share <= 0.01, "{seconds:?}");
    assert_eq!(went.len(), server.log().requests().len());
}

#[tokio::test]
async fn what_the_server_says_is_heeded_over_http_1() {
    greed(false).await;
}

#[tokio::test]
async fn what_the_server_says_is_heeded_over_http_2() {
    greed(true).await;
}
