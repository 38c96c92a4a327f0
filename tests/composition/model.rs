//! What the documentation of each layer says of one call at a time, as a few lines each: a second reading, to hold the layers against.
//!
//! Time is in milliseconds, and rough: what the layers draw by chance is a parameter, and cases keep away from what is close.

mod layers;

use crate::origin::{Act, BODY, HANG, HEAD, READY};
use crate::part::{ATTEMPT, DEADLINE, IDLE, Kind};

/// In which time the reserve of a budget gets one retry back.
const REFILL: u64 = 10_000;

/// What the caller has patience for, in a body that falls silent.
pub const PATIENCE: u64 = 20_000;

/// Somebody further out, or the caller, has dropped the call.
#[derive(Clone, Copy, Debug)]
struct Dropped;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Status(u16),
    /// Nothing was sent.
    Refused,
    /// Any other error.
    Failed,
    Dropped,
}

/// What somebody at one place of a stack sees of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyEnd {
    Whole,
    Broken,
    Silent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    Caller(u8),
    Token(usize, u32),
}

/// A request as it is at one place of a stack.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub is_post: bool,
    pub authorization: Authorization,
    is_relative: bool,
    has_key: bool,
    partition: bool,
    deadline: Option<u64>,
}

impl Call {
    pub fn new(is_post: bool, caller: u8, is_relative: bool) -> Self {
        let authorization = Authorization::Caller(caller);
        Self { is_post, authorization, is_relative, has_key: false, partition: false, deadline: None }
    }

    /// The caller himself gives it a deadline.
    pub fn with_deadline(self, at: Option<u64>) -> Self {
        Self { deadline: at, ..self }
    }
}

/// An answer, an error, and what may become of it.
#[derive(Clone, Debug)]
struct Answer {
    end: End,
    retry_in: u64,
    /// Somebody asks for a repetition at once.
    replay: bool,
    /// Somebody has tried several times, or may not.
    spent: bool,
    body: BodyEnd,
    body_takes: u64,
    /// Breakers that wait for the body, and what they will see of it.
    watchers: Vec<(usize, BodyEnd)>,
    /// Caches that store it once it is whole, and as what.
    storing: Vec<(usize, Stored)>,
}

type Stored = (Authorization, bool);

#[derive(Clone, Debug, Default)]
struct State {
    /// Of breakers.
    votes: (u32, u32),
    /// Of rate limits.
    tokens: u32,
    paused_until: u64,
    /// Of retry: when its reserve is full again.
    full_at: u64,
    stored: Vec<Stored>,
    token: Option<u32>,
    fetched: u32,
    fetching_until: Option<u64>,
    refused_in_row: u32,
    failed_until: u64,
}

#[derive(Clone)]
pub struct Model {
    kinds: Vec<Kind>,
    /// The last one is the next.
    script: Vec<Act>,
    rest: Act,
    pub requests: usize,
    places: Vec<State>,
    now: u64,
    /// Of what is left to chance: the least is 0, the most 1.
    chance: f64,
}

impl Model {
    /// Over an origin where all is well.
    pub fn new(kinds: &[Kind], chance: f64) -> Self {
        Self {
            kinds: kinds.to_vec(),
            script: Vec::new(),
            rest: Act::Answer,
            requests: 0,
            places: vec![State::default(); kinds.len()],
            now: 0,
            chance,
        }
    }

    pub fn follow(&mut self, first: &[Act], rest: Act) {
        (self.script, self.rest) = (first.iter().rev().copied().collect(), rest);
    }

    pub fn now(&self) -> u64 {
        self.now
    }

    /// So much that the windows of breakers are over.
    pub fn pass(&mut self, time: u64) {
        self.now += time;
        for state in &mut self.places {
            state.votes = (0, 0);
        }
    }

    /// One call, with its body; `None` if it is not dropped after so long. The end, and whether the body is whole.
    pub fn call(&mut self, call: Call, dropped_after: Option<u64>) -> (End, bool) {
        let until = dropped_after.map_or(u64::MAX, |time| self.now + time);
        let Ok(answer) = self.at(0, call, until) else { return (End::Dropped, false) };
        if !matches!(answer.end, End::Status(_)) {
            return (answer.end, false);
        }
        let end = answer.end;
        let is_read = self.wait(answer.body_takes, until).is_ok();
        let body = if is_read { answer.body } else { BodyEnd::Silent };
        let is_whole = body == BodyEnd::Whole;
        for (place, seen) in answer.watchers {
            let is_broken = is_read && seen == BodyEnd::Broken;
            self.vote(place, is_broken);
        }
        for (place, stored) in answer.storing.into_iter().filter(|_| is_whole) {
            self.places[place].stored.push(stored);
        }
        if is_read { (end, is_whole) } else { (End::Dropped, false) }
    }

    /// Calls and failures, for each breaker.
    pub fn votes(&self) -> Vec<(u32, u32)> {
        self.of(&[Kind::Breaker], |state| state.votes)
    }

    /// Tokens that are spent, for each rate limit that has a quota.
    pub fn tokens(&self) -> Vec<u32> {
        self.of(&[Kind::RateLimit], |state| state.tokens)
    }

    /// Retries that are off the reserve, for each retry.
    pub fn retries(&self) -> Vec<u32> {
        self.of(&[Kind::Retry], |state| self.spent(state))
    }

