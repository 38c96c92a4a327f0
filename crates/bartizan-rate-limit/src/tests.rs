//! The engine as a whole, in paused time.

use std::future::Future;
use std::num::NonZeroU32;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan_core::{Chance, Rejection};
use tokio::time::{Instant, advance};

use super::*;

mod feedback;
mod layer;
mod model;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

const ONE: NonZeroU32 = NonZeroU32::MIN;

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn quota(tokens: u32, burst: u32) -> Quota {
    Quota::per_second(tokens).unwrap().burst(burst).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_full_bucket_is_had_at_once_and_then_one_after_each_interval() {
    let limiter = RateLimiter::new(quota(10, 5));
    let start = Instant::now();
    for _ in 0..5 {
        let _ = limiter.try_acquire(ONE).unwrap();
    }
    assert_eq!(limiter.tokens(), 0);
    let refused = limiter.try_acquire(ONE).unwrap_err();
    assert_eq!((refused.reason(), refused.retry_in()), (Reason::Quota, Some(100 * MILLI)));
    for n in 1..=30 {
        let _ = limiter.acquire(ONE).await.unwrap();
        assert_eq!(start.elapsed(), n * 100 * MILLI);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_refusal_says_is_exact() {
    let limiter = RateLimiter::new(quota(10, 5));
    let _ = limiter.try_acquire(number(5)).unwrap();
    for cost in 1..=5 {
        advance(Duration::from_nanos(77)).await;
        let wait = limiter.try_acquire(number(cost)).unwrap_err().retry_in().unwrap();
        advance(wait - Duration::from_nanos(1)).await;
        let last = limiter.try_acquire(number(cost)).unwrap_err();
        assert_eq!(last.retry_in(), Some(Duration::from_nanos(1)));
        advance(Duration::from_nanos(1)).await;
        let _ = limiter.try_acquire(number(cost)).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_holds_no_more_than_its_burst() {
    let limiter = RateLimiter::new(quota(10, 5));
    advance(3600 * SECOND).await;
    assert_eq!(limiter.tokens(), 5);
    let _ = limiter.try_acquire(number(5)).unwrap();
    assert!(limiter.try_acquire(ONE).is_err());
    advance(499 * MILLI).await;
    assert_eq!(limiter.tokens(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_cost_above_the_burst_is_an_error_at_once() {
    let limiter = RateLimiter::new(quota(10, 5));
    for refused in
        [limiter.try_acquire(number(6)).unwrap_err(), limiter.acquire(number(u32::MAX)).await.unwrap_err()]
    {
        assert_eq!((refused.reason(), refused.retry_in()), (Reason::Cost, None));
    }
    assert_eq!(limiter.tokens(), 5, "nothing was taken");
}

#[tokio::test(start_paused = true)]
async fn a_cost_that_no_arithmetic_holds_is_an_error_too() {
    let limiter = RateLimiter::new(Quota::new(1, 400 * 86_400 * SECOND).unwrap());
    assert_eq!(limiter.try_acquire(number(u32::MAX)).unwrap_err().reason(), Reason::Cost);
}

#[tokio::test(start_paused = true)]
async fn when_the_next_token_comes_is_exact() {
    let limiter = RateLimiter::new(quota(10, 5));
    assert_eq!(limiter.left().next, None, "it is full");
    let _ = limiter.try_acquire(number(5)).unwrap();
    for (passes, next) in [(0, 100), (30, 70), (69, 1), (1, 100)] {
        advance(passes * MILLI).await;
        assert_eq!(limiter.left().next, Some(next * MILLI));
    }
    advance(Duration::from_nanos(99_999_999)).await;
    assert_eq!((limiter.left().next, limiter.tokens()), (Some(Duration::from_nanos(1)), 1));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_is_refused_at_once() {
    let limiter = RateLimiter::new(quota(1, 1)).max_wait(2 * SECOND);
    let _ = limiter.try_acquire(ONE).unwrap();
    let start = Instant::now();
    let mut first = pin!(limiter.acquire(ONE));
    let mut second = pin!(limiter.acquire(ONE));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    let refused = limiter.acquire(ONE).await.unwrap_err();
    assert_eq!((refused.reason(), refused.retry_in()), (Reason::MaxWait, Some(3 * SECOND)));
    let soon = Instant::now() + 1999 * MILLI;
    let refused = limiter.acquire_before(ONE, soon.into_std()).await.unwrap_err();
    assert_eq!((refused.reason(), refused.retry_in()), (Reason::Deadline, Some(3 * SECOND)));
    let refused = limiter.clone().max_wait(Duration::ZERO).acquire(ONE).await.unwrap_err();
    assert_eq!((refused.reason(), refused.retry_in()), (Reason::Quota, Some(3 * SECOND)));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(limiter.waiting(), 2);
    let _ = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(start.elapsed(), 2 * SECOND, "exactly as long as allowed");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_met_exactly_is_met() {
    let limiter = RateLimiter::new(quota(1, 1));
    let _ = limiter.try_acquire(ONE).unwrap();
    let deadline = Instant::now() + SECOND;
    let _ = limiter.acquire_before(ONE, deadline.into_std()).await.unwrap();
    let late = deadline + SECOND - Duration::from_nanos(1);
    let refused = limiter.acquire_before(ONE, late.into_std()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::Deadline);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_deadline_only_if_that_is_missed() {
    let limiter = RateLimiter::new(quota(1, 1)).max_wait(500 * MILLI);
    let _ = limiter.try_acquire(ONE).unwrap();
    for (left, reason) in
        [(999 * MILLI, Reason::Deadline), (SECOND, Reason::MaxWait), (9 * SECOND, Reason::MaxWait)]
    {
        let deadline = Instant::now() + left;
        let refused = limiter.acquire_before(ONE, deadline.into_std()).await.unwrap_err();
        assert_eq!(refused.reason(), reason, "{left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_passes_those_who_wait() {
    let limiter = RateLimiter::new(quota(10, 10));
    let _ = limiter.try_acquire(number(10)).unwrap();
    let mut big = pin!(limiter.acquire(number(10)));
    assert!(poll(big.as_mut()).is_pending());
    advance(500 * MILLI).await;
    assert_eq!(limiter.tokens(), 5);
    let refused = limiter.try_acquire(ONE).unwrap_err();
    assert_eq!(refused.retry_in(), Some(600 * MILLI), "behind the big one");
    let mut small = pin!(limiter.acquire(ONE));
    assert!(poll(small.as_mut()).is_pending());
    advance(500 * MILLI).await;
    assert!(poll(small.as_mut()).is_pending());
    assert!(poll(big.as_mut()).is_ready());
    advance(100 * MILLI).await;
    assert!(poll(small.as_mut()).is_ready());
}

#[tokio::test(start_paused = true)]
async fn who_was_never_polled_does_not_stand_in_line() {
    let limiter = RateLimiter::new(quota(1, 1));
    let _ = limiter.try_acquire(ONE).unwrap();
    let unpolled = limiter.acquire(ONE);
    assert_eq!(limiter.waiting(), 0);
    let start = Instant::now();
    let _ = limiter.acquire(ONE).await.unwrap();
    assert_eq!(start.elapsed(), SECOND);
    drop(unpolled);
    let refused = limiter.try_acquire(ONE).unwrap_err();
    assert_eq!(refused.retry_in(), Some(SECOND), "nothing was given back that was not taken");
}

#[tokio::test(start_paused = true)]
async fn who_leaves_makes_the_others_move_up() {
    let limiter = RateLimiter::new(quota(1, 1));
    let _ = limiter.try_acquire(ONE).unwrap();
    let start = Instant::now();
    let mut leaving: Vec<_> = (0..3).map(|_| Box::pin(limiter.acquire(ONE))).collect();
    for future in &mut leaving {
        assert!(poll(future.as_mut()).is_pending());
    }
    let mut last = pin!(limiter.acquire(ONE));
    assert!(poll(last.as_mut()).is_pending());
    assert_eq!(limiter.try_acquire(ONE).unwrap_err().retry_in(), Some(5 * SECOND));
    // Not the first, so that no head changes.
    drop(leaving.remove(1));
    assert_eq!(limiter.try_acquire(ONE).unwrap_err().retry_in(), Some(4 * SECOND));
    drop(leaving);
    assert_eq!(limiter.waiting(), 1);
    let _ = last.await.unwrap();
    assert_eq!(start.elapsed(), SECOND, "its timer was set anew");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_came_and_was_not_fetched_is_given_back() {
    let limiter = RateLimiter::new(quota(1, 1));
    let _ = limiter.try_acquire(ONE).unwrap();
    let mut first = Box::pin(limiter.acquire(ONE));
    let mut second = Box::pin(limiter.acquire(ONE));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    advance(SECOND).await;
    assert!(poll(second.as_mut()).is_pending());
    assert_eq!(limiter.waiting(), 1, "the token is the first one's, whoever looked");
    drop(first);
    assert!(poll(second.as_mut()).is_ready());
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_goes_to_the_first_in_line() {
    let limiter = RateLimiter::new(quota(1, 2));
    let taken = limiter.try_acquire(number(2)).unwrap();
    let start = Instant::now();
    let waiting = tokio::spawn({
        let limiter = limiter.clone();
        async move { limiter.acquire(number(2)).await.map(drop) }
    });
    tokio::task::yield_now().await;
    taken.give_back();
    waiting.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    let taken = limiter.clone().max_wait(Duration::MAX).acquire(ONE).await.unwrap();
    taken.give_back();
    assert_eq!(limiter.tokens(), 1);
}

#[tokio::test(start_paused = true)]
async fn more_than_a_full_bucket_is_never_given_back() {
    let limiter = RateLimiter::new(quota(1, 2));
    let taken = limiter.try_acquire(number(2)).unwrap();
    advance(10 * SECOND).await;
    taken.give_back();
    assert_eq!(limiter.tokens(), 2);
    let _ = limiter.try_acquire(number(2)).unwrap();
    assert!(limiter.try_acquire(ONE).is_err());
}

#[tokio::test(start_paused = true)]
async fn one_who_is_not_polled_holds_up_nobody_for_longer_than_he_was_told() {
    let limiter = RateLimiter::new(quota(1, 1));
    let _ = limiter.try_acquire(ONE).unwrap();
    let start = Instant::now();
    let mut idle = Box::pin(limiter.acquire(ONE));
    assert!(poll(idle.as_mut()).is_pending());
    let _ = limiter.acquire(ONE).await.unwrap();
    assert_eq!(start.elapsed(), 2 * SECOND);
    assert!(poll(idle.as_mut()).is_ready(), "it has its token");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_wait_in_order_and_a_tenth_leaves() {
    let chance = Chance::from_seed(1);
    let limiter = RateLimiter::new(quota(50, 1)).max_wait(Duration::MAX);
    let _ = limiter.try_acquire(ONE).unwrap();
    let start = Instant::now();
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for n in 0..1000 {
        let (limiter, log) = (limiter.clone(), log.clone());
        tasks.push(tokio::spawn(async move {
            let _ = limiter.acquire(ONE).await.unwrap();
            log.lock().unwrap().push((n, start.elapsed()));
        }));
        tokio::task::yield_now().await;
    }
    assert_eq!(limiter.waiting(), 1000);
    let leaving: Vec<bool> = (0..1000).map(|_| chance.unit() < 0.1).collect();
    for (task, leaves) in tasks.iter().zip(&leaving) {
        if *leaves {
            task.abort();
        }
    }
    for (task, leaves) in tasks.into_iter().zip(&leaving) {
        assert_eq!(task.await.is_err(), *leaves);
    }
    let log = log.lock().unwrap();
    let stayed: Vec<usize> = (0..1000).filter(|n| !leaving[*n]).collect();
    assert!((850..950).contains(&stayed.len()));
    let expected: Vec<_> = stayed.iter().zip(1..).map(|(n, nth)| (*n, nth * 20 * MILLI)).collect();
    assert_eq!(*log, expected);
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_no_millisecond_divides_is_kept_where_a_token_may_be_saved() {
    let limiter = RateLimiter::new(quota(300, 2)).max_wait(Duration::MAX);
    let _ = limiter.try_acquire(number(2)).unwrap();
    let start = Instant::now();
    for _ in 0..3000 {
        let _ = limiter.acquire(ONE).await.unwrap();
    }
    let took = start.elapsed();
    assert!(took >= 10 * SECOND && took <= 10 * SECOND + 2 * MILLI, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn who_was_let_into_the_line_is_not_refused_because_timers_are_late() {
    // A token each 3.33 ms, but timers ring on the millisecond.
    let limiter = RateLimiter::new(quota(300, 1)).max_wait(100 * MILLI);
    let _ = limiter.try_acquire(ONE).unwrap();
    let start = Instant::now();
    let mut waiting: Vec<_> = (0..29).map(|_| Box::pin(limiter.acquire(ONE))).collect();
    for acquire in &mut waiting {
        assert!(poll(acquire.as_mut()).is_pending());
    }
    for acquire in waiting {
        let _ = acquire.await.unwrap();
    }
    assert!(start.elapsed() > 100 * MILLI, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_limiter_and_its_errors_say_what_they_are() {
    let limiter = RateLimiter::new(quota(10, 5)).max_wait(SECOND);
    assert_eq!(
        format!("{limiter:?}"),
        "RateLimiter { subject: Subject(all calls), quota: Quota(10 per 1s, at most 5 at once), tokens: 5, waiting: 0 }"
    );
    assert_eq!(
        limiter.try_acquire(number(6)).unwrap_err().to_string(),
        "rate limit never lets through a cost of 6 (10 per 1s, at most 5 at once), nothing was sent"
    );
    let _ = limiter.try_acquire(number(5)).unwrap();
    let refused = limiter.try_acquire(ONE).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "rate limit is used up (10 per 1s, at most 5 at once), nothing was sent; may be tried again in 100ms"
    );
    assert_eq!(Rejection::of(&refused).unwrap().retry_in(), refused.retry_in());
    let mut others: Vec<_> = (0..2).map(|_| Box::pin(limiter.acquire(number(5)))).collect();
    for other in &mut others {
        assert!(poll(other.as_mut()).is_pending());
    }
    assert_eq!(
        limiter.acquire(number(5)).await.unwrap_err().to_string(),
        "rate limit is used up for longer than the 1s that a call may wait, nothing was sent; may be tried again in 1.5s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_limiter_is_idle_once_it_is_as_good_as_new() {
    let limiter = RateLimiter::new(quota(1, 2));
    assert!(limiter.is_idle());
    let _ = limiter.try_acquire(number(2)).unwrap();
    assert!(!limiter.is_idle());
    advance(2 * SECOND - Duration::from_nanos(1)).await;
    assert!(!limiter.is_idle());
    advance(Duration::from_nanos(1)).await;
    assert!(limiter.is_idle());
}
