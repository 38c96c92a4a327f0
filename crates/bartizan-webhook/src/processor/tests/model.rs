//! Random handlers over an inbox that fails at random, with runs that are dropped and shut down at random.

use std::collections::{BTreeMap, HashSet};
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use bartizan_core::Chance;
use tokio::time::{Instant, sleep, timeout};

use crate::inbox::{
    Claim, Claims, DeadLetter, EntryId, Event, Inbox, InboxError, InboxFuture, Lease, Progress, Put,
    Settlement, Stats, VolatileInbox,
};
use crate::processor::{Failure, Processor, Schedule};

use super::support::{SECOND, clock, settle, start};

const HANDLERS: [&str; 3] = ["one", "two", "three"];

/// What the inbox has noted, and what the handlers did.
#[derive(Default)]
struct World {
    events: BTreeMap<u64, Seen>,
    wrong: Vec<String>,
}

#[derive(Default)]
struct Seen {
    order_key: Option<u64>,
    running: usize,
    /// Came to their end.
    ended: HashSet<&'static str>,
    /// The inbox knows that they are done.
    noted: HashSet<String>,
    is_over: bool,
}

impl World {
    fn begins(&mut self, id: u64, name: &'static str) {
        let key = self.events[&id].order_key;
        let before =
            self.events.iter().filter(|(other, seen)| **other < id && key.is_some() && seen.order_key == key);
        let overtaken: Vec<_> = before.filter(|(_, seen)| !seen.is_over).map(|(other, _)| *other).collect();
        let seen = self.events.get_mut(&id).expect("it was put");
        seen.running += 1;
        let wrong = [
            (seen.noted.contains(name), "is noted as done"),
            (seen.running > 1, "runs beside another"),
            (seen.is_over, "runs after the end"),
            (!overtaken.is_empty(), "overtakes"),
        ];
        let wrong = wrong.into_iter().filter(|(is_wrong, _)| *is_wrong);
        self.wrong.extend(wrong.map(|(_, what)| format!("event {id}: {name} {what} {overtaken:?}")));
    }

    fn note(&mut self, id: EntryId, progress: &Progress) {
        self.events.get_mut(&id.get()).expect("it was put").noted.extend(progress.done.iter().cloned());
    }
}

/// Ends with the handler, however that ends.
struct Running {
    world: Arc<Mutex<World>>,
    id: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        locked(&self.world).events.get_mut(&self.id).expect("it was put").running -= 1;
    }
}

fn locked(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap()
}

#[derive(Clone)]
struct Chaos {
    inner: VolatileInbox,
    world: Arc<Mutex<World>>,
    chance: Chance,
    /// How likely a call goes wrong.
    faults: Arc<Mutex<f64>>,
}

impl Chaos {
    /// Does what it is asked for, or half of it.
    fn call<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce() -> InboxFuture<'a, T> + Send + 'a,
    ) -> InboxFuture<'a, T> {
        let faulty = self.chance.unit() < *self.faults.lock().unwrap();
        let kind = faulty.then(|| self.chance.next_u64() % 6);
        Box::pin(async move {
            match kind {
                None => work().await,
                Some(0) => Err(InboxError::unavailable("the disk is full")),
                Some(1) => {
                    work().await?;
                    Err(InboxError::unavailable("the answer was lost"))
                }
                Some(2) => {
                    work().await?;
                    pending().await
                }
                Some(3) => pending().await,
                Some(4) => Err(InboxError::lease_lost()),
                Some(_) => {
                    sleep(Duration::from_millis(self.chance.next_u64() % 8000)).await;
                    work().await
                }
            }
        })
    }
}

impl Inbox for Chaos {
    fn put(&self, event: Event) -> InboxFuture<'_, Put> {
        self.inner.put(event)
    }

    fn claim(&self, claim: Claim) -> InboxFuture<'_, Claims> {
        self.call(move || self.inner.claim(claim))
    }

    fn extend(&self, lease: Lease, now: SystemTime, duration: Duration) -> InboxFuture<'_, ()> {
        self.call(move || self.inner.extend(lease, now, duration))
    }

    fn progress(&self, lease: Lease, progress: Progress) -> InboxFuture<'_, ()> {
        self.call(move || {
            Box::pin(async move {
                self.inner.progress(lease, progress.clone()).await?;
                locked(&self.world).note(lease.id, &progress);
                Ok(())
            })
        })
    }

    fn settle(&self, lease: Lease, settlement: Settlement) -> InboxFuture<'_, ()> {
        self.call(move || {
            Box::pin(async move {
                self.inner.settle(lease, settlement.clone()).await?;
                let mut world = locked(&self.world);
                match &settlement {
                    Settlement::Retry { progress, .. } | Settlement::Release { progress } => {
                        world.note(lease.id, progress);
                    }
                    Settlement::Dead { progress, .. } => {
                        world.note(lease.id, progress);
                        world.events.get_mut(&lease.id.get()).expect("it was put").is_over = true;
                    }
                    Settlement::Done => {
                        let seen = world.events.get_mut(&lease.id.get()).expect("it was put");
                        seen.is_over = true;
                        seen.noted.extend(HANDLERS.map(str::to_owned));
                    }
                }
                Ok(())
            })
        })
    }

    fn dead(&self, after: Option<EntryId>, most: usize) -> InboxFuture<'_, Vec<DeadLetter>> {
        self.inner.dead(after, most)
    }

    fn dead_letter(&self, id: EntryId) -> InboxFuture<'_, Option<DeadLetter>> {
        self.inner.dead_letter(id)
    }

    fn redrive(&self, ids: Vec<EntryId>, now: SystemTime) -> InboxFuture<'_, usize> {
        self.inner.redrive(ids, now)
    }

    fn drop_dead(&self, ids: Vec<EntryId>) -> InboxFuture<'_, usize> {
        self.inner.drop_dead(ids)
    }

    fn stats(&self, now: SystemTime) -> InboxFuture<'_, Stats> {
        self.inner.stats(now)
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.inner.changed()
    }
}

