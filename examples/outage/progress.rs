//! A line a second while the clients run.

use std::array::from_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::run::{CLIENTS, Live, NAMES};
use crate::scenario::Scenario;

const SECOND: Duration = Duration::from_secs(1);

/// Prints what happened in each second, until it is aborted.
pub(crate) async fn show(scenario: Arc<Scenario>, live: [Arc<Live>; CLIENTS]) {
    let started = Instant::now();
    let names = row(NAMES.map(str::to_owned));
    println!("                 {:<34}requests at the server", "good answers in it");
    println!("second           {names}    {names}");

    let mut seconds = interval_at(started + SECOND, SECOND);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut before = [(0, 0); CLIENTS];
    loop {
        let second = started.elapsed();
        let phase = if second < scenario.lasts() { scenario.weather(second).name() } else { "last answers" };
        seconds.tick().await;
        let now = live.each_ref().map(|run| (run.good(), run.seen()));
        let good = row(from_fn(|i| (now[i].0 - before[i].0).to_string()));
        let seen = row(from_fn(|i| (now[i].1 - before[i].1).to_string()));
        println!("{:>3}  {phase:<12}{good}    {seen}", second.as_secs() + 1);
        before = now;
    }
}

/// A cell for each client.
fn row(cells: [String; CLIENTS]) -> String {
    cells.map(|cell| format!("{cell:>6}")).join(" ")
}
