//! One outage, three clients: what no retries, naive retries and bartizan's layers make of it.
//!
//! ```text
//! cargo run --example outage
//! ```
//!
//! A hyper server on a loopback port goes through an outage: errors in bursts, throttling, connections that are reset, answers
//! that never come, cold caches, and health before and after. A hundred calls a second arrive by chance and do not wait
//! for each other; 3 in 10 are POSTs without an `Idempotency-Key`. hyper-util's client makes them in three ways, side by side,
//! each against a server of its own that lives through the same outage:
//!
//! - **bare**: one request, and a caller who waits 3 s at most.
//! - **naive**: up to three attempts of 1 s each, at once, whatever the method and the error.
//! - **stack**: a deadline, retry and an attempt timeout of bartizan; as many attempts, as long.
//!
//! `server.rs` says what the server does and why load costs it something; `scenario.rs` says what happens when. Everything is
//! drawn from a seed (`--seed 7`), the same for all three. `--quick` plays it at a third of its length and draws
//! nothing.
//!
//! The stack is not better everywhere. It does not send a POST again that may have been worked on already, and it does not look
//! into bodies; so when connections are reset or answers do not come, naive retries save more calls, and place some
//! orders twice. Where the server asks for patience, or fails for longer than an instant, the waits make up for
//! it. And a client that sends once is the kindest to a slow server.
//!
//! Exits with 1 if the stack does worse than naive retries, or sends a POST without a key twice.

mod answer;
mod clients;
mod counts;
mod options;
mod plot;
mod progress;
mod report;
mod run;
mod scenario;
mod server;
mod sockets;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use bartizan_core::BoxError;

use crate::options::Options;
use crate::report::{Table, complaint};
use crate::run::Live;
use crate::scenario::{RATE, Scenario};
use crate::sockets::Loopback;

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let scenario = Arc::new(Scenario::new(options.seed, if options.quick { 1.0 / 3.0 } else { 1.0 }));
    let live: [Arc<Live>; 3] = Default::default();
    println!(
        "An outage of {:.0} s, seed {}: {RATE} calls a second, three clients side by side, a server for each.\n",
        scenario.lasts().as_secs_f64(),
        options.seed
    );

    let progress = tokio::spawn(progress::show(scenario.clone(), live.clone()));
    let figures = run::side_by_side(&scenario, &Loopback, &live).await?;
    progress.abort();

    print!("\n{}", Table(&figures));
    if !options.quick {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/outage.svg");
        plot::draw(&path, &scenario, &figures)?;
        println!("\nthe picture: {}", path.display());
    }
    Ok(match complaint(&figures) {
        None => ExitCode::SUCCESS,
        Some(complaint) => {
            eprintln!("\nFAILED: {complaint}");
            ExitCode::FAILURE
        }
    })
}
