//! Polling by hand, with an eye on who holds the waker.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use super::{
    Probe,
    rule::{Rule, Violation},
};

/// Polls of one future, or of one readiness, before it is said to hang.
const MAX_POLLS: usize = 2_000;
/// Wake-ups from within a poll with nothing gained, before it is a busy loop.
const MAX_SELF_WAKES: usize = 3;
/// The same for wake-ups by tasks that the layer spawned, which have work of their own to do.
const MAX_STIRS: usize = 64;
/// Polls of something that nobody wakes, to see whether it could go on.
const OUT_OF_TURN: usize = 16;
/// How far the clock is turned for something that nothing else wakes.
const HORIZON: Duration = Duration::from_secs(3_600);

/// Drives one future, or one readiness, to its end.
#[derive(Debug)]
pub(super) struct Driver<'a> {
    probe: &'a Probe,
    /// The waker of the last poll, if that was pending.
    waiting: Option<Arc<Flag>>,
    polls: usize,
    self_wakes: usize,
    stirs: usize,
    /// Calls that the inner had got when it was last looked at: each one is a step forward.
    calls: usize,
}

impl<'a> Driver<'a> {
    pub(super) fn new(probe: &'a Probe) -> Self {
        Self { probe, waiting: None, polls: 0, self_wakes: 0, stirs: 0, calls: probe.calls() }
    }

    pub(super) async fn finish<T>(
        mut self,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Result<T, Violation> {
        loop {
            self.progress(&mut poll).await?;
            if let Poll::Ready(value) = self.poll(&mut poll)? {
                return Ok(value);
            }
        }
    }

    /// Polls once, each time with a waker of its own: only the last one counts.
    pub(super) fn poll<T>(
        &mut self,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Result<Poll<T>, Violation> {
        self.polls += 1;
        if self.polls > MAX_POLLS {
            return Err(Violation::new(Rule::Hangs, format!("still pending after {MAX_POLLS} polls")));
        }
        let flag = Arc::new(Flag::default());
        let polled = {
            let waker = Waker::from(Arc::clone(&flag));
            poll(&mut Context::from_waker(&waker))
        };
        if polled.is_ready() {
            self.waiting = None;
            return Ok(polled);
        }
        let calls = self.probe.calls();
        if calls != self.calls {
            self.calls = calls;
            (self.self_wakes, self.stirs) = (0, 0);
        }
        if flag.is_woken() {
            self.self_wakes += 1;
            if self.self_wakes > MAX_SELF_WAKES {
                let detail = "woke its own task again and again while neither inner nor clock had moved";
                return Err(Violation::new(Rule::BusyLoop, detail));
            }
        } else if Arc::strong_count(&flag) == 1 {
            let detail = "returned Pending and nobody holds the waker of that poll";
            return Err(Violation::new(Rule::LostWakeUp, detail));
        }
        self.waiting = Some(flag);
        Ok(polled)
    }

    /// Lets the world go on until the last pending poll was woken.
    pub(super) async fn progress<T>(
        &mut self,
        poll: &mut impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Result<(), Violation> {
        let Some(flag) = self.waiting.clone() else { return Ok(()) };
        if flag.is_woken() {
            return Ok(());
        }
        let_tasks_run().await;
        if flag.is_woken() {
            self.stirs += 1;
            if self.stirs > MAX_STIRS {
                let detail =
                    "was woken by its own tasks again and again while neither inner nor clock had moved";
                return Err(Violation::new(Rule::BusyLoop, detail));
            }
            return Ok(());
        }
        (self.self_wakes, self.stirs) = (0, 0);
        if self.let_inner_answer(&flag).await || let_time_pass(&flag).await {
            return Ok(());
        }
        Err(self.why_nothing_moves(poll))
    }

    /// Nobody woke the task. If a few polls out of turn get to the end, somebody should have.
    fn why_nothing_moves<T>(&self, poll: &mut impl FnMut(&mut Context<'_>) -> Poll<T>) -> Violation {
        for _ in 0..OUT_OF_TURN {
            if poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                let detail = "could have gone on, as polls out of turn showed, but was not woken";
                return Violation::new(Rule::LostWakeUp, detail);
            }
            self.probe.release();
        }
        Violation::new(Rule::Hangs, "pending while the inner waits for nothing and an hour went by")
    }

    async fn let_inner_answer(&self, flag: &Flag) -> bool {
        for _ in 0..MAX_STIRS {
            if !self.probe.release() {
                return false;
            }
            let_tasks_run().await;
            if flag.is_woken() {
                return true;
            }
        }
        false
    }
}

/// Turns the clock by a tenth of what has been waited, so that timers fire in their order, in two hundred steps at most.
async fn let_time_pass(flag: &Flag) -> bool {
    let mut waited = Duration::ZERO;
    while waited < HORIZON {
        let step = (waited / 10).max(Duration::from_millis(1));
        tokio::time::advance(step).await;
        let_tasks_run().await;
        if flag.is_woken() {
            return true;
        }
        waited += step;
    }
    false
}

/// Gives tasks that a layer or a buffer spawned their turn.
pub(super) async fn let_tasks_run() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

#[derive(Debug, Default)]
struct Flag(AtomicBool);

impl Flag {
    fn is_woken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
