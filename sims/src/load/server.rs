use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::Chance;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::time::{Instant, sleep_until};
use tower::Service;

use super::trouble::{COLD, DOWN_BEFORE_COLD, SHARE, SLOWER, Trouble};

/// How many requests are worked on at once.
pub(crate) const WORKERS: usize = 250;
/// What each of them takes in the mean; exponentially distributed.
pub(crate) const WORK: Duration = Duration::from_millis(100);

/// A server with a queue that forgets nobody: who has given up is worked for all the same, since the server does not learn
/// of it. It is this that keeps a server down that has got behind.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    chance: Chance,
    trouble: Trouble,
    from: Instant,
    /// When each worker will have done all that is queued for it.
    free: BinaryHeap<Reverse<Instant>>,
    start: Instant,
    seen_by_second: Vec<u32>,
}

impl Server {
    /// Opens now; the trouble begins after `calm`.
    pub(crate) fn open(trouble: Trouble, calm: Duration, chance: Chance) -> Self {
        let start = Instant::now();
        let free = (0..WORKERS).map(|_| Reverse(start)).collect();
        let state = State { chance, trouble, from: start + calm, free, start, seen_by_second: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// How many requests came in each second.
    pub(crate) fn seen_by_second(&self) -> Vec<u32> {
        self.state.lock().expect("no run panics").seen_by_second.clone()
    }
}

impl State {
    /// When there will be which answer.
    fn decide(&mut self) -> (Instant, StatusCode) {
        let now = Instant::now();
        let second = (now - self.start).as_secs() as usize;
        self.seen_by_second.resize(self.seen_by_second.len().max(second + 1), 0);
        self.seen_by_second[second] += 1;

        let is_in_trouble = |at: Instant| at >= self.from && at < self.from + self.trouble.lasts();
        let fails = is_in_trouble(now) && self.chance.unit() < SHARE;
        match self.trouble {
            Trouble::Outage | Trouble::LongOutage if is_in_trouble(now) => {
                return (now, StatusCode::SERVICE_UNAVAILABLE);
            }
            Trouble::ColdStart if now >= self.from && now < self.from + DOWN_BEFORE_COLD => {
                return (now, StatusCode::SERVICE_UNAVAILABLE);
            }
            Trouble::CheapFailures if fails => return (now, StatusCode::SERVICE_UNAVAILABLE),
            _ => {}
        }
        let Reverse(free) = self.free.pop().expect("there are workers");
        let begins = free.max(now);
        let mut work = WORK.mul_f64(-(1.0 - self.chance.unit()).ln());
        if is_in_trouble(begins) {
            work = work.mul_f64(match self.trouble {
                Trouble::Slowdown => SLOWER,
                // Warmer by the second.
                Trouble::ColdStart => {
                    let left = self.from + self.trouble.lasts() - begins;
                    1.0 + (COLD - 1.0)
                        * (left.as_secs_f64() / (self.trouble.lasts() - DOWN_BEFORE_COLD).as_secs_f64())
                }
                _ => 1.0,
            });
        }
        self.free.push(Reverse(begins + work));
        let fails = fails && self.trouble == Trouble::DearFailures;
        (begins + work, if fails { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK })
    }
}

pub(crate) type Body = Full<Bytes>;

impl Service<Request<Body>> for Server {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response<Body>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let (at, status) = self.state.lock().expect("no run panics").decide();
        Box::pin(async move {
            sleep_until(at).await;
            let mut response = Response::new(Full::default());
            *response.status_mut() = status;
            Ok(response)
        })
    }
}
