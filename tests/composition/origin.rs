//! The origin at the bottom of a stack: it answers by a script, one call at a time, and sees who comes.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bartizan_core::{BoxError, Rejection};
use bartizan_test::bodies::{self, Body, Step};
use bartizan_test::contract::{Inner, Probe};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::{Sleep, sleep};
use tower::Service;

pub const MS: Duration = Duration::from_millis(1);
/// From the first poll until it is ready.
pub const READY: u64 = 1;
/// From the call to the head.
pub const HEAD: u64 = 20;
/// From the head to the end of the body.
pub const BODY: u64 = 5;
/// From the call to the head of what hangs.
pub const HANG: u64 = 60_000;

/// What the origin does with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// 200, fresh for a day.
    Answer,
    /// The same, and the body breaks off.
    Break,
    /// The same, and the body falls silent.
    Stall,
    /// The same after a minute.
    Hang,
    /// 503.
    Unavailable,
    /// 429, and to come again in a second.
    Throttle,
    /// 401, since the token is not good.
    Unauthorized,
    /// An error of the transport.
    Fail,
    /// A layer that stands further in refuses, for a tenth of a second.
    Refuse,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub is_absolute: bool,
    pub authorization: Option<String>,
    pub idempotency_key: Option<String>,
}

impl Seen {
    pub fn goes_as(&self, credential: &str) -> bool {
        self.authorization.as_ref().is_some_and(|it| it.starts_with(credential))
    }
}

#[derive(Clone)]
pub struct Origin {
    permitted: Inner,
    warm_up: WarmUp,
    is_eager: bool,
    shared: Arc<Shared>,
}

enum WarmUp {
    No,
    Begun(Pin<Box<Sleep>>),
    Done,
}

/// A clone is never ready.
impl Clone for WarmUp {
    fn clone(&self) -> Self {
        Self::No
    }
}

struct Shared {
    script: Mutex<(VecDeque<Act>, Act)>,
    seen: Mutex<Vec<Seen>>,
    bodies: Mutex<Vec<bodies::Probe>>,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().expect("nobody panics while he holds it")
}

/// The test's end of it.
pub struct Watch {
    shared: Arc<Shared>,
    inner: Probe,
}

impl Origin {
    /// All is well with it.
    pub fn new() -> (Self, Watch) {
        let (permitted, inner) = Inner::with_permits(1);
        let shared = Arc::new(Shared {
            script: Mutex::new((VecDeque::new(), Act::Answer)),
            seen: Mutex::default(),
            bodies: Mutex::default(),
        });
        let origin = Self { permitted, warm_up: WarmUp::No, is_eager: false, shared: shared.clone() };
        (origin, Watch { shared, inner })
    }

    /// Ready at the first poll.
    pub fn eager(self) -> Self {
        Self { is_eager: true, ..self }
    }
}

impl Watch {
    /// From now on it does `first`, one after the other, and then `rest` for ever.
    pub fn follow(&self, first: &[Act], rest: Act) {
        *lock(&self.shared.script) = (first.iter().copied().collect(), rest);
    }

    pub fn requests(&self) -> usize {
        lock(&self.shared.seen).len()
    }

    /// The fields that matter, as they came.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// What is still held, or was done wrong, in words.
    pub fn complaint(&self) -> Option<String> {
        if let Some(misuse) = self.inner.misuses().first() {
            return Some(format!("the inner was called though it was {misuse:?}"));
        }
        if self.inner.live_futures() > 0 || self.inner.permits_held() > 0 {
            return Some(format!(
                "{} futures and {} permits of the inner are held",
                self.inner.live_futures(),
                self.inner.permits_held()
            ));
        }
        let bodies = lock(&self.shared.bodies);
        let held = bodies.iter().filter(|body| !body.is_dropped()).count();
        (held > 0).then(|| format!("{held} bodies are held"))
    }
}

impl Service<Request<Full<Bytes>>> for Origin {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            match &mut self.warm_up {
                WarmUp::No if self.is_eager => self.warm_up = WarmUp::Done,
                WarmUp::No => self.warm_up = WarmUp::Begun(Box::pin(sleep(READY as u32 * MS))),
                WarmUp::Begun(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    self.warm_up = WarmUp::Done;
                }
                WarmUp::Done => {
                    return Service::<Request<Full<Bytes>>>::poll_ready(&mut self.permitted, cx);
                }
            }
        }
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        self.warm_up = WarmUp::No;
        let field = |name| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
        let authorization = field("authorization");
        lock(&self.shared.seen).push(Seen {
            is_absolute: request.uri().authority().is_some(),
            authorization: authorization.clone(),
            idempotency_key: field("idempotency-key"),
        });
        let act = {
            let mut script = lock(&self.shared.script);
            script.0.pop_front().unwrap_or(script.1)
        };
        let permitted = self.permitted.call(request);
        let shared = self.shared.clone();
        Box::pin(async move {
            let mut permitted = std::pin::pin!(permitted);
            permitted.as_mut().await?;
            sleep(if act == Act::Hang { HANG } else { HEAD } as u32 * MS).await;
            let response = act.answer(&authorization.unwrap_or_default())?;
            lock(&shared.bodies).push(response.body().probe());
            Ok(response)
        })
    }
}

impl Act {
    fn answer(self, whose: &str) -> Result<Response<Body>, BoxError> {
        let (status, field) = match self {
            Self::Answer | Self::Break | Self::Stall | Self::Hang => {
                (200, ("cache-control", "max-age=86400"))
            }
            Self::Unavailable => (503, ("x-why", "busy")),
            Self::Throttle => (429, ("retry-after", "1")),
            Self::Unauthorized => (401, ("www-authenticate", "Bearer error=\"invalid_token\"")),
            Self::Fail => return Err("the connection was reset".into()),
            Self::Refuse => return Err(Refused(Rejection::new(Some(100 * MS))).into()),
        };
        let whose = Step::data(format!("of {whose}"));
        let body = match self {
            Self::Answer | Self::Hang => {
                Body::frames([whose, Step::Wait(BODY as u32 * MS), Step::data(", whole")])
            }
            Self::Break => Body::frames([whose, Step::Wait(BODY as u32 * MS), Step::Error]),
            Self::Stall => Body::frames([whose]).then_never(),
            _ => Body::empty(),
        };
        Ok(Response::builder().status(status).header(field.0, field.1).body(body)?)
    }
}

#[derive(Debug)]
struct Refused(Rejection);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused below")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
