//! A fetch, in a task that no caller can cancel.

use std::sync::Arc;
use std::time::Duration;

use bartizan_core::BoxError;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::TokenEvent;
use super::state::Shared;
use crate::{Held, SavedToken, Secret, Token, TokenError};

/// What takes longer is given up: nobody knows whether it will ever end.
const LONGEST: Duration = Duration::from_secs(30);
/// Calls wait for it.
const LONGEST_SAVE: Duration = Duration::from_secs(10);

/// What a fetch came to.
struct Fetched {
    token: Token,
    /// When it was asked for.
    sent: Instant,
    /// It was found in the store.
    is_saved: bool,
    /// Given back once it is saved.
    held: Option<Held>,
}

/// A fetch under way. Dropped, the source has panicked, or the runtime has ended.
pub(super) struct Flight {
    shared: Arc<Shared>,
    set: u64,
    /// Closed when it is over.
    #[allow(dead_code, reason = "its end is what is waited for")]
    done: watch::Sender<()>,
    is_over: bool,
}

impl Flight {
    /// For what was set last, `set`.
    pub(super) fn new(shared: Arc<Shared>, set: u64, done: watch::Sender<()>) -> Self {
        Self { shared, set, done, is_over: false }
    }

    pub(super) async fn run(self, known: Option<Secret>, ignores_saved: bool) {
        let fetched = timeout(LONGEST, self.obtain(known, ignores_saved)).await;
        let fetched = fetched.unwrap_or_else(|_| Err(TokenError::transient("it took longer than 30 s")));
        let is_saved = match &fetched {
            Ok(fetched) => self.save(fetched).await,
            Err(_) => false,
        };
        self.land(fetched, is_saved);
    }

    /// What another process has saved meanwhile, or a new one.
    async fn obtain(&self, known: Option<Secret>, ignores_saved: bool) -> Result<Fetched, TokenError> {
        let (shared, sent) = (&self.shared, Instant::now());
        let Some(store) = &shared.store else {
            let token = shared.exchange(known).await?;
            return Ok(Fetched { token, sent, is_saved: false, held: None });
        };
        let held = store.lock().await.map_err(TokenError::transient)?;
        let saved = if ignores_saved { Ok(None) } else { store.load().await };
        let saved = saved.unwrap_or_else(|error| {
            shared.tell(&TokenEvent::NotLoaded(&*error));
            None
        });
        // What is saved may be newer than that, and its refresh token not ours to exchange.
        if self.is_overtaken() {
            return Err(TokenError::transient("another token was set meanwhile"));
        }
        if let Some(mut token) = saved.as_ref().and_then(|saved| shared.other(saved)) {
            token.refresh = token.refresh.or(known);
            return Ok(Fetched { token, sent: Instant::now(), is_saved: true, held: None });
        }
        let refresh = saved.and_then(|saved| saved.refresh).or(known);
        let sent = Instant::now();
        let token = shared.exchange(refresh).await?;
        Ok(Fetched { token, sent, is_saved: false, held: Some(held) })
    }

    /// Somebody has set or cleared a token since it began: nobody waits for it any more.
    fn is_overtaken(&self) -> bool {
        self.shared.lock().set != self.set
    }

    /// Before any call goes with it. Whether it is in the store now.
    async fn save(&self, fetched: &Fetched) -> bool {
        // One after the other: a slow one is not to end on top of what was fetched after somebody had set or cleared a token.
        let _turn = self.shared.saving.lock().await;
        if fetched.is_saved || self.is_overtaken() {
            return fetched.is_saved;
        }
        let saved = self.shared.save(&fetched.token, fetched.sent).await;
        self.shared.store.is_some() && saved.is_ok()
    }

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
                slow.ignores_saved = !is_saved;
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

impl Shared {
    /// Who gets no new refresh token keeps the one that he came with (RFC 6749 section 6).
    async fn exchange(&self, refresh: Option<Secret>) -> Result<Token, TokenError> {
        let mut token = self.source.fetch(refresh.clone()).await?;
        token.refresh = token.refresh.or(refresh);
        Ok(token)
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

    /// A token that was asked for at `sent`.
    pub(super) async fn save(&self, token: &Token, sent: Instant) -> Result<(), BoxError> {
        let Some(store) = &self.store else { return Ok(()) };
        let left = token.lifetime.map(|lifetime| lifetime.saturating_sub(sent.elapsed()));
        let expires = left.and_then(|left| self.wall_clock.now().checked_add(left));
        let saved = SavedToken::new(token.access(), token.refresh.clone(), expires);
        let saved = timeout(LONGEST_SAVE, store.save(&saved)).await;
        let saved = saved.unwrap_or_else(|_| Err("it took longer than 10 s".into()));
        saved.inspect_err(|error| self.tell(&TokenEvent::NotSaved(&**error)))
    }
}
