//! The line before slots that have no time in them: what is taken stays away until it is given back.

mod threads;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Wake;
use std::time::Duration;

use super::*;
use crate::Within;
use crate::wait::{Lined, Wait};

const QUEUED: u64 = 1 << 63;

struct Slots {
    /// As in a bucket: one word for what is free and for whether others wait.
    free: AtomicU64,
    /// When there would be any that are not free now.
    later: Mutex<Instant>,
}

impl Slots {
    fn line(many: u64) -> Line<Self> {
        let later = Instant::now() + Duration::from_secs(3600);
        Line::new(Self { free: AtomicU64::new(many), later: Mutex::new(later) })
    }

    fn free(&self) -> u64 {
        self.free.load(Ordering::Acquire) & !QUEUED
    }
}

impl Source for Slots {
    const CAN_BE_PUT_OFF: bool = false;

    fn take(&self, who: Who, cost: NonZeroU32) -> bool {
        let taken = |word: u64| {
            if word & QUEUED != 0 && who == Who::Newcomer {
                return None;
            }
            let left = (word & !QUEUED).checked_sub(cost.get().into())?;
            Some(word & QUEUED | left)
        };
        self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, taken).is_ok()
    }

    fn due(&self, cost: u64) -> Option<Instant> {
        Some(if cost <= self.free() { Instant::now() } else { *self.later.lock().unwrap() })
    }

    fn give_back(&self, cost: NonZeroU32) {
        self.free.fetch_add(cost.get().into(), Ordering::AcqRel);
    }

    fn set_queued(&self, queued: bool) {
        if queued {
            self.free.fetch_or(QUEUED, Ordering::AcqRel);
        } else {
            self.free.fetch_and(!QUEUED, Ordering::AcqRel);
        }
    }

    fn is_queued(&self) -> bool {
        self.free.load(Ordering::Acquire) & QUEUED != 0
    }
}

impl Lined for Arc<Line<Slots>> {
    type Source = Slots;

    fn line(&self) -> &Line<Slots> {
        self
    }
}

