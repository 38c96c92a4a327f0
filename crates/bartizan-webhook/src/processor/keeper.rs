use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use crate::inbox::{Inbox, InboxError, Lease, Progress, Settlement};

use super::backoff::Backoff;
use super::{Asked, Parts, Told};

/// Holds the lease of an event.
///
/// Its time counts from before the inbox was asked, so nobody else has the event within it. Later the inbox decides, by the fencing token, and it is asked
/// once more.
pub(super) struct Keeper<'a, I> {
    parts: &'a Parts,
    inbox: &'a I,
    lease: Lease,
    until: Instant,
    extend_at: Instant,
    backoff: Backoff,
}

/// The event may be somebody else's.
#[derive(Debug)]
pub(super) struct Lost;

/// What an inbox may take for an answer when the time of the lease is over, since the runtime did not poll us for so long.
const PATIENCE: Duration = Duration::from_secs(1);

impl<'a, I: Inbox> Keeper<'a, I> {
    /// The inbox was asked for the lease at `asked`.
    pub(super) fn new(parts: &'a Parts, inbox: &'a I, lease: Lease, asked: Instant) -> Self {
        let backoff = Backoff::new(parts.chance.clone());
        let (until, extend_at) = (asked + parts.lease, asked + parts.lease / 3);
        Self { parts, inbox, lease, until, extend_at, backoff }
    }

    /// Extends the lease each time that a third of it is over, and is ready once it is lost. It may be dropped and called again.
    pub(super) async fn lost(&mut self) -> Lost {
        loop {
            sleep_until(self.extend_at).await;
            let Err(error) = self.extend().await else { continue };
            let Some(error) = error.filter(|error| !error.is_lease_lost()) else { return Lost };
            let now = Instant::now();
            let wait = self.backoff.wait();
            if now + wait >= self.until {
                self.failed(Asked::Extend, &error, None);
                sleep_until(self.until).await;
                return Lost;
            }
            self.failed(Asked::Extend, &error, Some(wait));
            self.extend_at = now + wait;
        }
    }

    /// Before a handler begins: what may be somebody else's by now is asked for first.
    pub(super) async fn held(&mut self) -> Result<(), Lost> {
        if Instant::now() < self.until {
            return Ok(());
        }
        self.extend().await.map_err(|_| Lost)
    }

    /// `None` is no answer within the time of the lease.
    async fn extend(&mut self) -> Result<(), Option<InboxError>> {
        let asked = Instant::now();
        let extension = self.inbox.extend(self.lease, self.parts.wall_clock.now(), self.parts.lease);
        let until = if asked < self.until { self.until } else { asked + PATIENCE };
        match timeout_at(until, extension).await {
            Ok(Ok(())) => {
                self.backoff.reset();
                self.until = asked + self.parts.lease;
                self.extend_at = asked + self.parts.lease / 3;
                Ok(())
            }
            Ok(Err(error)) => Err(Some(error)),
            Err(_) => Err(None),
        }
    }

    /// Ends the lease. An inbox that fails is asked again for as long as the lease lasts.
    pub(super) async fn settle(mut self, settlement: Settlement) -> Result<(), Lost> {
        loop {
            let until = self.until.max(Instant::now() + PATIENCE);
            match timeout_at(until, self.inbox.settle(self.lease, settlement.clone())).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if error.is_lease_lost() => return Err(Lost),
                Ok(Err(error)) => {
                    let wait = self.backoff.wait();
                    if Instant::now() + wait >= self.until {
                        self.failed(Asked::Settle, &error, None);
                        return Err(Lost);
                    }
                    self.failed(Asked::Settle, &error, Some(wait));
                    sleep(wait).await;
                }
                Err(_) => return Err(Lost),
            }
        }
    }

    fn failed(&self, asked: Asked, error: &InboxError, again_in: Option<Duration>) {
        self.parts.tell(&Told::InboxFailed { asked, error, again_in });
    }
}

/// Keeps what was done so far. It is not worth a second try, nor a long wait: the inbox is told again in the end.
pub(super) async fn keep<I: Inbox>(
    parts: &Parts,
    inbox: &I,
    lease: Lease,
    progress: Progress,
) -> Result<(), Lost> {
    let kept = timeout(parts.lease / 3, inbox.progress(lease, progress)).await;
    match kept.unwrap_or_else(|late| Err(InboxError::unavailable(late))) {
        Err(error) if error.is_lease_lost() => return Err(Lost),
        Err(error) => {
            parts.tell(&Told::InboxFailed { asked: Asked::Progress, error: &error, again_in: None });
        }
        Ok(()) => {}
    }
    Ok(())
}
