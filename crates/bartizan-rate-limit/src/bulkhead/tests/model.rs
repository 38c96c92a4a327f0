//! Random calls, answers, bodies and drops beside a literal reading of the rules, which shares nothing with the line.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bartizan_core::{BoxError, CallContext, Chance, Deadline};
use http::{Request, Response};
use http_body::Body;
use tower::{Layer, Service};

use super::upstream::{Does, TestBody, Upstream, get};
use super::*;

const LIMIT: usize = 3;
const QUEUE: usize = 4;
const MAX_WAIT: u64 = 50;

/// Milliseconds since the start.
type Millis = u64;

#[derive(Default)]
struct Model {
    now: Millis,
    /// Who has a permit, whether he knows it or not.
    permitted: BTreeSet<usize>,
    line: VecDeque<(usize, Millis)>,
    /// Whose time was up in line, and why.
    over: BTreeSet<usize>,
}

impl Model {
    /// Whether somebody who comes has a permit.
    fn take(&mut self, id: usize) -> bool {
        let goes = self.line.is_empty() && self.permitted.len() < LIMIT;
        if goes {
            self.permitted.insert(id);
        }
        goes
    }

    fn free(&mut self, id: usize) {
        self.permitted.remove(&id);
        self.line.retain(|(other, _)| *other != id);
        self.over.remove(&id);
        while self.permitted.len() < LIMIT
            && let Some((next, _)) = self.line.pop_front()
        {
            self.permitted.insert(next);
        }
    }

    fn pass(&mut self, time: Millis) {
        self.now += time;
        let is_over = |(_, until): &(usize, Millis)| *until <= self.now;
        self.over.extend(self.line.iter().filter(|waiter| is_over(waiter)).map(|(id, _)| *id));
        self.line.retain(|waiter| !is_over(waiter));
    }
}

type Call = <BulkheadService<Upstream, bartizan_core::Refuse> as Service<Request<()>>>::Future;
type Answer = Response<PermittedBody<TestBody>>;

/// What is there of a call.
enum Stage {
    /// It has not been polled since it had to wait.
    Unjoined(Pin<Box<Call>>),
    Joined(Pin<Box<Call>>),
    /// It was let through at once, or its wait is over.
    Called(Pin<Box<Call>>),
    Body(Pin<Box<PermittedBody<TestBody>>>),
}

/// How often each thing has happened.
type Seen = BTreeMap<&'static str, usize>;

struct Play {
    chance: Chance,
    upstream: Upstream,
    service: BulkheadService<Upstream, bartizan_core::Refuse>,
    model: Model,
    start: Instant,
    calls: BTreeMap<usize, (Stage, Option<Millis>)>,
    next: usize,
    seen: Seen,
}

impl Play {
    fn one_of(&self, many: usize) -> usize {
        ((self.chance.unit() * many as f64) as usize).min(many - 1)
    }

