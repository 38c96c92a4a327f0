//! Plays a scenario.

use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use bartizan_cache::{Cache, CacheLayer};
use bartizan_core::WallClock;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, advance};
use tower::{Layer, ServiceExt};

use crate::judge;
use crate::origin::{HERE, Origin, Transport};
use crate::scenario::{self, Exchange, Mode, Scenario, Step, Verdict};

/// `Sun, 06 Nov 1994 08:49:37 GMT`, when every scenario begins.
pub(crate) fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

/// A body as it was read.
pub(crate) struct Read {
    pub(crate) data: Bytes,
    pub(crate) trailers: HeaderMap,
    pub(crate) is_torn: bool,
}

/// Plays the scenario to its end, or to the first thing that is not as it has to be.
pub(crate) async fn run(scenario: &Scenario, mode: Mode, transport: Transport) -> Result<(), String> {
    let began = Instant::now();
    let mut layer = CacheLayer::rfc9111().wall_clock(WallClock::from_fn(move || start() + began.elapsed()));
    if mode == Mode::Shared {
        layer = layer.shared();
    }
    if !scenario.targets.is_empty() {
        layer = layer.targets(scenario.targets.clone());
    }
    if let Some(name) = &scenario.status_field {
        layer = layer.status_field(name.clone());
    }
    if scenario.responds {
        layer = layer.respond();
    }
    let origin = Origin::new(transport).await;
    let cache = layer.layer(origin.clone());
    for step in &scenario.steps {
        match step {
            Step::Wait(duration) => advance(*duration).await,
            Step::Exchange(exchange) => {
                play(exchange, mode, &cache, &origin)
                    .await
                    .map_err(|why| format!("line {}: {why}", exchange.line))?;
            }
        }
    }
    Ok(())
}

async fn play(exchange: &Exchange, mode: Mode, cache: &Cache<Origin>, origin: &Origin) -> Result<(), String> {
    let expected = exchange.expected(mode);
    let before = origin.seen().len();
    origin.will_answer(&exchange.answers);
    let came = match cache.clone().oneshot(request(&exchange.request)).await {
        Err(_) => None,
        Ok(response) => {
            let (head, body) = response.into_parts();
            let read = if expected.unread { Read::nothing() } else { Read::all(body).await };
            Some(Response::from_parts(head, read))
        }
    };
    if expected.verdict == Verdict::Background {
        until(|| origin.seen().len() > before).await?;
    }
    // Whatever was set off meanwhile has begun by then.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    until(|| origin.open() == 0).await?;
    judge::judge(expected, came.as_ref(), &origin.seen()[before..])
}

fn request(request: &scenario::Request) -> Request<Full<Bytes>> {
    let here = format!("//{HERE}");
    let here = if request.target.starts_with("//") { "" } else { &here };
    let mut sent = Request::new(Full::new(request.body.clone()));
    *sent.method_mut() = request.method.clone();
    *sent.uri_mut() = format!("http:{here}{}", request.target).parse().expect("a target is a URI");
    *sent.headers_mut() = request.fields.iter().cloned().collect();
    sent
}

impl Read {
    fn nothing() -> Self {
        Self { data: Bytes::new(), trailers: HeaderMap::new(), is_torn: false }
    }

    async fn all<B: http_body::Body<Data = Bytes>>(body: B) -> Self {
        let mut body = std::pin::pin!(body);
        let mut data = BytesMut::new();
        let mut trailers = HeaderMap::new();
        let mut is_torn = false;
        while let Some(frame) = body.frame().await {
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(more)) => data.extend_from_slice(&more),
                Ok(Err(frame)) => trailers.extend(frame.into_trailers().unwrap_or_default()),
                Err(_) => is_torn = true,
            }
            if is_torn {
                break;
            }
        }
        Self { data: data.freeze(), trailers, is_torn }
    }
}

/// Lets all else go on until this is so.
async fn until(mut is_so: impl FnMut() -> bool) -> Result<(), String> {
    for _ in 0..100_000 {
        if is_so() {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
    Err("something that was to happen does not".to_owned())
}

/// While it is there, paused time does not move by itself when all tasks wait for a socket: it does not while a blocking task runs.
pub(crate) struct StandingStill {
    _until_dropped: mpsc::Sender<()>,
}

impl StandingStill {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || receiver.recv());
        Self { _until_dropped: sender }
    }
}
