//! One cell of the table: a stack, a request, what the origin does, and when the caller leaves.

use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{CallContext, Deadline, Rejection};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, timeout};
use tower::{Layer, Service, ServiceExt};

use crate::model::{Call, End, Model, PATIENCE};
use crate::origin::{Act, MS, Origin, Seen, Watch};
use crate::part::{AnyService, BASE, Kind, Part, RESERVE, erased};

/// By then everything that was closed is open again, and nothing is stale yet.
const APART: u64 = 400_000;

/// What the origin does: this first, and then that for ever.
pub type Script = (&'static str, &'static [Act], Act);

#[derive(Clone, Copy, Debug)]
pub enum Leaves {
    Never,
    /// After so many polls that found nothing.
    AtPoll(usize),
    /// After so many milliseconds.
    After(u64),
}

/// A stack: what it is made of, outermost first, and how.
pub struct Stacked<'a> {
    pub kinds: &'a [Kind],
    pub parts: &'a dyn Fn() -> Vec<Part>,
    pub make: &'a dyn Fn(&[Part], Origin) -> AnyService,
}

pub struct Cell<'a> {
    pub stack: &'a Stacked<'a>,
    pub script: Script,
    pub is_post: bool,
    /// What went before, and what the caller brings along.
    pub before: Before,
    pub leaves: Leaves,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    Nothing,
    /// The same caller has been answered, some minutes ago.
    Answer,
    /// The call has so many milliseconds left.
    Left(u64),
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, kind) in self.stack.kinds.iter().enumerate() {
            write!(f, "{}{kind:?}", if place > 0 { " > " } else { "" })?;
        }
        write!(f, ", {}, {}", if self.is_post { "POST" } else { "GET" }, self.script.0)?;
        match self.before {
            Before::Nothing => {}
            Before::Answer => write!(f, ", after an answer")?,
            Before::Left(time) => write!(f, ", {time} ms left")?,
        }
        match self.leaves {
            Leaves::Never => Ok(()),
            Leaves::AtPoll(poll) => write!(f, ", dropped at poll {poll}"),
            Leaves::After(time) => write!(f, ", dropped after {time} ms"),
        }
    }
}

/// What can be seen of a call when it is over.
#[derive(Clone, Debug, PartialEq)]
struct Happened {
    end: End,
    is_whole: bool,
    requests: usize,
    votes: Vec<(u32, u32)>,
    tokens: Vec<u32>,
}

impl Happened {
    fn by(model: &Model, (end, is_whole): (End, bool)) -> Self {
        Self { end, is_whole, requests: model.requests, votes: model.votes(), tokens: model.tokens() }
    }
}

/// Whether the call came to its end, or what is wrong.
pub type Outcome = Result<bool, String>;

