//! The token endpoint, the API, and what is known of both: the model.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bartizan_auth::{SavedToken, Secret, Token, TokenError};
use tokio::task;
use tokio::time::{Instant, sleep};

use crate::Ways;
use crate::schedule::{Fault, Schedule};
use crate::store::Mood;

#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

pub struct State {
    lifetime: Option<Duration>,
    rotates: bool,
    pub takes: Duration,
    pub faults: VecDeque<Fault>,
    pub mood: Mood,
    pub saved: Option<SavedToken>,
    /// Access tokens by their text.
    given: HashMap<String, Given>,
    number: u64,
    /// How often somebody has set or cleared a token: what came before is of another session.
    session: u64,
    /// The newest refresh token of each session.
    newest: HashMap<u64, Option<String>>,
    exchanged: HashSet<String>,
    /// Of each task that fetches: for which session.
    flights: HashMap<task::Id, u64>,
    /// Sessions for which somebody asks the endpoint right now.
    asking: Vec<u64>,
    /// Which process was refused what.
    refused: HashSet<(u64, String)>,
    /// Sessions, and processes, that were told that no other try helps.
    pub ended: HashSet<(u64, u64)>,
    /// The first thing that must not be.
    pub wrong: Option<String>,
    ways: Ways,
}

struct Given {
    session: u64,
    end: Option<Instant>,
    is_revoked: bool,
}

impl State {
    pub fn happened(&mut self, way: &'static str) {
        *self.ways.entry(way).or_default() += 1;
    }

    fn hold(&mut self, is_right: bool, wrong: impl FnOnce() -> String) {
        if !is_right && self.wrong.is_none() {
            self.wrong = Some(wrong());
        }
    }

    pub fn is_asked(&self) -> bool {
        !self.asking.is_empty()
    }

    pub fn revoke(&mut self) {
        self.given.values_mut().for_each(|given| given.is_revoked = true);
    }

    /// Begins another session, with a refresh token or without.
    fn begin(&mut self, refresh: Option<String>) {
        self.session += 1;
        self.newest.insert(self.session, refresh);
    }

    /// A new access token, and a refresh token if there is one to go with it.
    fn give(&mut self, session: u64, refresh: bool) -> (Token, Option<String>) {
        self.number += 1;
        let (access, number) = (format!("a{}", self.number), self.number);
        let end = self.lifetime.map(|lifetime| Instant::now() + lifetime);
        self.given.insert(access.clone(), Given { session, end, is_revoked: false });
        let mut token = Token::new(access).expect("a token");
        if let Some(lifetime) = self.lifetime {
            token = token.lifetime(lifetime);
        }
        let refresh = refresh.then(|| format!("r{number}"));
        match &refresh {
            Some(refresh) => (token.refresh_token(refresh.clone()), Some(refresh.clone())),
            None => (token, None),
        }
    }

    /// One that somebody has got elsewhere, and is to set.
    pub fn set(&mut self) -> Token {
        let (token, refresh) = self.give(self.session + 1, true);
        self.begin(refresh);
        token
    }

    pub fn clear(&mut self) {
        self.begin(None);
    }

    pub fn session(&self) -> u64 {
        self.session
    }

    /// A call arrives at the API.
    pub fn arrives(&mut self, process: u64, token: &str) {
        let Some(given) = self.given.get(token) else {
            return self.hold(false, || format!("{token} was given to nobody"));
        };
        let (session, end) = (given.session, given.end);
        let (now, current) = (Instant::now(), self.session);
        self.hold(session == current, || {
            format!("{token} is of session {session} and sent in session {current}")
        });
        self.hold(end.is_none_or(|end| now < end), || format!("{token} has ended and is sent"));
        let is_refused = self.refused.contains(&(process, token.to_owned()));
        self.hold(!is_refused, || format!("{token} was refused and is sent again"));
    }

