use std::error::Error;
use std::fmt;
use std::future::ready;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bartizan_core::{Chance, Head, RequestHead, WallClock};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::challenge::refuses_token;
use crate::identity::opaque;
use crate::lifetime::Lifetime;
use crate::{
    Authorizer, Held, NotPrepared, Preparing, Reaction, SavedToken, Secret, Stamp, Token, TokenError,
    TokenSource, TokenStore, bearer, trace,
};

/// A bearer token that is fetched when it is needed, and anew before it ends. Clones share it.
///
/// | | |
/// |---|---|
/// | the first call | waits for the token, and so do all that come meanwhile: it is fetched once |
/// | a minute before the end, of short lives a quarter, less up to a tenth by chance | the next call has a newer one fetched in the background, and goes with the old one |
/// | five seconds before the end, of short lives a tenth | the old one is not used any more: calls wait for the newer one |
/// | a 401 with `invalid_token` (RFC 6750 section 3.1) | that token is not used again, the next is fetched once for all who were refused, and the answer is marked so that retry sends the request again |
/// | a fetch that fails | is not tried again for a second, and longer each time, up to a minute; a permanent failure is remembered until a token is set |
///
/// A fetch runs in a task of its own on the caller's runtime of tokio, which no caller can cancel: a refresh token that was exchanged is not lost with the
/// call that asked for it. It is given up after 30 s.
///
/// ```
/// use std::time::Duration;
/// use bartizan_auth::{AuthLayer, Origins, Refreshing, Token, TokenError};
///
/// let tokens = Refreshing::new(|_refresh_token| async {
///     // Asks a token endpoint, say.
///     Ok(Token::new("mF_9.B5f-4.1JqM").map_err(TokenError::permanent)?.lifetime(Duration::from_secs(3600)))
/// });
/// let layer = AuthLayer::new(Origins::new(["https://api.example.com"])?, tokens);
/// # let _ = layer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Refreshing(Arc<Shared>);

struct Shared {
    current: ArcSwapOption<Current>,
    slow: Mutex<Slow>,
    source: Box<dyn TokenSource>,
    store: Option<Box<dyn TokenStore>>,
    hook: Option<Box<dyn Fn(&TokenEvent<'_>) + Send + Sync>>,
    wall_clock: WallClock,
    chance: Chance,
    identity: Arc<str>,
    /// So many tokens were refused one after the other, with no success between.
    refused_in_row: AtomicU32,
}

/// A token that is in use.
struct Current {
    generation: u64,
    header: HeaderValue,
    refresh: Option<Instant>,
    end: Option<Instant>,
    /// Somebody sees to the next one.
    is_seen_to: AtomicBool,
}

/// What is only looked at where there is no token at hand.
#[derive(Default)]
struct Slow {
    /// Counts what people set: what was asked for before is not to replace it.
    set: u64,
    generation: u64,
    refresh_token: Option<Secret>,
    /// The one that was published last.
    last: Option<HeaderValue>,
    /// What is saved is older than what somebody has set or cleared.
    ignores_saved: bool,
    flight: Option<watch::Receiver<()>>,
    failed: Option<Failed>,
    failures: u32,
}

struct Failed {
    error: TokenError,
    /// `None`: until somebody sets a token.
    until: Option<Instant>,
}

/// What takes longer is given up: nobody knows whether it will ever end.
const LONGEST: Duration = Duration::from_secs(30);
/// Calls wait for it.
const LONGEST_SAVE: Duration = Duration::from_secs(10);
/// After a failure the next try waits so long, twice as long each time, and no longer than a minute.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What happened to a token that is fetched.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum TokenEvent<'a> {
    /// One was fetched, or found in the store, and is used from now on.
    #[non_exhaustive]
    Renewed {
        /// How long it lives, if that is known.
        lifetime: Option<Duration>,
    },
    /// None was to be had.
    Failed(&'a TokenError),
    /// The one in use was refused by the API.
    Refused,
    /// It is used, and not saved.
    NotSaved(&'a (dyn Error + 'static)),
    /// What is saved could not be read; a token is fetched without it.
    NotLoaded(&'a (dyn Error + 'static)),
}

/// Sets what a [`Refreshing`] needs beside its source.
pub struct RefreshingBuilder(Shared);