/// A task that remembers whether it was woken.
#[derive(Default)]
struct Task(AtomicBool);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Task {
    /// Since it was last asked.
    fn was_woken(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

/// Somebody in line.
struct Somebody {
    place: Place,
    task: Arc<Task>,
}

impl Somebody {
    /// `None` if he found what he needs.
    fn joins<S: Source>(line: &Line<S>, cost: NonZeroU32) -> Option<Self> {
        let task = Arc::<Task>::default();
        let joined = line.join(cost, None, &Context::from_waker(&task.clone().into()));
        let place = joined.expect("he waits for ever")?;
        Some(Self { place, task })
    }

    fn has_come<S: Source>(&self, line: &Line<S>) -> bool {
        line.poll(&self.place, &Context::from_waker(&self.task.clone().into())) == Turn::Came
    }
}

/// Slots between whose steps somebody else does something, once.
struct Interrupted {
    slots: Slots,
    /// Before which of the calls from now on, and what.
    meanwhile: Mutex<Option<(usize, Meanwhile)>>,
}

type Meanwhile = Box<dyn FnOnce(&Slots) + Send>;

impl Interrupted {
    fn line() -> Line<Self> {
        let (slots, meanwhile) = (Slots::line(0).source, Mutex::default());
        Line::new(Self { slots, meanwhile })
    }

    fn step(&self) -> &Slots {
        let mut meanwhile = self.meanwhile.lock().unwrap();
        let now = meanwhile.take_if(|(steps, _)| *steps == 0);
        if let Some((steps, _)) = &mut *meanwhile {
            *steps -= 1;
        }
        drop(meanwhile);
        if let Some((_, happens)) = now {
            happens(&self.slots);
        }
        &self.slots
    }
}

impl Source for Interrupted {
    const CAN_BE_PUT_OFF: bool = false;

    fn take(&self, who: Who, cost: NonZeroU32) -> bool {
        self.step().take(who, cost)
    }

    fn due(&self, cost: u64) -> Option<Instant> {
        self.step().due(cost)
    }

    fn give_back(&self, cost: NonZeroU32) {
        self.step().give_back(cost);
    }

    fn set_queued(&self, queued: bool) {
        self.step().set_queued(queued);
    }

    fn is_queued(&self) -> bool {
        self.step().is_queued()
    }
}

const ONE: NonZeroU32 = NonZeroU32::MIN;

#[test]
fn who_joins_while_something_is_given_back_has_it() {
    for step in 0..2 {
        let line = Arc::new(Interrupted::line());
        let joined = Arc::new(Mutex::new(None));
        let joins: Meanwhile = {
            let (line, joined) = (line.clone(), joined.clone());
            Box::new(move |_| *joined.lock().unwrap() = Some(Somebody::joins(&line, ONE)))
        };
        *line.source.meanwhile.lock().unwrap() = Some((step, joins));
        line.give_back(ONE);
        let somebody = joined.lock().unwrap().take().expect("he came in between");
        assert!(somebody.is_none_or(|somebody| somebody.task.was_woken()), "{step}");
        assert_eq!((line.source.slots.free(), line.waiting()), (0, 0), "{step}");
    }
}

#[test]
fn what_is_given_back_while_somebody_joins_is_his() {
    // So many steps has a join before an empty bucket.
    for step in 0..3 {
        let line = Interrupted::line();
        let looks = Arc::<AtomicBool>::default();
        let gives_back: Meanwhile = {
            let looks = looks.clone();
            Box::new(move |slots| {
                slots.give_back(ONE);
                looks.store(slots.is_queued(), Ordering::Release);
            })
        };
        *line.source.meanwhile.lock().unwrap() = Some((step, gives_back));
        let somebody = Somebody::joins(&line, ONE);
        assert!(line.source.meanwhile.lock().unwrap().is_none());
        // That thread had to wait for the line until now.
        if looks.load(Ordering::Acquire) {
            line.look();
        }
        assert!(somebody.is_none_or(|somebody| somebody.task.was_woken()), "{step}");
        assert_eq!((line.source.slots.free(), line.waiting()), (0, 0), "{step}");
    }
}

#[test]
fn while_nobody_waits_no_lock_is_taken() {
    let line = Arc::new(Slots::line(1));
    let _held = line.lock();
    // Who took it would stand here for ever.
    assert!(line.take(ONE));
    line.give_back(ONE);
    line.look();
    let mut wait = Wait::New(line.clone());
    assert!(wait.poll(ONE, Within::default(), &mut Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn who_looks_himself_is_not_woken() {
    let line = Slots::line(0);
    let somebody = Somebody::joins(&line, ONE).unwrap();
    *line.source().later.lock().unwrap() -= Duration::from_secs(60);
    assert!(!somebody.has_come(&line) && !somebody.task.was_woken(), "he knows that it is earlier");
    line.look();
    assert!(!somebody.task.was_woken(), "he was told");
    *line.source().later.lock().unwrap() -= Duration::from_secs(60);
    line.look();
    assert!(somebody.task.was_woken());
    line.source().give_back(ONE);
    assert!(somebody.has_come(&line) && !somebody.task.was_woken());
}

#[test]
fn who_looks_serves_those_before_him_and_wakes_them() {
    let line = Slots::line(0);
    let [first, second] = [(); 2].map(|()| Somebody::joins(&line, ONE).unwrap());
    line.source().give_back(ONE);
    assert!(!second.has_come(&line));
    assert!(first.task.was_woken() && first.has_come(&line));
}

#[test]
fn who_moves_up_looks_at_once_when_it_is_enough_for_him() {
    let line = Slots::line(1);
    let dear = Somebody::joins(&line, ONE.saturating_add(1)).unwrap();
    let cheap = Somebody::joins(&line, ONE).unwrap();
    line.look();
    assert!(!cheap.task.was_woken(), "he passes nobody");
    assert!(!dear.task.was_woken(), "it is as he was told");
    line.leave(&dear.place);
    assert!(cheap.task.was_woken() && cheap.has_come(&line));
}

#[test]
fn who_is_refused_leaves_the_line_as_it_was() {
    let line = Slots::line(0);
    let cx = Context::from_waker(Waker::noop());
    let refused = || line.join(ONE, Some(Instant::now()), &cx).unwrap_err();
    assert_eq!(refused(), Refused::Late(*line.source().later.lock().unwrap()));
    assert!(!line.source().is_queued(), "or nobody would find anything from now on");
    let somebody = Somebody::joins(&line, ONE).unwrap();
    refused();
    assert!(line.source().is_queued(), "or the next would pass him");
    line.leave(&somebody.place);
    assert!(!line.source().is_queued());
}

#[test]
fn who_was_put_off_is_woken_when_it_is_earlier_again() {
    let line = Slots::line(0);
    let later = |seconds| {
        let later = Instant::now() + Duration::from_secs(seconds);
        *line.source().later.lock().unwrap() = later;
        later
    };
    later(0);
    let somebody = Somebody::joins(&line, ONE).unwrap();
    let put_off = later(3600);
    assert_eq!(line.poll(&somebody.place, &Context::from_waker(Waker::noop())), Turn::Later(Some(put_off)));
    assert!(!somebody.has_come(&line));
    later(1800);
    line.look();
    assert!(somebody.task.was_woken());
}

#[test]
fn who_waits_is_woken_as_he_last_asked_to_be() {
    let line = Slots::line(0);
    let mut somebody = Somebody::joins(&line, ONE).unwrap();
    let before = std::mem::take(&mut somebody.task);
    assert!(!somebody.has_come(&line));
    line.give_back(ONE);
    assert!(somebody.task.was_woken() && !before.was_woken());
}

#[test]
fn nothing_is_kept_of_one_whose_time_was_up_once_he_has_left() {
    let line = Line::new(crate::bulkhead::slots::Slots::new(std::num::NonZeroUsize::MIN, 1));
    assert!(line.take(ONE));
    let cx = Context::from_waker(Waker::noop());
    let place = line.join(ONE, Some(Instant::now()), &cx).unwrap().unwrap();
    assert_eq!(line.poll(&place, &cx), Turn::Never);
    assert_eq!(line.poll(&place, &cx), Turn::Never, "until he leaves");
    line.leave(&place);
    assert!(line.lock().out.is_empty());
}