    fn see(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    fn arrive(&mut self) {
        let id = self.next;
        self.next += 1;
        let mut request = get(id);
        let deadline = (self.chance.unit() < 0.4).then(|| self.model.now + self.one_of(80) as Millis);
        if let Some(at) = deadline {
            let deadline = Deadline::after(self.start.into_std(), Duration::from_millis(at)).unwrap();
            CallContext::edit(request.extensions_mut()).shorten_deadline(deadline);
        }
        assert!(self.service.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready());
        let future = Box::pin(self.service.call(request));
        let goes = self.model.take(id);
        assert_eq!(self.upstream.was_called(id), goes, "at once, or not");
        let stage = if goes { Stage::Called(future) } else { Stage::Unjoined(future) };
        self.calls.insert(id, (stage, deadline));
        if self.chance.unit() < 0.7 {
            self.poll(id);
        }
    }

    fn poll(&mut self, id: usize) {
        let (stage, deadline) = self.calls.remove(&id).unwrap();
        match stage {
            Stage::Unjoined(future) => {
                let now = self.model.now;
                let until = (now + MAX_WAIT).min(deadline.unwrap_or(Millis::MAX));
                if self.model.take(id) {
                    return self.poll_called(id, future, "came before its first poll");
                }
                let refused = match () {
                    () if self.model.line.len() == QUEUE => Reason::Full,
                    () if until <= now => Reason::Deadline,
                    () => {
                        self.model.line.push_back((id, until));
                        return self.poll_joined(id, future, deadline);
                    }
                };
                self.refused(future, refused);
            }
            Stage::Joined(future) if self.model.over.remove(&id) => {
                let now = self.model.now;
                let is_over = deadline.is_some_and(|deadline| deadline <= now);
                self.refused(future, if is_over { Reason::Deadline } else { Reason::MaxWait });
            }
            Stage::Joined(future) if self.model.permitted.contains(&id) => {
                self.poll_called(id, future, "came in line");
            }
            Stage::Joined(future) => self.poll_joined(id, future, deadline),
            Stage::Called(future) => self.poll_called(id, future, "polled again"),
            Stage::Body(body) => self.poll_body(id, body),
        }
    }

    fn poll_joined(&mut self, id: usize, mut future: Pin<Box<Call>>, deadline: Option<Millis>) {
        assert!(poll(future.as_mut()).is_pending(), "{id} waits");
        assert!(!self.upstream.was_called(id), "{id} waits");
        self.calls.insert(id, (Stage::Joined(future), deadline));
    }

    fn refused(&mut self, mut future: Pin<Box<Call>>, reason: Reason) {
        let Poll::Ready(Err(error)) = poll(future.as_mut()) else { panic!("not refused: {reason}") };
        assert_eq!(error.downcast_ref::<BulkheadFull>().unwrap().reason(), reason);
        self.see(reason.as_str());
    }

    fn poll_called(&mut self, id: usize, mut future: Pin<Box<Call>>, what: &'static str) {
        self.see(what);
        let result: Poll<Result<Answer, BoxError>> = poll(future.as_mut());
        assert!(self.upstream.was_called(id) || result.is_ready(), "{what}: {id}");
        match result {
            Poll::Pending => {
                self.calls.insert(id, (Stage::Called(future), None));
            }
            Poll::Ready(Err(_)) => {
                self.see("error");
                self.model.free(id);
            }
            Poll::Ready(Ok(response)) => {
                let body = Box::pin(response.into_body());
                if body.is_end_stream() {
                    self.see("no body");
                    self.model.free(id);
                }
                self.calls.insert(id, (Stage::Body(body), None));
            }
        }
    }

    fn poll_body(&mut self, id: usize, mut body: Pin<Box<PermittedBody<TestBody>>>) {
        if !self.model.permitted.contains(&id) {
            // It was polled to its end, and is dropped now.
            return;
        }
        let does = [Does::Nothing, Does::Frame, Does::LastFrame, Does::End, Does::Break][self.one_of(5)];
        self.upstream.body(id, does);
        let frame = body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop()));
        assert_eq!(frame.is_pending(), does == Does::Nothing);
        match does {
            Does::LastFrame => self.see("last frame"),
            Does::End => self.see("end"),
            Does::Break => self.see("break"),
            Does::Nothing | Does::Frame => {}
        }
        if !matches!(does, Does::Nothing | Does::Frame) {
            self.model.free(id);
        }
        // It may be kept long after its end.
        self.calls.insert(id, (Stage::Body(body), None));
    }

    fn drop_one(&mut self, id: usize) {
        let (stage, _) = self.calls.remove(&id).unwrap();
        self.see(match stage {
            Stage::Unjoined(_) => "dropped before its first poll",
            Stage::Joined(_) if self.model.permitted.contains(&id) => "dropped with a permit that came",
            Stage::Joined(_) if self.model.over.contains(&id) => "dropped with its time up",
            Stage::Joined(_) => "dropped in line",
            Stage::Called(_) => "dropped in its call",
            Stage::Body(_) => "dropped with its body",
        });
        drop(stage);
        self.model.free(id);
    }

    async fn step(&mut self) {
        let draw = self.chance.unit();
        let ids: Vec<usize> = self.calls.keys().copied().collect();
        if ids.is_empty() || draw < 0.3 {
            return self.arrive();
        }
        let id = ids[self.one_of(ids.len())];
        match draw {
            ..0.6 => self.poll(id),
            ..0.75 if self.upstream.is_unanswered(id) => {
                self.upstream.bodies_are_empty(self.chance.unit() < 0.2);
                let answer = if self.chance.unit() < 0.7 { Ok(()) } else { Err("reset".into()) };
                self.upstream.answer(id, answer);
            }
            ..0.9 => self.drop_one(id),
            _ => {
                let time = 1 + self.one_of(15) as Millis;
                advance(Duration::from_millis(time)).await;
                self.model.pass(time);
            }
        }
    }
}

/// Plays so many random steps, and gives back what has happened.
async fn play(seed: u64, steps: usize) -> Seen {
    let upstream = Upstream::default();
    let layer = BulkheadLayer::new(limit(LIMIT)).queue(QUEUE).max_wait(Duration::from_millis(MAX_WAIT));
    let mut play = Play {
        chance: Chance::from_seed(seed),
        service: layer.layer(upstream.clone()),
        upstream,
        model: Model::default(),
        start: Instant::now(),
        calls: BTreeMap::new(),
        next: 0,
        seen: Seen::new(),
    };
    for step in 0..steps {
        play.step().await;
        assert!(play.upstream.open().now() <= LIMIT, "at step {step}");
        let Some(bulkhead) = layer.bulkheads().pop() else { continue };
        let (taken, waiting) = (play.model.permitted.len(), play.model.line.len());
        assert_eq!((bulkhead.taken(), bulkhead.waiting()), (taken, waiting), "at step {step}");
    }
    play.calls.clear();
    let bulkhead = layer.bulkheads().pop().unwrap();
    assert!(bulkhead.is_idle(), "{bulkhead:?}");
    play.seen
}

#[tokio::test(start_paused = true)]
async fn it_lets_through_what_a_literal_reading_does_and_never_more_than_the_limit_is_open() {
    let mut seen = Seen::new();
    for seed in 0..10 {
        for (what, times) in play(seed, 10_000).await {
            *seen.entry(what).or_default() += times;
        }
    }
    let all = [
        "came before its first poll",
        "came in line",
        "polled again",
        "full",
        "max_wait",
        "deadline",
        "error",
        "no body",
        "last frame",
        "end",
        "break",
        "dropped before its first poll",
        "dropped with a permit that came",
        "dropped with its time up",
        "dropped in line",
        "dropped in its call",
        "dropped with its body",
    ];
    for what in all {
        assert!(seen.get(what).is_some_and(|times| *times >= 50), "{what}: {seen:?}");
    }
}