impl RefreshingBuilder {
    /// Keeps tokens beyond the process. By default they are kept in memory alone.
    #[must_use]
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.0.store = Some(Box::new(store));
        self
    }

    /// Told of what becomes of tokens. It must not panic.
    #[must_use]
    pub fn hook(mut self, hook: impl Fn(&TokenEvent<'_>) + Send + Sync + 'static) -> Self {
        self.0.hook = Some(Box::new(hook));
        self
    }

    /// By which the ends of saved tokens are told. The system's clock by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.0.wall_clock = clock;
        self
    }

    /// No token yet: the first call has one fetched.
    pub fn build(self) -> Refreshing {
        Refreshing(Arc::new(self.0))
    }
}

impl fmt::Debug for RefreshingBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshingBuilder").finish_non_exhaustive()
    }
}

impl Refreshing {
    /// No token yet: the first call has one fetched.
    pub fn new(source: impl TokenSource) -> Self {
        Self::builder(source).build()
    }

    /// With a store, a hook or another clock.
    pub fn builder(source: impl TokenSource) -> RefreshingBuilder {
        RefreshingBuilder(Shared {
            current: ArcSwapOption::empty(),
            slow: Mutex::default(),
            source: Box::new(source),
            store: None,
            hook: None,
            wall_clock: WallClock::system(),
            chance: Chance::from_os(),
            identity: opaque("refreshing", &[&bearer::next().to_le_bytes()]),
            refused_in_row: AtomicU32::new(0),
        })
    }

    /// From the next call on this one is used, and a failure is forgotten. What is being fetched meanwhile does not take its place.
    pub fn set_token(&self, token: Token) {
        let mut slow = self.0.lock();
        slow.set += 1;
        slow.refresh_token = None;
        slow.ignores_saved = true;
        self.0.publish(&mut slow, token, Instant::now());
    }

