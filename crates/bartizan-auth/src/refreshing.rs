mod builder;
mod doubts;
mod event;
mod flight;
mod state;

use std::fmt;
use std::future::ready;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwapOption;
use bartizan_core::{BoxError, Chance, Head, RequestHead, WallClock};
use http::StatusCode;
use http::header::AUTHORIZATION;
use http::request::Parts;
use tokio::time::Instant;

pub use self::builder::RefreshingBuilder;
use self::doubts::Doubts;
pub use self::event::TokenEvent;
use self::state::Shared;
use crate::challenge::refuses_token;
use crate::identity::opaque;
use crate::{Authorizer, Preparing, Reaction, Stamp, Token, TokenError, TokenSource, bearer};

/// A bearer token that is fetched when it is needed, and anew before it ends. Clones share it.
///
/// | | |
/// |---|---|
/// | the first call | waits for the token, and so do all that come meanwhile: it is fetched once |
/// | a minute before the end, of short lives a quarter, less up to a tenth by chance | the next call has a newer one fetched in the background, and goes with the old one |
/// | five seconds before the end, of short lives a tenth | the old one is not used any more: calls wait for the newer one |
/// | a 401 with `invalid_token` (RFC 6750 section 3.1), or [any](RefreshingBuilder::any_401) | that token is not used again, the next is fetched once for all who were refused, and the answer is marked so that retry sends the request again |
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
            saving: tokio::sync::Mutex::default(),
            hook: None,
            any_401: false,
            wall_clock: WallClock::system(),
            chance: Chance::from_os(),
            identity: opaque("refreshing", &[&bearer::next().to_le_bytes()]),
            refused_in_row: AtomicU32::new(0),
        })
    }

    /// From the next call on this one is used, and a failure is forgotten. What is being fetched meanwhile does not take its place. It is not saved: see
    /// [`save_token`](Self::save_token).
    pub fn set_token(&self, token: Token) {
        self.0.set(token, Instant::now(), false);
    }

    /// The same, and it is put into the store first: what a login has given. Without a store it is kept in memory alone.
    ///
    /// # Errors
    /// If it could not be saved. It is used all the same.
    pub async fn save_token(&self, token: Token) -> Result<(), BoxError> {
        let sent = Instant::now();
        // In the order of a fetch.
        let held = match &self.0.store {
            Some(store) => store.lock().await.map(Some),
            None => Ok(None),
        };
        let _turn = self.0.saving.lock().await;
        let saved = match held {
            // Given back once it is in use.
            Ok(held) => self.0.save(&token, sent).await.map(|()| held),
            Err(error) => Err(error),
        };
        self.0.set(token, sent, saved.is_ok() && self.0.store.is_some());
        saved.map(drop)
    }

    /// From the next call on there is none, and the next one is fetched without a refresh token. A [store](RefreshingBuilder::store) keeps what it has until
    /// then.
    pub fn clear(&self) {
        let mut slow = self.0.lock();
        slow.set += 1;
        slow.doubts = Doubts::default();
        slow.refresh_token = None;
        slow.failed = None;
        slow.failures = 0;
        slow.flight = None;
        slow.ignores_saved = true;
        self.0.current.store(None);
    }
}

impl Authorizer for Refreshing {
    fn authorize(&self, request: &mut Parts) -> Option<Stamp> {
        let current = self.0.current.load();
        let current = current.as_ref()?;
        // Who lives for ever needs no clock.
        if let Some(refresh) = current.refresh {
            let now = Instant::now();
            if current.end.is_some_and(|end| now >= end) {
                return None;
            }
            if now >= refresh && !current.is_seen_to.swap(true, Ordering::AcqRel) {
                let mut slow = self.0.lock();
                if self.0.fetch(&mut slow, now).is_err() {
                    current.is_seen_to.store(false, Ordering::Release);
                }
            }
        }
        request.headers.try_insert(AUTHORIZATION, current.header.clone()).ok()?;
        Some(Stamp::new(current.generation))
    }

    fn prepare(&self, _: &Parts) -> Preparing {
        let now = Instant::now();
        let mut slow = self.0.lock();
        // It may have come meanwhile.
        if self.0.current.load().as_ref().is_some_and(|current| current.is_good(now)) {
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
                        Some(failed) => Err(failed.refusal(Instant::now())),
                        None => Ok(()),
                    }
                })
            }
        }
    }

    fn react(&self, stamp: Stamp, response: &Head<'_>) -> Reaction {
        let is_401 = response.status == StatusCode::UNAUTHORIZED;
        let is_told = is_401 && refuses_token(response.headers);
        let is_refused = is_told || is_401 && self.0.any_401;
        if !is_refused {
            if self.0.refused_in_row.load(Ordering::Relaxed) != 0 {
                self.0.refused_in_row.store(0, Ordering::Relaxed);
            }
            return Reaction::Done;
        }
        let mut slow = self.0.lock();
        let current = self.0.current.load().as_ref().map(|current| current.generation);
        let is_current = current == Some(stamp.number());
        if is_current && !is_told && !slow.doubts.cost_a_token(Instant::now()) {
            return Reaction::Done;
        }
        if is_current {
            self.0.current.store(None);
        }
        if is_current && is_told {
            let refused = self.0.refused_in_row.fetch_add(1, Ordering::Relaxed) + 1;
            // The last one was refused too, and it was new. What is being fetched is waited for, and a failure that is known stands.
            if refused > 1 && slow.flight.is_none() && slow.failed.is_none() {
                slow.failures = slow.failures.max(refused - 2);
                let error = TokenError::transient("a token that was just fetched was refused");
                self.0.failed(&mut slow, error, Instant::now());
            }
        }
        // There is a newer one already, or it is to be had.
        let is_better = current.is_some_and(|current| current > stamp.number()) || slow.failed.is_none();
        drop(slow);
        if is_current {
            self.0.tell(&TokenEvent::Refused);
        }
        if is_better { Reaction::Replay } else { Reaction::Done }
    }

    fn identity(&self, _: &RequestHead<'_>) -> Arc<str> {
        self.0.identity.clone()
    }

    /// Not while it is fetched, or not tried again yet, nor while the session is nowhere else.
    fn is_idle(&self) -> bool {
        let (slow, now) = (self.0.lock(), Instant::now());
        let waits = slow.failed.as_ref().and_then(|failed| failed.until).is_some_and(|until| now < until);
        if slow.flight.is_some() || waits {
            return false;
        }
        if self.0.store.is_some() && !slow.ignores_saved {
            return true;
        }
        let is_good = self.0.current.load().as_ref().is_some_and(|current| current.is_good(now));
        // Who was refused for good has nothing left but the token that he has.
        let has_way =
            slow.refresh_token.is_some() && slow.failed.as_ref().is_none_or(|it| it.until.is_some());
        !(has_way || is_good && (slow.is_by_hand || slow.refresh_token.is_some()))
    }
}

impl fmt::Debug for Refreshing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.current.load().is_some() { "Refreshing(..)" } else { "Refreshing(unset)" })
    }
}
