//! The engine, in paused time.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan_core::Rejection;
use tokio::time::{Instant, advance};

use super::slots::{ONE, Slots};
use super::*;
use crate::line::{Source, Who};

mod layer;
mod model;
mod upstream;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

fn limit(limit: usize) -> NonZeroUsize {
    NonZeroUsize::new(limit).unwrap()
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// One who has joined the line.
fn waits(bulkhead: &Bulkhead) -> Pin<Box<Acquire>> {
    let mut acquire = Box::pin(bulkhead.acquire());
    assert!(poll(acquire.as_mut()).is_pending());
    acquire
}

/// Why no permit has come, within an hour.
async fn why_not(acquire: Acquire) -> Reason {
    let permit = tokio::time::timeout(3600 * SECOND, acquire).await.expect("no wait is as long");
    permit.unwrap_err().reason()
}

fn came(acquire: &mut Pin<Box<Acquire>>) -> Option<Permit> {
    match poll(acquire.as_mut()) {
        Poll::Ready(permit) => Some(permit.unwrap()),
        Poll::Pending => None,
    }
}

fn refused(acquire: &mut Pin<Box<Acquire>>) -> Option<Reason> {
    match poll(acquire.as_mut()) {
        Poll::Ready(permit) => Some(permit.unwrap_err().reason()),
        Poll::Pending => None,
    }
}

/// Time goes by, and nobody has looked at a timer yet.
fn advance_unseen(time: Duration) {
    let _ = poll(pin!(advance(time)));
}

#[test]
fn as_many_as_the_limit_are_had_and_freed_by_a_drop() {
    let bulkhead = Bulkhead::new(limit(3));
    for _ in 0..2 {
        let permits: Vec<_> = (0..3).map(|_| bulkhead.clone().try_acquire().unwrap()).collect();
        assert_eq!(bulkhead.try_acquire().unwrap_err().reason(), Reason::Full);
        assert_eq!(bulkhead.taken(), 3);
        drop(permits);
        assert_eq!(bulkhead.taken(), 0);
    }
}

#[test]
fn a_newcomer_takes_no_slot_past_those_who_wait() {
    let slots = Slots::new(limit(2), 9);
    slots.set_queued(true);
    assert!(!slots.take(Who::Newcomer, ONE));
    assert!(slots.take(Who::First(1), ONE) && slots.take(Who::First(1), ONE));
    assert!(!slots.take(Who::First(1), ONE), "there are no more");
    assert_eq!(slots.taken(), 2);
    assert!(slots.is_queued());
    slots.set_queued(false);
    slots.give_back(ONE);
    assert!(!slots.is_queued() && slots.take(Who::Newcomer, ONE));
}

#[tokio::test(start_paused = true)]
async fn who_came_first_goes_first() {
    let bulkhead = Bulkhead::with_queue(limit(1), 100);
    let mut permit = Some(bulkhead.try_acquire().unwrap());
    let mut line: Vec<_> = (0..100).map(|_| waits(&bulkhead)).collect();
    while !line.is_empty() {
        assert!(line.iter_mut().all(|acquire| came(acquire).is_none()));
        drop(permit.take());
        // The last is looked at first, and finds nothing.
        let came: Vec<_> = line.iter_mut().rev().map(came).collect();
        assert!(came[..came.len() - 1].iter().all(Option::is_none));
        permit = came.into_iter().next_back().flatten();
        assert!(permit.is_some());
        drop(line.remove(0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_takes_as_many_as_it_says() {
    for queue in 0..4 {
        let bulkhead = Bulkhead::with_queue(limit(1), queue);
        let permit = bulkhead.try_acquire().unwrap();
        let mut line: Vec<_> = (0..queue).map(|_| waits(&bulkhead)).collect();
        let full = bulkhead.try_acquire().unwrap_err();
        assert_eq!(why_not(bulkhead.acquire()).await, Reason::Full);
        assert_eq!((full.reason(), full.queue(), bulkhead.waiting()), (Reason::Full, queue, queue));
        // Whoever leaves, and wherever he stood, leaves his place to another.
        for nth in (0..queue).rev() {
            drop(line.remove(nth));
            line.push(waits(&bulkhead));
            assert_eq!(why_not(bulkhead.acquire()).await, Reason::Full);
        }
        drop(permit);
        if queue > 0 {
            assert!(came(&mut line[0]).is_some());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_when_it_has_lasted_as_long_as_it_may() {
    let bulkhead = Bulkhead::with_queue(limit(1), 9);
    let _permit = bulkhead.try_acquire().unwrap();
    let start = Instant::now();
    assert_eq!(why_not(bulkhead.acquire()).await, Reason::MaxWait);
    assert_eq!(start.elapsed(), 30 * SECOND, "the default");
    let bulkhead = bulkhead.max_wait(2 * SECOND);
    assert_eq!(why_not(bulkhead.acquire()).await, Reason::MaxWait);
    assert_eq!(start.elapsed(), 32 * SECOND);
    let deadline = |time| (Instant::now() + time).into_std();
    assert_eq!(why_not(bulkhead.acquire_before(deadline(SECOND))).await, Reason::Deadline);
    assert_eq!(start.elapsed(), 33 * SECOND);
    assert_eq!(why_not(bulkhead.acquire_before(deadline(3 * SECOND))).await, Reason::MaxWait);
    assert_eq!(start.elapsed(), 35 * SECOND);
    assert_eq!(bulkhead.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_over_is_refused_at_once_unless_a_slot_is_free() {
    let bulkhead = Bulkhead::with_queue(limit(1), 1);
    let now = Instant::now().into_std();
    let permit = bulkhead.acquire_before(now).await.unwrap();
    let mut late = Box::pin(bulkhead.acquire_before(now));
    assert_eq!(refused(&mut late), Some(Reason::Deadline));
    assert_eq!(bulkhead.waiting(), 0);
    let mut none = Box::pin(bulkhead.clone().max_wait(Duration::ZERO).acquire());
    assert_eq!(refused(&mut none), Some(Reason::MaxWait));
    drop(permit);
    let _permit = bulkhead.try_acquire().unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_is_not_polled_leaves_the_line_when_his_time_is_up() {
    let bulkhead = Bulkhead::with_queue(limit(1), 3);
    let permit = bulkhead.try_acquire().unwrap();
    let mut first = waits(&bulkhead.clone().max_wait(SECOND));
    let mut stays = waits(&bulkhead);
    let mut third = waits(&bulkhead.clone().max_wait(SECOND));
    advance(SECOND - MILLI).await;
    assert_eq!(bulkhead.waiting(), 3);
    advance(MILLI).await;
    assert_eq!(bulkhead.waiting(), 1, "their places are free");
    assert_eq!(refused(&mut first), Some(Reason::MaxWait));
    drop(permit);
    assert_eq!(refused(&mut third), Some(Reason::MaxWait), "he has not been passed over for a slot");
    assert!(came(&mut stays).is_some());
}

#[tokio::test(start_paused = true)]
async fn who_had_to_leave_and_is_dropped_gives_nothing_back() {
    let bulkhead = Bulkhead::with_queue(limit(2), 3).max_wait(SECOND);
    let permits = [bulkhead.try_acquire().unwrap(), bulkhead.try_acquire().unwrap()];
    let leave = [waits(&bulkhead), waits(&bulkhead)];
    advance(SECOND).await;
    drop(leave);
    assert_eq!((bulkhead.taken(), bulkhead.waiting()), (2, 0));
    drop(permits);
    assert_eq!(bulkhead.taken(), 0);
}

#[tokio::test(start_paused = true)]
async fn no_slot_goes_to_one_whose_time_is_up() {
    let bulkhead = Bulkhead::with_queue(limit(1), 3);
    let permit = bulkhead.try_acquire().unwrap();
    let mut over = waits(&bulkhead.clone().max_wait(SECOND));
    let mut next = waits(&bulkhead);
    // His timer has not rung yet.
    advance_unseen(SECOND);
    drop(permit);
    assert!(came(&mut next).is_some());
    assert_eq!(refused(&mut over), Some(Reason::MaxWait));
}

#[tokio::test(start_paused = true)]
async fn who_looks_when_his_time_is_up_goes_wherever_he_stands() {
    let bulkhead = Bulkhead::with_queue(limit(1), 3);
    let _permit = bulkhead.try_acquire().unwrap();
    let _first = waits(&bulkhead);
    let mut over = waits(&bulkhead.clone().max_wait(SECOND));
    advance_unseen(SECOND);
    assert_eq!(refused(&mut over), Some(Reason::MaxWait));
    assert_eq!(bulkhead.waiting(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_came_in_time_may_be_fetched_later() {
    let bulkhead = Bulkhead::with_queue(limit(1), 3).max_wait(SECOND);
    let permit = bulkhead.try_acquire().unwrap();
    let mut slow = waits(&bulkhead);
    advance(SECOND - MILLI).await;
    drop(permit);
    advance(SECOND).await;
    assert!(came(&mut slow).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_came_to_one_who_is_dropped_goes_to_the_next() {
    let bulkhead = Bulkhead::with_queue(limit(1), 3);
    let permit = bulkhead.try_acquire().unwrap();
    let (first, mut second) = (waits(&bulkhead), waits(&bulkhead));
    drop(permit);
    assert_eq!((bulkhead.taken(), bulkhead.waiting()), (1, 1), "it is the first one's");
    assert!(came(&mut second).is_none());
    drop(first);
    let permit = came(&mut second).unwrap();
    assert_eq!((bulkhead.taken(), bulkhead.waiting()), (1, 0));
    drop(permit);
    assert_eq!(bulkhead.taken(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_was_never_polled_does_not_stand_in_line() {
    let bulkhead = Bulkhead::with_queue(limit(1), 1);
    let permit = bulkhead.try_acquire().unwrap();
    let unpolled = bulkhead.acquire();
    assert_eq!(bulkhead.waiting(), 0);
    drop(unpolled);
    drop(permit);
    assert_eq!(bulkhead.taken(), 0);
}

#[test]
fn a_wait_without_an_end_needs_no_timer() {
    // And so no runtime.
    let bulkhead = Bulkhead::with_queue(limit(1), 1).max_wait(Duration::MAX);
    let permit = bulkhead.try_acquire().unwrap();
    let mut acquire = waits(&bulkhead);
    drop(permit);
    assert!(came(&mut acquire).is_some());
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_woken() {
    let bulkhead = Bulkhead::with_queue(limit(1), 3);
    let start = Instant::now();
    let log = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            let (bulkhead, log) = (bulkhead.clone(), log.clone());
            tokio::spawn(async move {
                let _permit = bulkhead.acquire().await.unwrap();
                log.lock().unwrap().push((n, start.elapsed()));
                tokio::time::sleep(SECOND).await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*log.lock().unwrap(), [0, 1, 2, 3].map(|n| (n, n * SECOND)));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_woken_when_his_time_is_up_wherever_he_stands() {
    let bulkhead = Bulkhead::with_queue(limit(1), 3);
    let _permit = bulkhead.try_acquire().unwrap();
    let _first = waits(&bulkhead.clone().max_wait(60 * SECOND));
    let start = Instant::now();
    for time in [SECOND, 2 * SECOND] {
        assert_eq!(why_not(bulkhead.clone().max_wait(time).acquire()).await, Reason::MaxWait);
    }
    assert_eq!(start.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_was_polled_without_a_budget_ends_no_wait() {
    let bulkhead = Bulkhead::with_queue(limit(1), 1);
    let permit = bulkhead.try_acquire().unwrap();
    let task = tokio::spawn({
        let bulkhead = bulkhead.clone();
        async move {
            // tokio's timers wake whoever polls them then, though they are not due.
            while poll(pin!(tokio::task::consume_budget())).is_ready() {}
            bulkhead.acquire().await.map(drop)
        }
    });
    for _ in 0..5 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bulkhead.waiting(), 1);
    drop(permit);
    task.await.unwrap().unwrap();
}

#[test]
fn threads_never_have_more_than_the_limit_and_none_waits_for_ever() {
    const ROUNDS: usize = 20_000;
    let bulkhead = Bulkhead::with_queue(limit(2), 8).max_wait(Duration::MAX);
    let now = std::sync::atomic::AtomicUsize::new(0);
    let order = std::sync::atomic::Ordering::SeqCst;
    let with_permit = |permit: Permit| {
        assert!(now.fetch_add(1, order) < 2);
        now.fetch_sub(1, order);
        drop(permit);
    };
    std::thread::scope(|scope| {
        for n in 0..4 {
            let (bulkhead, with_permit) = (&bulkhead, &with_permit);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    for round in 0..ROUNDS {
                        match round % 4 {
                            0 => drop(bulkhead.try_acquire().map(with_permit)),
                            // Looks once and leaves, so that slots come to those who are gone.
                            1 if n % 2 == 0 => drop(poll(pin!(bulkhead.acquire()))),
                            _ => with_permit(bulkhead.acquire().await.unwrap()),
                        }
                    }
                });
            });
        }
    });
    assert_eq!((bulkhead.taken(), bulkhead.waiting()), (0, 0));
    assert!(bulkhead.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_and_its_errors_say_what_they_are() {
    let bulkhead = Bulkhead::with_queue(limit(1), 5).max_wait(SECOND);
    let permit = bulkhead.try_acquire().unwrap();
    let _waits = waits(&bulkhead);
    assert_eq!(
        format!("{bulkhead:?}"),
        "Bulkhead { subject: Subject(all calls), limit: 1, taken: 1, queue: 5, waiting: 1 }"
    );
    assert_eq!(format!("{permit:?}"), "Permit(all calls)");
    let full = bulkhead.try_acquire().unwrap_err();
    assert_eq!(full.to_string(), "bulkhead is full (at most 1 at once and 5 in line), nothing was sent");
    assert_eq!(Rejection::of(&full).unwrap().retry_in(), None, "nobody knows");
    assert_eq!((full.limit(), full.queue()), (limit(1), 5));
    assert_eq!(
        tokio::time::timeout(SECOND, bulkhead.acquire()).await.unwrap().unwrap_err().to_string(),
        "bulkhead was full for the 1s that a call may wait (at most 1 at once and 5 in line), nothing was sent"
    );
    let deadline = Instant::now().into_std();
    assert_eq!(
        tokio::time::timeout(SECOND, bulkhead.acquire_before(deadline))
            .await
            .unwrap()
            .unwrap_err()
            .to_string(),
        "bulkhead was full until the call's deadline (at most 1 at once and 5 in line), nothing was sent"
    );
}
