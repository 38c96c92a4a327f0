use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use crate::inbox::{Claim, Claims, Inbox};

use super::attempt::attempt;
use super::backoff::Backoff;
use super::race::{Either, race};
use super::{Asked, LONGEST_WAIT, Parts, Told};

/// Between two claims, where the inbox says that more is due and gives nothing: its clock may be another one.
const LEAST_PAUSE: Duration = Duration::from_millis(10);

/// How long events may take to be given back once the grace is over.
const RELEASE: Duration = Duration::from_secs(5);

pub(super) async fn run<I: Inbox>(parts: Arc<Parts>, inbox: Arc<I>, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    let (stop, stopped) = watch::channel(false);
    let slots = Arc::new(Semaphore::new(parts.concurrency.get().min(Semaphore::MAX_PERMITS)));
    let mut work = Work { parts: &parts, inbox: &inbox, slots: &slots, tasks: JoinSet::new() };
    let mut backoff = Backoff::new(parts.chance.clone());
    let grace_ends = loop {
        if let Either::First(()) = race(&mut shutdown, work.room()).await {
            break after(parts.grace);
        }
        let changed = inbox.changed();
        let asked = Instant::now();
        let claim = work.claim();
        let mut claiming = inbox.claim(claim);
        let claims = match race(&mut shutdown, &mut claiming).await {
            Either::Second(claims) => claims,
            Either::First(()) => {
                // Dropped, it might have claimed all the same.
                let grace_ends = after(parts.grace);
                if let Ok(Ok(claims)) = timeout_at(grace_ends, claiming).await {
                    work.begin(claims, asked, &watch::channel(true).1);
                }
                break grace_ends;
            }
        };
        let pause = match claims {
            Ok(claims) => {
                backoff.reset();
                let pause = work.pause(&claim, &claims);
                work.begin(claims, asked, &stopped);
                match pause {
                    None => continue,
                    Some(pause) => {
                        let changed = async {
                            race(changed, sleep(pause)).await;
                        };
                        race(&mut shutdown, changed).await
                    }
                }
            }
            Err(error) => {
                let again_in = backoff.wait();
                parts.tell(&Told::InboxFailed {
                    asked: Asked::Claim,
                    error: &error,
                    again_in: Some(again_in),
                });
                race(&mut shutdown, sleep(again_in)).await
            }
        };
        if let Either::First(()) = pause {
            break after(parts.grace);
        }
    };
    if timeout_at(grace_ends, work.end()).await.is_err() {
        stop.send_replace(true);
        // What is not given back by then is claimed again when its lease has ended.
        let _ = timeout_at(Instant::now() + RELEASE, work.end()).await;
    }
}

/// However long that is.
fn after(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or(now + LONGEST_WAIT)
}

/// The events in work, each in a task. Dropped, they end at their next await.
struct Work<'a, I> {
    parts: &'a Arc<Parts>,
    inbox: &'a Arc<I>,
    slots: &'a Arc<Semaphore>,
    tasks: JoinSet<()>,
}

impl<I: Inbox> Work<'_, I> {
    /// Until another event may be claimed.
    async fn room(&mut self) {
        // Nobody else takes one, so it is there afterwards too.
        drop(self.slots.acquire().await.expect("it is never closed"));
        while self.tasks.try_join_next().is_some() {}
    }

    fn claim(&self) -> Claim {
        let now = self.parts.wall_clock.now();
        Claim { now, lease: self.parts.lease, most: self.slots.available_permits() }
    }

    /// How long to wait for the inbox to change; `None` if there may be more already.
    fn pause(&self, claim: &Claim, claims: &Claims) -> Option<Duration> {
        if claims.claimed.len() >= claim.most {
            return None;
        }
        let until = |date: SystemTime| date.duration_since(self.parts.wall_clock.now()).unwrap_or_default();
        let next = claims.next.map_or(Duration::MAX, until);
        Some(next.max(LEAST_PAUSE).min(self.parts.poll_interval))
    }

    fn begin(&mut self, claims: Claims, asked: Instant, stop: &watch::Receiver<bool>) {
        for claimed in claims.claimed {
            let (parts, inbox, stop) = (Arc::clone(self.parts), Arc::clone(self.inbox), stop.clone());
            // `None` if the inbox gave more than was asked for.
            let slot = Arc::clone(self.slots).try_acquire_owned().ok();
            self.tasks.spawn(async move {
                attempt(&parts, &*inbox, claimed, asked, stop).await;
                drop(slot);
            });
        }
    }

    /// Until nothing runs any more.
    async fn end(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}