    /// From the next call on there is none, and the next one is fetched without a refresh token.
    pub fn clear(&self) {
        let mut slow = self.0.lock();
        slow.set += 1;
        slow.refresh_token = None;
        slow.failed = None;
        slow.failures = 0;
        slow.flight = None;
        slow.ignores_saved = true;
        self.0.current.store(None);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slow> {
        // Nothing panics under it.
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It came of a request that went at `sent`.
    fn publish(&self, slow: &mut Slow, token: Token, sent: Instant) {
        slow.generation += 1;
        slow.failed = None;
        slow.failures = 0;
        slow.flight = None;
        slow.last = Some(token.header.clone());
        // Who gets no new one keeps the former.
        slow.refresh_token = token.refresh.or_else(|| slow.refresh_token.take());
        let lifetime = token.lifetime.map(|life| Lifetime::new(life, self.chance.unit()));
        self.current.store(Some(Arc::new(Current {
            generation: slow.generation,
            header: token.header,
            refresh: lifetime.and_then(|lifetime| sent.checked_add(lifetime.refresh)),
            end: lifetime.and_then(|lifetime| sent.checked_add(lifetime.end)),
            is_seen_to: AtomicBool::new(false),
        })));
    }

    fn failed(&self, slow: &mut Slow, error: TokenError, now: Instant) {
        let wait = (FIRST_WAIT * 2_u32.saturating_pow(slow.failures.min(10))).min(LONGEST_WAIT);
        slow.failures = slow.failures.saturating_add(1);
        let wait = wait.max(error.retry_in().unwrap_or_default());
        let until = if error.is_permanent() { None } else { now.checked_add(wait) };
        slow.failed = Some(Failed { error, until });
        slow.flight = None;
        if let Some(current) = &*self.current.load() {
            current.is_seen_to.store(false, Ordering::Release);
        }
    }

    /// Who fetches already, or goes now; an error if that failed just now.
    fn fetch(self: &Arc<Self>, slow: &mut Slow, now: Instant) -> Result<watch::Receiver<()>, NotPrepared> {
        if let Some(flight) = &slow.flight {
            return Ok(flight.clone());
        }
        if let Some(Failed { error, until }) = &slow.failed
            && until.is_none_or(|until| now < until)
        {
            let refused = NotPrepared::because(error.clone());
            return Err(match until {
                Some(until) => refused.retry_in(*until - now),
                None => refused,
            });
        }
        let Ok(runtime) = Handle::try_current() else {
            return Err(NotPrepared::because("a token is fetched on a runtime of tokio, and there is none"));
        };
        let (done, flight) = watch::channel(());
        slow.flight = Some(flight.clone());
        let task = Flight { shared: self.clone(), set: slow.set, done, is_over: false };
        let (known, ignores_saved) = (slow.refresh_token.clone(), slow.ignores_saved);
        runtime.spawn(async move {
            let fetched = timeout(LONGEST, task.shared.obtain(known, ignores_saved, now)).await;
            let fetched = fetched.unwrap_or_else(|_| Err(TokenError::transient("it took longer than 30 s")));
            let is_saved = match &fetched {
                Ok(fetched) => task.shared.save(fetched).await,
                Err(_) => false,
            };
            task.land(fetched, is_saved);
        });
        Ok(flight)
    }

    /// What another process has saved meanwhile, or a new one.
    async fn obtain(
        &self,
        known: Option<Secret>,
        ignores_saved: bool,
        now: Instant,
    ) -> Result<Fetched, TokenError> {
        let Some(store) = &self.store else {
            let token = self.source.fetch(known).await?;
            return Ok(Fetched { token, sent: now, saved: None, held: None });
        };
        let held = store.lock().await.map_err(TokenError::transient)?;
        let saved = if ignores_saved { Ok(None) } else { store.load().await };
        let saved = saved.unwrap_or_else(|error| {
            self.tell(&TokenEvent::NotLoaded(&*error));
            None
        });
        if let Some(token) = saved.as_ref().and_then(|saved| self.other(saved)) {
            return Ok(Fetched { token, sent: Instant::now(), saved, held: None });
        }
        let refresh = saved.and_then(|saved| saved.refresh).or(known);
        let sent = Instant::now();
        let token = self.source.fetch(refresh).await?;
        Ok(Fetched { token, sent, saved: None, held: Some(held) })
    }

    /// What is saved, if it is another one than that in use, and good.
    fn other(&self, saved: &SavedToken) -> Option<Token> {
        let mut token = Token::new(saved.access.clone()).ok()?;
        if self.lock().last.as_ref() == Some(&token.header) {
            return None;
        }
        if let Some(expires) = saved.expires {
            token.lifetime = Some(expires.duration_since(self.wall_clock.now()).ok()?);
        }
        token.refresh = saved.refresh.clone();
        Some(token)
    }

    /// Before any call goes with it. Whether it is in the store now.
    async fn save(&self, fetched: &Fetched) -> bool {
        let Some(store) = &self.store else { return false };
        if fetched.saved.is_some() {
            return true;
        }
        let token = &fetched.token;
        let access = token.header.to_str().unwrap_or_default().trim_start_matches("Bearer ");
        let refresh = token.refresh.clone().or_else(|| self.lock().refresh_token.clone());
        let gone = fetched.sent.elapsed();
        let left = token.lifetime.map(|lifetime| lifetime.saturating_sub(gone));
        let expires = left.and_then(|left| self.wall_clock.now().checked_add(left));
        let saving = timeout(LONGEST_SAVE, store.save(&SavedToken::new(access, refresh, expires)));
        let not_saved = match saving.await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error,
            Err(_) => "it took longer than 10 s".into(),
        };
        self.tell(&TokenEvent::NotSaved(&*not_saved));
        false
    }

    fn tell(&self, event: &TokenEvent<'_>) {
        trace::token(event);
        if let Some(hook) = &self.hook {
            hook(event);
        }
    }
}

/// What a fetch came to.
struct Fetched {
    token: Token,
    /// When it was asked for.
    sent: Instant,
    /// It was found in the store.
    saved: Option<SavedToken>,
    /// Given back once it is saved.
    held: Option<Held>,
}

/// A fetch under way. Dropped, the source has panicked, or the runtime has ended.
struct Flight {
    shared: Arc<Shared>,
    set: u64,
    /// Closed when it is over.
    #[allow(dead_code, reason = "its end is what is waited for")]
    done: watch::Sender<()>,
    is_over: bool,
}

impl Flight {
    fn land(mut self, fetched: Result<Fetched, TokenError>, is_saved: bool) {
        self.is_over = true;
        let mut slow = self.shared.lock();
        // Else somebody has set another one meanwhile.
        if slow.set != self.set {
            return;
        }
        match fetched {
            Ok(Fetched { token, sent, held, .. }) => {
                let lifetime = token.lifetime;
                self.shared.publish(&mut slow, token, sent);
                slow.ignores_saved &= !is_saved;
                drop((slow, held));
                self.shared.tell(&TokenEvent::Renewed { lifetime });
            }
            Err(error) => {
                self.shared.failed(&mut slow, error.clone(), Instant::now());
                drop(slow);
                self.shared.tell(&TokenEvent::Failed(&error));
            }
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut slow = self.shared.lock();
        if !self.is_over && slow.set == self.set {
            self.shared.failed(&mut slow, TokenError::transient("the source panicked"), Instant::now());
        }
    }
}

impl Authorizer for Refreshing {
    fn authorize(&self, request: &mut Parts) -> Option<Stamp> {
        let current = self.0.current.load();
        let current = current.as_ref()?;
        if current.refresh.is_some() || current.end.is_some() {
            let now = Instant::now();
            if current.end.is_some_and(|end| now >= end) {
                return None;
            }
            let is_due = current.refresh.is_some_and(|at| now >= at);
            if is_due && !current.is_seen_to.swap(true, Ordering::AcqRel) {
                let mut slow = self.0.lock();
                if self.0.fetch(&mut slow, now).is_err() {
                    current.is_seen_to.store(false, Ordering::Release);
                }
            }
        }
        request.headers.try_insert(AUTHORIZATION, current.header.clone()).ok()?;
        Some(Stamp(current.generation))
    }

