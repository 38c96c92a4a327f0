//! The server: hyper over whatever connections it is given.
//!
//! It has 16 workers. A request waits in line for one, keeps it for about 100 ms, and may find 48 others in line at most;
//! else it is refused at once with a 503 and `Retry-After: 1`. So it can work on 160 requests a second, 100 calls arrive,
//! and what clients send on top costs everybody time first and answers then. Like most servers it does not notice that
//! a caller has hung up: work that is in line gets done.
//!
//! While it is down it refuses all at once, and each refusal puts off its return by 2 ms: a handshake and a line in a log are time in which it
//! would have started.
//!
//! What it does depends on the seed, the phase and the load, and on nothing else: it cannot tell one client from another.
//! What is read may be kept for a second, and shown for a while after that. A `POST` with an `Idempotency-Key` that was worked on before is answered from the records.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::answer::{Answer, Reset};
use crate::scenario::{Fate, QUEUE, START_PUT_OFF, Scenario, WORKERS, Weather};

/// The field that says which call a request belongs to.
pub(crate) const CALL: &str = "x-call";

/// The field that makes a `POST` safe to repeat.
pub(crate) const KEY: &str = "idempotency-key";

#[derive(Debug)]
pub(crate) struct Server {
    scenario: Arc<Scenario>,
    started: Instant,
    /// In line or at work.
    places: Arc<Semaphore>,
    workers: Semaphore,
    /// While it was down.
    refused: AtomicU32,
    log: Mutex<Log>,
}

/// What the server saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// When each request came.
    pub(crate) arrivals: Vec<Duration>,
    /// One entry a call.
    pub(crate) calls: Vec<Seen>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: u32,
    /// How many of them had an effect.
    pub(crate) worked: u32,
}

/// A request whose head and body are here.
#[derive(Clone, Copy)]
struct Arrived {
    at: Duration,
    call: usize,
    nth: u32,
}

impl Server {
    /// A server whose outage begins now.
    pub(crate) fn new(scenario: Arc<Scenario>) -> Arc<Self> {
        let log = Log { calls: vec![Seen::default(); scenario.calls.len()], ..Log::default() };
        Arc::new(Self {
            scenario,
            started: Instant::now(),
            places: Arc::new(Semaphore::new(WORKERS + QUEUE)),
            workers: Semaphore::new(WORKERS),
            refused: AtomicU32::new(0),
            log: Mutex::new(log),
        })
    }

    /// Serves one connection until either side ends it.
    pub(crate) async fn serve(self: Arc<Self>, connection: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(|request| self.clone().answer(request));
        // An error is a client that left or a reset that was ordered.
        let mut http = http1::Builder::new();
        // Nothing here depends on the time of the day.
        let _ = http.auto_date_header(false).serve_connection(TokioIo::new(connection), service).await;
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Answer>, Reset> {
        let (head, body) = request.into_parts();
        let call = head.headers.get(CALL).and_then(|id| id.to_str().ok()?.parse().ok());
        let Some(call) = call.filter(|&call| call < self.scenario.calls.len()) else {
            return Ok(refuse(StatusCode::BAD_REQUEST));
        };
        body.collect().await.map_err(|_| Reset)?;
        let arrived = self.arrived(call);
        let fate = if self.is_still_down(arrived.at) {
            Fate::Unavailable
        } else {
            self.scenario.fate(arrived.at, call, arrived.nth)
        };
        match fate {
            Fate::Unavailable => return Ok(refuse(StatusCode::SERVICE_UNAVAILABLE)),
            Fate::Throttled => return Ok(refuse_for_a_second(StatusCode::TOO_MANY_REQUESTS)),
            Fate::ResetBeforeWork => return Err(Reset),
            _ => {}
        }
        let is_on_record = head.method == Method::POST
            && head.headers.contains_key(KEY)
            && self.log().calls[call].worked > 0;
        if !is_on_record && self.clone().work(arrived, fate).await.is_none() {
            return Ok(refuse_for_a_second(StatusCode::SERVICE_UNAVAILABLE));
        }
        match fate {
            Fate::Failed => Ok(refuse(StatusCode::INTERNAL_SERVER_ERROR)),
            Fate::ResetAfterWork => Err(Reset),
            Fate::ResetInBody => Ok(Response::new(Answer::torn())),
            Fate::Hung => std::future::pending().await,
            _ if head.method == Method::GET => Ok(item()),
            _ => Ok(Response::new(Answer::whole())),
        }
    }

    /// Has the work done, or not if the line is too long.
    async fn work(self: Arc<Self>, Arrived { call, nth, .. }: Arrived, fate: Fate) -> Option<()> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        // A task of its own, which goes on when the connection ends.
        let work = tokio::spawn(async move {
            let _place = place;
            let _worker = self.workers.acquire().await;
            sleep(self.scenario.work(self.started.elapsed(), call, nth)).await;
            if fate != Fate::Failed {
                self.log().calls[call].worked += 1;
            }
        });
        work.await.ok()
    }

    /// Refusing costs a server that starts time in which it would have started.
    fn is_still_down(&self, at: Duration) -> bool {
        let Some(down) = self.scenario.phases.iter().find(|phase| phase.weather == Weather::Down) else {
            return false;
        };
        if at < down.from {
            return false;
        }
        let refused = self.refused.load(Ordering::Relaxed);
        let is_down = at < down.until + START_PUT_OFF * refused;
        if is_down {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        is_down
    }

    fn arrived(&self, call: usize) -> Arrived {
        let at = self.started.elapsed();
        let mut log = self.log();
        log.arrivals.push(at);
        log.calls[call].requests += 1;
        Arrived { at, call, nth: log.calls[call].requests }
    }
}

/// Fresh for a second; after that, and while the server fails, an old one is better than none.
fn item() -> Response<Answer> {
    const SAYS: &str = "max-age=1, stale-while-revalidate=30, stale-if-error=60";
    let mut response = Response::new(Answer::whole());
    response.headers_mut().insert(CACHE_CONTROL, http::HeaderValue::from_static(SAYS));
    response
}

fn refuse(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::whole());
    *response.status_mut() = status;
    response
}

fn refuse_for_a_second(status: StatusCode) -> Response<Answer> {
    let mut response = refuse(status);
    response.headers_mut().insert(RETRY_AFTER, http::HeaderValue::from_static("1"));
    response
}
