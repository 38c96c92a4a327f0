use tokio::sync::watch;
use tokio::time::Instant;

use crate::inbox::{Claimed, Event, Inbox, Lease, Settlement};

use super::keeper::{Keeper, Lost, keep};
use super::processed::is_done;
use super::race::{Either, race};
use super::verdict::{Tally, Verdict, unfinished};
use super::{Parts, Told};

/// Why handlers run no further.
enum Interrupted {
    Lost,
    Stopped,
}

impl From<Lost> for Interrupted {
    fn from(Lost: Lost) -> Self {
        Self::Lost
    }
}

/// Gives an event to those of its handlers that are left, and settles it. The inbox was asked for it at `asked`.
///
/// Once `stop` has `true` it is given back.
pub(super) async fn attempt<I: Inbox>(
    parts: &Parts,
    inbox: &I,
    claimed: Claimed,
    asked: Instant,
    stop: watch::Receiver<bool>,
) {
    let Claimed { lease, event, attempt, progress } = claimed;
    let id = lease.id;
    parts.tell(&Told::Claimed { id, event: &event, attempt });
    let mut keeper = Keeper::new(parts, inbox, lease, asked);
    let mut tally = Tally::new(progress);
    let is_handled = parts.handlers.has_for(&event);
    let verdict = match unfinished(attempt, &parts.schedule) {
        Some(verdict) => Ok(verdict),
        None => run_handlers(parts, inbox, &mut keeper, lease, &event, &mut tally, stop)
            .await
            .map(|()| tally.verdict(attempt, &parts.schedule)),
    };
    let now = parts.wall_clock.now();
    let settled = match verdict {
        Err(Interrupted::Lost) => Err(Lost),
        Err(Interrupted::Stopped) => {
            let settled = keeper.settle(Settlement::release(tally.into_progress())).await;
            settled.map(|()| parts.tell(&Told::Released { id, event: &event }))
        }
        Ok(Verdict::Done) => {
            let settled = keeper.settle(Settlement::Done).await;
            let told = if is_handled {
                Told::Done { id, event: &event, attempt }
            } else {
                Told::Unhandled { id, event: &event }
            };
            settled.map(|()| parts.tell(&told))
        }
        Ok(Verdict::Retry { wait }) => {
            let at = now + wait;
            let settled = keeper.settle(Settlement::retry(at, tally.into_progress())).await;
            settled.map(|()| parts.tell(&Told::Retried { id, event: &event, attempt, at }))
        }
        Ok(Verdict::Dead { reason }) => {
            let settlement = Settlement::dead(now, reason.clone(), tally.into_progress());
            let settled = keeper.settle(settlement).await;
            settled.map(|()| parts.tell(&Told::Dead { id, event: &event, attempt, reason: &reason }))
        }
    };
    if settled.is_err() {
        parts.tell(&Told::LeaseLost { id, event: &event });
    }
}

async fn run_handlers<I: Inbox>(
    parts: &Parts,
    inbox: &I,
    keeper: &mut Keeper<'_, I>,
    lease: Lease,
    event: &Event,
    tally: &mut Tally,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Interrupted> {
    let mut left = parts.handlers.left(event, tally.progress()).into_iter().peekable();
    while let Some(handler) = left.next() {
        if *stop.borrow() {
            return Err(Interrupted::Stopped);
        }
        keeper.held().await?;
        let result = match race(handler.run(event.clone()), interrupted(keeper, &mut stop)).await {
            Either::First(result) => result,
            Either::Second(interrupted) => return Err(interrupted),
        };
        parts.tell_of_failure(Some(lease.id), event, &handler.name, &result);
        tally.note(&handler.name, &result);
        // After the last one the event is settled, which says the same.
        if is_done(&result) && left.peek().is_some() {
            let kept = keep(parts, inbox, lease, tally.progress().clone());
            match race(kept, interrupted(keeper, &mut stop)).await {
                Either::First(kept) => kept?,
                Either::Second(interrupted) => return Err(interrupted),
            }
        }
    }
    Ok(())
}

async fn interrupted<I: Inbox>(keeper: &mut Keeper<'_, I>, stop: &mut watch::Receiver<bool>) -> Interrupted {
    // An error says that nobody is there any more who could stop it, nor who waits for it.
    let stopped = stop.wait_for(|is_stopped| *is_stopped);
    match race(keeper.lost(), stopped).await {
        Either::First(Lost) => Interrupted::Lost,
        Either::Second(_) => Interrupted::Stopped,
    }
}