impl Cell<'_> {
    pub fn run(&self) -> Outcome {
        until_over(self.held())
    }

    async fn held(&self) -> Outcome {
        let parts = (self.stack.parts)();
        let (origin, watch) = Origin::new();
        let mut service = (self.stack.make)(&parts, origin);
        let is_relative = self.stack.kinds.contains(&Kind::BaseUrl);

        if self.before == Before::Answer {
            called(&mut service, request(false, 0, is_relative)).await;
            tokio::time::sleep(APART as u32 * MS).await;
        }
        watch.follow(self.script.1, self.script.2);
        let mut request_of_case = request(self.is_post, 0, is_relative);
        if let Before::Left(time) = self.before {
            let started = Instant::now().into_std();
            let deadline = Deadline::after(started, time as u32 * MS).expect("the clock goes so far");
            CallContext::edit(request_of_case.extensions_mut()).shorten_deadline(deadline);
        }
        let start = Instant::now();
        let end = match self.leaves {
            Leaves::Never => called(&mut service, request_of_case).await,
            _ => {
                // Who leaves takes his handle along.
                let mut handle = service.clone();
                let call = async move { called(&mut handle, request_of_case).await };
                match self.leaves {
                    Leaves::AtPoll(left) => Leaving { call: Some(Box::pin(call)), left }.await,
                    Leaves::After(time) => timeout(time as u32 * MS, call).await.ok(),
                    Leaves::Never => unreachable!(),
                }
                .unwrap_or((End::Dropped, String::new()))
            }
        };
        let took = start.elapsed().as_millis() as u64;
        let is_over = end.0 != End::Dropped;

        let happened = Happened {
            end: end.0,
            is_whole: end.1.is_empty() || end.1.ends_with(", whole"),
            requests: watch.requests(),
            votes: parts.iter().filter_map(Part::votes).collect(),
            tokens: parts.iter().filter_map(Part::spent).collect(),
        };
        let mut models = self.models((!is_over).then_some(took));
        let Some(place) = models.iter().position(|(_, allowed)| allowed.is_like(&happened)) else {
            let allowed: Vec<_> = models.iter().map(|(_, seen)| seen).collect();
            return Err(format!("{happened:?} after {took} ms; the model has {allowed:?}"));
        };
        let retries: Vec<_> = models.iter().map(|(model, _)| model.retries()).collect();
        let (mut model, _) = models.swap_remove(place);

        self.requests(&watch)?;
        quiet(&parts, &watch).await?;
        self.budgets(&parts, &retries).await?;

        // All is well again, and everything that was closed is open.
        tokio::time::sleep(APART as u32 * MS).await;
        model.pass(APART);
        watch.follow(&[], Act::Answer);
        model.follow(&[], Act::Answer);
        for (what, caller) in [("the next call", 0), ("another's call", 1), ("the first one's call again", 0)]
        {
            let before = (watch.requests(), model.requests);
            let end = called(&mut service.clone(), request(false, caller, is_relative)).await;
            let expected = model.call(Call::new(false, caller, is_relative), None);
            let asked = (watch.requests() - before.0, model.requests - before.1);
            let is_whole = end.1.ends_with(", whole");
            if (end.0, is_whole) != expected || asked.0 != asked.1 {
                return Err(format!(
                    "{what} ended with {:?} {:?} after {} requests; the model has {expected:?} after {}",
                    end.0, end.1, asked.0, asked.1
                ));
            }
            self.is_ones_own(&end.1, caller)?;
        }
        quiet(&parts, &watch).await?;
        Ok(is_over)
    }

    /// What the model allows: more than one where something is left to chance, and where something happens when the caller leaves.
    fn models(&self, dropped_after: Option<u64>) -> Vec<(Model, Happened)> {
        let (_, first, rest) = self.script;
        let is_relative = self.stack.kinds.contains(&Kind::BaseUrl);
        let call = Call::new(self.is_post, 0, is_relative);
        // Only waits that the origin or somebody below asks for are spread.
        let is_spread =
            [first, &[rest]].concat().iter().any(|act| matches!(act, Act::Throttle | Act::Refuse));
        let draws = if is_spread { 100 } else { 0 };
        let mut models = Vec::new();
        for draw in 0..=draws {
            let times = match (self.leaves, dropped_after) {
                // What happens at that very millisecond may have happened, or not.
                (Leaves::AtPoll(_), Some(time)) => vec![Some(time.saturating_sub(3)), Some(time + 3)],
                (_, time) => vec![time],
            };
            for time in times {
                let mut model = Model::new(self.stack.kinds, f64::from(draw) / 100.0);
                if self.before == Before::Answer {
                    model.call(Call::new(false, 0, is_relative), None);
                    model.pass(APART);
                }
                model.follow(first, rest);
                let deadline = match self.before {
                    Before::Left(time) => Some(model.now() + time),
                    _ => None,
                };
                let end = model.call(call.with_deadline(deadline), time);
                let seen = Happened::by(&model, end);
                let is_other =
                    |(other, its): &(Model, Happened)| *its != seen || other.retries() != model.retries();
                if models.iter().all(is_other) {
                    models.push((model, seen));
                }
            }
        }
        models
    }

    /// What layers put on them: all have it.
    fn requests(&self, watch: &Watch) -> Result<(), String> {
        let seen = watch.seen();
        let place = |kind| self.stack.kinds.iter().position(|it| *it == kind);
        let before = usize::from(self.before == Before::Answer);
        let keys: Vec<_> = seen.iter().skip(before).map(|request| &request.idempotency_key).collect();
        let has_key = self.is_post && place(Kind::IdempotencyKey).is_some();
        // Inside of retry each attempt has another one, by which nobody can tell that they are one call.
        let is_inside = place(Kind::Retry).is_some_and(|retry| place(Kind::IdempotencyKey) > Some(retry));
        let is_one = is_inside || keys.windows(2).all(|pair| pair[0] == pair[1]);
        if !is_one || keys.iter().any(|key| key.is_some() != has_key) {
            return Err(format!("the keys of the attempts are {keys:?}"));
        }
        let own = |request: &Seen| match place(Kind::Refreshing) {
            // Outside of the base URL nobody knows whether it goes there.
            Some(auth) => place(Kind::BaseUrl) > Some(auth) || request.goes_as("Bearer token-"),
            None => request.goes_as("Bearer caller-0"),
        };
        match seen.iter().find(|request| !request.is_absolute || !own(request)) {
            Some(odd) => Err(format!("the origin got {odd:?}")),
            None => Ok(()),
        }
    }

    /// Nobody is answered with what was said to another.
    fn is_ones_own(&self, body: &str, caller: u8) -> Result<(), String> {
        let tokens = self.stack.kinds.contains(&Kind::Refreshing);
        let is_own = body.starts_with(&format!("of Bearer caller-{caller}"))
            || tokens && body.starts_with("of Bearer token-");
        if is_own { Ok(()) } else { Err(format!("caller {caller} was answered `{body}`")) }
    }

    /// What is left of each budget: so many retries a call makes that may make a hundred.
    async fn budgets(&self, parts: &[Part], allowed: &[Vec<u32>]) -> Result<(), String> {
        let retries = parts.iter().filter_map(|part| match part {
            Part::Retry(layer) => Some(layer),
            _ => None,
        });
        for (nth, layer) in retries.enumerate() {
            let (down, watch) = Origin::new();
            watch.follow(&[], Act::Unavailable);
            // Outside of the base URL it has one budget for requests that name no origin.
            let place = self.stack.kinds.iter().position(|kind| *kind == Kind::Retry);
            let is_relative = self.stack.kinds[place.unwrap_or_default()..].contains(&Kind::BaseUrl);
            let mut request = request(false, 0, is_relative);
            CallContext::edit(request.extensions_mut()).retry_mut().attempts = NonZeroU32::new(100);
            called(&mut erased(layer.layer(down)), request).await;
            let spent = u32::from(RESERVE) + 1 - watch.requests() as u32;
            if !allowed.iter().any(|retries| retries[nth] == spent) {
                return Err(format!("{spent} retries are off the budget; the model has {allowed:?}"));
            }
        }
        Ok(())
    }
}

