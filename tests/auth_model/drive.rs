//! Runs a schedule.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bartizan_auth::{Auth, AuthLayer, NoCredential, Origins, Refreshing, Secret, TokenError};
use bartizan_core::{BoxError, ReplayNow, WallClock, find_source};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, sleep, timeout};
use tower::{Layer, Service, ServiceExt};

use crate::Ways;
use crate::schedule::{Kept, Schedule, Step};
use crate::store::{Disk, Mood};
use crate::world::World;

/// What has happened, or the first thing that must not.
pub fn run(schedule: &Schedule) -> Result<Ways, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without sockets");
    runtime.block_on(async { Run::new(schedule).drive(&schedule.steps).await })
}

/// The API as a process calls it.
#[derive(Clone)]
struct Api {
    world: World,
    process: u64,
}

impl Service<Request<Duration>> for Api {
    type Response = Response<()>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<()>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Duration>) -> Self::Future {
        let token = request.headers()[AUTHORIZATION].to_str().unwrap_or_default();
        let token = token.trim_start_matches("Bearer ").to_owned();
        let (world, process, takes) = (self.world.clone(), self.process, request.into_body());
        world.lock().arrives(process, &token);
        Box::pin(async move {
            sleep(takes).await;
            let mut response = Response::new(());
            if !world.lock().takes(process, &token) {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            Ok(response)
        })
    }
}

struct Process {
    number: u64,
    tokens: Refreshing,
    client: Auth<Api, Refreshing>,
}

struct Run {
    world: World,
    kept: Kept,
    lock: Arc<tokio::sync::Mutex<()>>,
    clock: WallClock,
    processes: Vec<Process>,
    started: u64,
    calls: Vec<JoinHandle<()>>,
}

impl Run {
    fn new(schedule: &Schedule) -> Self {
        let start = Instant::now();
        let mut run = Self {
            world: World::new(schedule),
            kept: schedule.kept,
            lock: Arc::default(),
            clock: WallClock::from_fn(move || SystemTime::UNIX_EPOCH + start.elapsed()),
            processes: Vec::new(),
            started: 0,
            calls: Vec::new(),
        };
        let processes = if schedule.kept == Kept::Shared { 2 } else { 1 };
        run.processes = (0..processes).map(|_| run.start()).collect();
        run
    }

    fn start(&mut self) -> Process {
        self.started += 1;
        let (world, number) = (self.world.clone(), self.started);
        let source = move |refresh: Option<Secret>| world.clone().fetch(number, refresh);
        let mut builder = Refreshing::builder(source).wall_clock(self.clock.clone());
        let lock = match self.kept {
            Kept::InMemory => None,
            Kept::Stored { is_locked: false } => Some(None),
            Kept::Stored { is_locked: true } | Kept::Shared => Some(Some(self.lock.clone())),
        };
        if let Some(lock) = lock {
            builder = builder.store(Disk { world: self.world.clone(), lock });
        }
        let tokens = builder.build();
        let origins = Origins::new(["https://api.example.com"]).expect("an origin");
        let api = Api { world: self.world.clone(), process: number };
        let client = AuthLayer::new(origins, tokens.clone()).layer(api);
        Process { number, tokens, client }
    }

