//! A fetch, in a task that no caller can cancel.

use std::sync::Arc;
use std::time::Duration;

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
    saved: Option<SavedToken>,
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
        let fetched = timeout(LONGEST, self.shared.obtain(known, ignores_saved)).await;
        let fetched = fetched.unwrap_or_else(|_| Err(TokenError::transient("it took longer than 30 s")));
        let is_saved = match &fetched {
            Ok(fetched) => self.shared.save(fetched).await,
            Err(_) => false,
        };
        self.land(fetched, is_saved);
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
    /// What another process has saved meanwhile, or a new one.
    async fn obtain(&self, known: Option<Secret>, ignores_saved: bool) -> Result<Fetched, TokenError> {
        let sent = Instant::now();
        let Some(store) = &self.store else {
            let token = self.source.fetch(known).await?;
            return Ok(Fetched { token, sent, saved: None, held: None });
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
        let refresh = token.refresh.clone().or_else(|| self.lock().refresh_token.clone());
        let gone = fetched.sent.elapsed();
        let left = token.lifetime.map(|lifetime| lifetime.saturating_sub(gone));
        let expires = left.and_then(|left| self.wall_clock.now().checked_add(left));
        let saving = timeout(LONGEST_SAVE, store.save(&SavedToken::new(token.access(), refresh, expires)));
        let not_saved = match saving.await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error,
            Err(_) => "it took longer than 10 s".into(),
        };
        self.tell(&TokenEvent::NotSaved(&*not_saved));
        false
    }
}