    fn prepare(&self, _: &Parts) -> Preparing {
        let now = Instant::now();
        let mut slow = self.0.lock();
        // It may have come meanwhile.
        let is_there =
            self.0.current.load().as_ref().is_some_and(|current| current.end.is_none_or(|end| now < end));
        if is_there {
            return Box::pin(ready(Ok(())));
        }
        match self.0.fetch(&mut slow, now) {
            Err(refused) => Box::pin(ready(Err(refused))),
            Ok(mut flight) => {
                drop(slow);
                let shared = self.0.clone();
                Box::pin(async move {
                    // It is over when the sender is gone.
                    while flight.changed().await.is_ok() {}
                    let slow = shared.lock();
                    match &slow.failed {
                        Some(failed) => {
                            let wait =
                                failed.until.map(|until| until.saturating_duration_since(Instant::now()));
                            let refused = NotPrepared::because(failed.error.clone());
                            Err(wait.map_or(refused, |wait| {
                                NotPrepared::because(failed.error.clone()).retry_in(wait)
                            }))
                        }
                        None => Ok(()),
                    }
                })
            }
        }
    }

    fn react(&self, stamp: Stamp, response: &Head<'_>) -> Reaction {
        let is_refused = response.status == StatusCode::UNAUTHORIZED && refuses_token(response.headers);
        if !is_refused {
            if self.0.refused_in_row.load(Ordering::Relaxed) != 0 {
                self.0.refused_in_row.store(0, Ordering::Relaxed);
            }
            return Reaction::Done;
        }
        let mut slow = self.0.lock();
        let current = self.0.current.load().as_ref().map(|current| current.generation);
        if current == Some(stamp.0) {
            self.0.current.store(None);
            let refused = self.0.refused_in_row.fetch_add(1, Ordering::Relaxed) + 1;
            // The last one was refused too, and it was new.
            if refused > 1 {
                slow.failures = slow.failures.max(refused - 2);
                let error = TokenError::transient("a token that was just fetched was refused");
                self.0.failed(&mut slow, error, Instant::now());
            }
        }
        // There is a newer one already, or it is to be had.
        let is_better = current.is_some_and(|current| current > stamp.0) || slow.failed.is_none();
        drop(slow);
        if current == Some(stamp.0) {
            self.0.tell(&TokenEvent::Refused);
        }
        if is_better { Reaction::Replay } else { Reaction::Done }
    }

    fn identity(&self, _: &RequestHead<'_>) -> Arc<str> {
        self.0.identity.clone()
    }
}

impl fmt::Debug for Refreshing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.current.load().is_some() { "Refreshing(..)" } else { "Refreshing(unset)" })
    }
}