    /// Whether the API takes it. The answer is looked at as soon as it is known.
    pub fn takes(&mut self, process: u64, token: &str) -> bool {
        let is_good = self.given.get(token).is_some_and(|given| !given.is_revoked);
        self.happened(if is_good { "answered" } else { "refused" });
        if !is_good {
            self.refused.insert((process, token.to_owned()));
        }
        is_good
    }
}

impl World {
    pub fn new(schedule: &Schedule) -> Self {
        Self(Arc::new(Mutex::new(State {
            lifetime: schedule.lifetime,
            rotates: schedule.rotates,
            takes: Duration::ZERO,
            faults: VecDeque::new(),
            mood: Mood::WELL,
            saved: None,
            given: HashMap::new(),
            number: 0,
            session: 0,
            newest: HashMap::from([(0, None)]),
            exchanged: HashSet::new(),
            flights: HashMap::new(),
            asking: Vec::new(),
            refused: HashSet::new(),
            ended: HashSet::new(),
            wrong: None,
            ways: BTreeMap::new(),
        })))
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn ways(&self) -> Ways {
        self.lock().ways.clone()
    }

    /// For which session the present task fetches: that of its beginning.
    pub fn flight(&self) -> u64 {
        let mut state = self.lock();
        let session = state.session;
        *state.flights.entry(task::id()).or_insert(session)
    }

    /// What the endpoint says to a process.
    pub async fn fetch(self, process: u64, refresh: Option<Secret>) -> Result<Token, TokenError> {
        let session = self.flight();
        let asked = refresh.map(|refresh| refresh.expose().to_owned());
        let (takes, fault) = {
            let mut state = self.lock();
            let newest = state.newest[&session].clone();
            state.hold(newest == asked, || {
                format!("the newest refresh token is {newest:?} and {asked:?} is sent")
            });
            let is_alone = !state.asking.contains(&session);
            state.hold(is_alone, || format!("two fetches at a time for session {session}"));
            state.asking.push(session);
            (state.takes, state.faults.pop_front())
        };
        let asking = Asking { world: self.clone(), session, is_answered: false };
        sleep(takes).await;
        match fault {
            Some(Fault::Hang) => sleep(Duration::from_secs(1000)).await,
            Some(Fault::Panic) => {
                self.lock().happened("panicked");
                std::panic::resume_unwind(Box::new("on purpose"));
            }
            _ => {}
        }
        asking.answer(process, asked, fault)
    }
}

/// A request to the endpoint. Dropped, it is over.
struct Asking {
    world: World,
    session: u64,
    is_answered: bool,
}

impl Asking {
    fn answer(
        mut self,
        process: u64,
        asked: Option<String>,
        fault: Option<Fault>,
    ) -> Result<Token, TokenError> {
        self.is_answered = true;
        let (world, session) = (self.world.clone(), self.session);
        let mut state = world.lock();
        match fault {
            Some(Fault::Transient) => {
                state.happened("failed");
                return Err(TokenError::transient("down"));
            }
            Some(Fault::TransientFor(wait)) => {
                state.happened("failed");
                return Err(TokenError::transient_for("busy", wait));
            }
            Some(Fault::Permanent) => {
                state.happened("failed for good");
                state.ended.insert((session, process));
                return Err(TokenError::permanent("invalid_grant"));
            }
            _ => {}
        }
        if let Some(asked) = &asked {
            state.happened("exchanged");
            let is_new = !state.rotates || state.exchanged.insert(asked.clone());
            state.hold(is_new, || format!("{asked} was exchanged before"));
        }
        state.happened("fetched");
        let brings = state.rotates || asked.is_none();
        let (token, refresh) = state.give(session, brings);
        if brings {
            state.newest.insert(session, refresh);
        }
        Ok(token)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut state = self.world.lock();
        if let Some(at) = state.asking.iter().position(|session| *session == self.session) {
            state.asking.swap_remove(at);
        }
        if !self.is_answered {
            state.happened("given up");
        }
    }
}