impl Happened {
    fn is_like(&self, other: &Self) -> bool {
        let has_body = self.end == End::Status(200);
        self.end == other.end
            && (!has_body || self.is_whole == other.is_whole)
            && self.requests == other.requests
            && self.votes == other.votes
            && self.tokens == other.tokens
    }
}

/// Permits, tokens, bodies and futures: nothing is held when nobody calls.
pub async fn quiet(parts: &[Part], watch: &Watch) -> Result<(), String> {
    // For tokens that are being fetched, and what is read to its end.
    tokio::time::sleep(100 * MS).await;
    match watch.complaint().or_else(|| parts.iter().find_map(Part::complaint)) {
        Some(complaint) => Err(complaint),
        None => Ok(()),
    }
}

/// On a runtime of its own, where time is paused.
pub fn until_over<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    // Unconstrained, since tokio's budget for a task would make polls pending for no reason.
    runtime.expect("a runtime of one thread can be built").block_on(tokio::task::unconstrained(run))
}

fn request(is_post: bool, caller: u8, is_relative: bool) -> Request<Full<Bytes>> {
    let mut request = request_for(0, is_relative);
    *request.method_mut() = if is_post { Method::POST } else { Method::GET };
    let authorization = format!("Bearer caller-{caller}").try_into().expect("a value");
    request.headers_mut().insert(AUTHORIZATION, authorization);
    request
}

/// A GET of one of the things that there are.
pub fn request_for(number: u32, is_relative: bool) -> Request<Full<Bytes>> {
    let base = if is_relative { "" } else { BASE };
    Request::get(format!("{base}/things/{number}")).body(Full::default()).expect("it is one")
}

/// The end of a call, and its body as far as it came.
pub async fn called(service: &mut AnyService, request: Request<Full<Bytes>>) -> (End, String) {
    let result = match service.ready().await {
        Ok(service) => service.call(request).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(response) => {
            let end = End::Status(response.status().as_u16());
            let mut body = response.into_body();
            let mut read = Vec::new();
            let reading = async {
                while let Some(Ok(frame)) = body.frame().await {
                    read.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
                }
            };
            let _ = timeout(Duration::from_millis(PATIENCE), reading).await;
            (end, String::from_utf8_lossy(&read).into_owned())
        }
        Err(error) => {
            let is_refused = Rejection::of(&*error).is_some();
            (if is_refused { End::Refused } else { End::Failed }, String::new())
        }
    }
}

/// A future that is dropped once it was pending so many times and one more.
struct Leaving<F> {
    call: Option<Pin<Box<F>>>,
    left: usize,
}

impl<F: Future> Future for Leaving<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let call = self.call.as_mut().expect("it is not polled after its end");
        if let Poll::Ready(output) = call.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Poll::Pending
            }
            None => {
                self.call = None;
                Poll::Ready(None)
            }
        }
    }
}