    async fn drive(mut self, steps: &[Step]) -> Result<Ways, String> {
        for step in steps {
            self.step(*step).await;
            let wrong = self.world.lock().wrong.take();
            if let Some(wrong) = wrong {
                return Err(format!("{wrong}, at {step:?}"));
            }
        }
        self.settle().await?;
        let wrong = self.world.lock().wrong.take();
        wrong.map_or_else(|| Ok(self.world.ways()), Err)
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Call { who, takes } => {
                let call = self.call(who, takes);
                self.calls.push(tokio::spawn(async move { drop(call.await) }));
            }
            Step::Leave { who, takes, after } => {
                let (call, world) = (self.call(who, takes), self.world.clone());
                self.calls.push(tokio::spawn(async move {
                    if timeout(after, call).await.is_err() {
                        let mut state = world.lock();
                        let during = if state.is_asked() { "cancelled during a fetch" } else { "cancelled" };
                        state.happened(during);
                    }
                }));
            }
            Step::Wait(wait) => sleep(wait).await,
            Step::Revoke => self.world.lock().revoke(),
            Step::Set => {
                self.begun().await;
                let token = {
                    let mut state = self.world.lock();
                    let during = if state.is_asked() { "set during a fetch" } else { "set" };
                    state.happened(during);
                    state.set()
                };
                self.processes[0].tokens.set_token(token);
            }
            Step::Clear => {
                self.begun().await;
                {
                    let mut state = self.world.lock();
                    let during = if state.is_asked() { "cleared during a fetch" } else { "cleared" };
                    state.happened(during);
                    state.clear();
                }
                self.processes[0].tokens.clear();
            }
            Step::Fault(fault) => self.world.lock().faults.push_back(fault),
            Step::Fetches(takes) => self.world.lock().takes = takes,
            Step::Store { loads, saves, takes } => self.world.lock().mood = Mood { loads, saves, takes },
            Step::Restart { who } => self.processes[who] = self.start(),
        }
    }

    /// A task that fetches belongs to the session of its first step: it has gone it by then.
    async fn begun(&self) {
        for _ in 0..4 {
            yield_now().await;
        }
    }

    /// As retry calls: once more where the answer is marked.
    fn call(
        &self,
        who: usize,
        takes: Duration,
    ) -> impl Future<Output = Result<StatusCode, BoxError>> + Send + use<> {
        let (client, world) = (self.processes[who].client.clone(), self.world.clone());
        let request =
            move || Request::get("https://api.example.com/").body(takes).expect("a request of valid parts");
        async move {
            let answer = client.clone().oneshot(request()).await;
            let answer = match answer {
                Ok(answer) if answer.extensions().get::<ReplayNow>().is_some() => {
                    world.lock().happened("sent again");
                    client.oneshot(request()).await
                }
                answer => answer,
            };
            answer.map(|answer| answer.status()).inspect_err(|_| world.lock().happened("no credential"))
        }
    }

    /// All is well again, and stays so.
    async fn settle(&mut self) -> Result<(), String> {
        {
            let mut state = self.world.lock();
            state.faults.clear();
            state.takes = Duration::ZERO;
            state.mood = Mood::WELL;
        }
        sleep(Duration::from_secs(200)).await;
        if !self.calls.iter().all(JoinHandle::is_finished) {
            return Err("somebody still waits".into());
        }
        for who in 0..self.processes.len() {
            let mut outcome = self.call(who, Duration::ZERO).await;
            for _ in 0..3 {
                if outcome.as_ref().is_ok_and(|status| status.is_success()) {
                    break;
                }
                // What was refused lately is waited for.
                sleep(Duration::from_secs(61)).await;
                outcome = self.call(who, Duration::ZERO).await;
            }
            self.judge(who, outcome).await?;
        }
        Ok(())
    }

    async fn judge(&self, who: usize, outcome: Result<StatusCode, BoxError>) -> Result<(), String> {
        let Process { number, tokens, .. } = &self.processes[who];
        let error = match outcome {
            Ok(StatusCode::OK) => return Ok(()),
            Ok(status) => return Err(format!("all is well and it is answered {status}")),
            Err(error) => error,
        };
        let cause = find_source::<NoCredential>(&*error).and_then(NoCredential::cause);
        let is_final = cause.and_then(|cause| cause.downcast_ref()).is_some_and(TokenError::is_permanent);
        let session = self.world.lock().session();
        if !is_final || !self.world.lock().ended.contains(&(session, *number)) {
            return Err(format!("all is well and there is none: {error}"));
        }
        let token = self.world.lock().set();
        tokens.set_token(token);
        match self.call(who, Duration::ZERO).await {
            Ok(StatusCode::OK) => Ok(()),
            other => Err(format!("one was set, and still: {other:?}")),
        }
    }
}
