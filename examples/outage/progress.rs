//! A line a second while the clients run.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::run::{Live, NAMES};
use crate::scenario::Scenario;

const SECOND: Duration = Duration::from_secs(1);

/// Prints what happened in each second, until it is aborted.
pub(crate) async fn show(scenario: Arc<Scenario>, live: [Arc<Live>; 3]) {
    let started = Instant::now();
    let [bare, naive, stack] = NAMES;
    println!("                   good answers in it          requests at the server");
    println!("second           {bare:>6}  {naive:>6}  {stack:>6}      {bare:>6}  {naive:>6}  {stack:>6}");

    let mut seconds = interval_at(started + SECOND, SECOND);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut before = [(0, 0); 3];
    loop {
        let second = started.elapsed();
        let phase = if second < scenario.lasts() { scenario.weather(second).name() } else { "last answers" };
        seconds.tick().await;
        let now = live.each_ref().map(|run| (run.good(), run.seen()));
        let [bare, naive, stack] = [0, 1, 2].map(|i| (now[i].0 - before[i].0, now[i].1 - before[i].1));
        println!(
            "{:>3}  {phase:<12}{:>6}  {:>6}  {:>6}      {:>6}  {:>6}  {:>6}",
            second.as_secs() + 1,
            bare.0,
            naive.0,
            stack.0,
            bare.1,
            naive.1,
            stack.1
        );
        before = now;
    }
}
