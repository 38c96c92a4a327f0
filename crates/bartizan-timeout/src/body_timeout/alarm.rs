use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use tokio::time::Instant;

/// Stands between a body and the task that reads it, and notes when the body woke the task: what came then may be fetched
/// much later, and that is the caller's time.
#[derive(Debug)]
pub(super) struct Alarm {
    note: Arc<Note>,
    waker: Waker,
}

#[derive(Debug)]
struct Note(Mutex<State>);

#[derive(Debug)]
struct State {
    task: Waker,
    rang: Option<Instant>,
}

impl Alarm {
    pub(super) fn new(task: &Waker) -> Self {
        let note = Arc::new(Note(Mutex::new(State { task: task.clone(), rang: None })));
        Self { waker: note.clone().into(), note }
    }

    /// What the body is to be polled with.
    pub(super) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// When it first rang since it was last set, and sets it for this task.
    pub(super) fn set(&self, task: &Waker) -> Option<Instant> {
        let (rang, _dropped_outside_the_lock) = self.note.with(|state| {
            let old = if state.task.will_wake(task) {
                None
            } else {
                Some(mem::replace(&mut state.task, task.clone()))
            };
            (state.rang.take(), old)
        });
        rang
    }
}

impl Note {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let now = Instant::now();
        let task = self.with(|state| {
            state.rang.get_or_insert(now);
            state.task.clone()
        });
        // Outside the lock: it may run the task at once.
        task.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;

    #[derive(Default)]
    struct Task(AtomicU32);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_tells_when_it_first_rang_once() {
        let task = Waker::from(Arc::new(Task::default()));
        let (alarm, start) = (Alarm::new(&task), Instant::now());
        let body = alarm.context().waker().clone();
        body.wake_by_ref();
        tokio::time::advance(Duration::from_secs(1)).await;
        body.wake();
        assert_eq!(alarm.set(&task), Some(start));
        assert_eq!(alarm.set(&task), None);
    }

    #[test]
    fn it_wakes_the_task_that_was_there_last() {
        let (first, second) = (Arc::new(Task::default()), Arc::new(Task::default()));
        let alarm = Alarm::new(&first.clone().into());
        let body = alarm.context().waker().clone();
        body.wake_by_ref();
        alarm.set(&second.clone().into());
        body.wake_by_ref();
        assert_eq!((first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed)), (1, 1));
    }
}