/// What a handler does this time.
async fn does(chance: &Chance) -> Result<(), Failure> {
    match chance.next_u64() % 12 {
        0..=3 => Ok(()),
        4 | 5 => {
            sleep(Duration::from_millis(chance.next_u64() % 7000)).await;
            Ok(())
        }
        6 => Err(Failure::Skip),
        7 => Err("busy".into()),
        8 => Err(Failure::retry_after(Duration::from_secs(chance.next_u64() % 10), "busy")),
        9 => Err(Failure::permanent("gone")),
        10 => panic!("a bug"),
        _ => pending().await,
    }
}

fn processor(chance: &Chance, world: &Arc<Mutex<World>>, began: Instant) -> Processor {
    let concurrency = 1 + (chance.next_u64() % 4) as usize;
    let mut builder = Processor::builder()
        .wall_clock(clock(began))
        .chance(chance.clone())
        .schedule(Schedule::new([2, 5, 20].map(Duration::from_secs)).unwrap().chance(chance.clone()))
        .concurrency(concurrency.try_into().unwrap())
        .lease(6 * SECOND)
        .handler_timeout(8 * SECOND)
        .grace(3 * SECOND);
    for name in HANDLERS {
        let (chance, world) = (chance.clone(), Arc::clone(world));
        builder = builder.on_named("*", name, move |event| {
            let (chance, world) = (chance.clone(), Arc::clone(&world));
            async move {
                let id = std::str::from_utf8(event.body())?.parse()?;
                locked(&world).begins(id, name);
                let running = Running { world: Arc::clone(&world), id };
                let result = does(&chance).await;
                if matches!(result, Ok(()) | Err(Failure::Skip)) {
                    locked(&world).events.get_mut(&id).expect("it was put").ended.insert(name);
                }
                drop(running);
                result
            }
        });
    }
    builder.build().unwrap()
}

/// What was wrong, if anything.
async fn history(seed: u64) -> Vec<String> {
    let (chance, began) = (Chance::from_seed(seed), Instant::now());
    let world = Arc::new(Mutex::new(World::default()));
    let faults = Arc::new(Mutex::new(0.3 * chance.unit()));
    let inner = VolatileInbox::new();
    let chaos =
        Chaos { inner, world: Arc::clone(&world), chance: chance.clone(), faults: Arc::clone(&faults) };
    for id in 1..=1 + chance.next_u64() % 10 {
        let order_key = [None, Some(1), Some(2)][(chance.next_u64() % 3) as usize];
        locked(&world).events.insert(id, Seen { order_key, ..Seen::default() });
        let event = Event::new("billing", "a", start(), id.to_string());
        let event = order_key.into_iter().fold(event, |event, key| event.with_order_key(key.to_string()));
        assert_eq!(chaos.put(event).await.unwrap(), Put::New(EntryId::new(id)));
    }
    for _ in 0..chance.next_u64() % 6 {
        let lasts = Duration::from_millis(chance.next_u64() % 40_000);
        let run = || processor(&chance, &world, began).run(chaos.clone(), sleep(lasts));
        match chance.next_u64() % 3 {
            0 => run().await,
            1 => drop(tokio::join!(run(), run())),
            _ => drop(timeout(lasts / 2, run()).await),
        }
        settle().await;
    }
    *faults.lock().unwrap() = 0.0;
    processor(&chance, &world, began).run(chaos.clone(), sleep(1000 * SECOND)).await;

    let stats = chaos.stats(start() + began.elapsed()).await.unwrap();
    let mut world = locked(&world);
    let mut wrong = std::mem::take(&mut world.wrong);
    if stats.oldest.is_some() {
        wrong.push(format!("something is neither done nor dead: {stats:?}"));
    }
    for (id, seen) in &world.events {
        if let Some(name) = seen.noted.iter().find(|&name| !seen.ended.contains(name.as_str())) {
            wrong.push(format!("event {id}: {name} is done and never came to its end"));
        }
        if seen.running > 0 {
            wrong.push(format!("event {id} runs after the end of the run"));
        }
    }
    wrong
}

#[test]
fn whatever_fails_each_event_ends_and_nothing_is_done_that_was_not() {
    let histories = std::env::var("WEBHOOK_HISTORIES").map_or(150, |count| count.parse().expect("a number"));
    for seed in 0..histories {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let wrong = runtime.block_on(history(seed));
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    }
}