    fn spent(&self, state: &State) -> u32 {
        state.full_at.saturating_sub(self.now).div_ceil(REFILL) as u32
    }

    fn of<T>(&self, kinds: &[Kind], read: impl Fn(&State) -> T) -> Vec<T> {
        let places = self.kinds.iter().zip(&self.places);
        places.filter(|(kind, _)| kinds.contains(kind)).map(|(_, state)| read(state)).collect()
    }

    fn wait(&mut self, time: u64, until: u64) -> Result<(), Dropped> {
        if self.now + time > until {
            self.now = self.now.max(until);
            return Err(Dropped);
        }
        self.now += time;
        Ok(())
    }

    fn spread(&self, wait: u64) -> u64 {
        wait + (wait as f64 * self.chance / 2.0) as u64
    }

    fn vote(&mut self, place: usize, is_failure: bool) {
        self.places[place].votes.0 += 1;
        self.places[place].votes.1 += u32::from(is_failure);
    }

    fn at(&mut self, place: usize, mut call: Call, until: u64) -> Result<Answer, Dropped> {
        let Some(kind) = self.kinds.get(place).copied() else { return self.origin(until) };
        let inner = place + 1;
        match kind {
            Kind::DefaultHeaders
            | Kind::Interceptor
            | Kind::Log
            | Kind::Gate
            | Kind::Bulkhead
            | Kind::ApiKey => self.at(inner, call, until),
            Kind::BaseUrl => {
                call.is_relative = false;
                self.at(inner, call, until)
            }
            Kind::IdempotencyKey => {
                call.has_key |= call.is_post;
                self.at(inner, call, until)
            }
            Kind::Identity => {
                call.partition |= !call.is_relative;
                self.at(inner, call, until)
            }
            Kind::Deadline => {
                let deadline = call.deadline.unwrap_or(u64::MAX).min(self.now + DEADLINE);
                if deadline <= self.now {
                    return Ok(Answer::too_late());
                }
                call.deadline = Some(deadline);
                self.within(deadline, until, |model, until| model.at(inner, call, until))
            }
            Kind::AttemptTimeout => {
                let limit = call.deadline.unwrap_or(u64::MAX).min(self.now + ATTEMPT);
                if limit <= self.now {
                    return Ok(Answer::too_late());
                }
                self.within(limit, until, |model, until| model.at(inner, call, until))
            }
            Kind::BodyTimeout => {
                let mut answer = self.at(inner, call, until)?;
                if answer.body == BodyEnd::Silent {
                    (answer.body, answer.body_takes) = (BodyEnd::Broken, IDLE);
                }
                Ok(answer)
            }
            Kind::Cache => self.cache(place, call, until),
            Kind::Retry => self.retry(place, call, until),
            Kind::Refreshing => self.refreshing(place, call, until),
            Kind::RateLimit | Kind::Feedback => self.rate_limit(place, call, until),
            Kind::Breaker => self.breaker(place, call, until),
        }
    }

    fn origin(&mut self, until: u64) -> Result<Answer, Dropped> {
        self.wait(READY, until)?;
        let act = self.script.pop().unwrap_or(self.rest);
        self.requests += 1;
        self.wait(if act == Act::Hang { HANG } else { HEAD }, until)?;
        let (end, body) = match act {
            Act::Answer | Act::Hang => (End::Status(200), BodyEnd::Whole),
            Act::Break => (End::Status(200), BodyEnd::Broken),
            Act::Stall => (End::Status(200), BodyEnd::Silent),
            Act::Unavailable => (End::Status(503), BodyEnd::Whole),
            Act::Throttle => (End::Status(429), BodyEnd::Whole),
            Act::Unauthorized => (End::Status(401), BodyEnd::Whole),
            Act::Fail => (End::Failed, BodyEnd::Whole),
            Act::Refuse => (End::Refused, BodyEnd::Whole),
        };
        let body_takes = match body {
            BodyEnd::Silent => PATIENCE,
            _ if end == End::Status(200) => BODY,
            _ => 0,
        };
        let retry_in = if act == Act::Throttle { 1_000 } else { 100 };
        Ok(Answer { retry_in, body, body_takes, ..Answer::of(end) })
    }

    /// What has not ended by then is dropped, and an error takes its place.
    fn within(
        &mut self,
        limit: u64,
        until: u64,
        run: impl FnOnce(&mut Self, u64) -> Result<Answer, Dropped>,
    ) -> Result<Answer, Dropped> {
        match run(self, until.min(limit)) {
            Err(Dropped) if limit <= until => Ok(Answer::of(End::Failed)),
            other => other,
        }
    }
}

impl Answer {
    fn of(end: End) -> Self {
        Self {
            end,
            retry_in: 0,
            replay: false,
            spent: false,
            body: BodyEnd::Whole,
            body_takes: 0,
            watchers: Vec::new(),
            storing: Vec::new(),
        }
    }

    /// Nothing is sent, and waiting does not help.
    fn too_late() -> Self {
        Self { retry_in: u64::MAX / 2, ..Self::of(End::Refused) }
    }

    /// By retry. After several attempts a refusal is none of the call any more.
    fn given_up(self, spent: bool) -> Self {
        let end = if spent && self.end == End::Refused { End::Failed } else { self.end };
        Self { end, spent: spent || self.spent, ..self }
    }
}
