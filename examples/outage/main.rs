//! One outage, five clients: what no retries, naive retries and bartizan's layers make of it.
//!
//! ```text
//! cargo run --example outage
//! ```
//!
//! A hyper server on a loopback port goes through an outage: errors in bursts, throttling, connections that are reset, answers
//! that never come, eight seconds in which it is down, cold caches, and health before and after. A hundred calls a second arrive by
//! chance and do not wait for each other; 3 in 10 are POSTs without an `Idempotency-Key`. hyper-util's client makes them in
//! five ways, side by side, each against a server of its own that lives through the same outage:
//!
//! - **bare**: one request, and a caller who waits 3 s at most.
//! - **naive**: up to three attempts of 1 s each, at once, whatever the method and the error.
//! - **retry**: a deadline, retry and an attempt timeout of bartizan; as many attempts, as long.
//! - **stack**: all that [`Stack::standard`](bartizan::Stack::standard) has: the same, with a rate limit and a circuit breaker between retry and the attempt
//!   timeout, and a guard for bodies that stall.
//! - **cached**: the stack, with a private cache between the deadline and retry.
//!
//! `server.rs` says what the server does and why load costs it something; `scenario.rs` says what happens when. Everything is
//! drawn from a seed (`--seed 7`), the same for all five. `--quick` plays it at a third of its length and draws
//! nothing.
//!
//! The stack is not better everywhere. It does not send a POST again that may have been worked on already, and it does not look
//! into bodies; so when connections are reset or answers do not come, naive retries save more calls, and place some
//! orders twice. Where the server asks for patience, or fails for longer than an instant, the waits make up for
//! it. And a client that sends once is the kindest to a slow server.
//!
//! The circuit breaker is there for the server and not for the calls. While it is down, it sees a sixth of the requests:
//! nearly all of them in the second that it takes to notice, and one a second after that. Retry's budget alone comes
//! down to one request a call. In return the breaker notices late that the server is back: it stays open for up to a second more,
//! probes three times, one after the other, and lets in one call in ten at first. All in all that is a second or two in which
//! the server could have worked for somebody; some of the calls that were refused meanwhile wait for the circuit, once, and are saved.
//!
//! Whether that pays depends on what a request costs a server that is down. Here each one that it refuses puts off its return by 2 ms,
//! and so over 8 seeds in virtual time a stack without rate limit has 1.6 points of goodput more than without breaker, between 0.8 and 2.6. With
//! 1 ms it would have 0.4 points less, and if refusing cost nothing 1.2 less. With
//! naive retries the server is not back before the end.
//!
//! The rate limit keeps a quota of what the server can do, and heeds what the server says: after a 429 nobody sends until the quota is there again. Over the
//! same seeds the whole stack has 6.3 points more than deadline, retry and attempt timeout alone, between 4.5 and 8.5. The price is patience: half of the good calls take
//! more than 0.3 s. The quota has to be there. By the server's word alone, as [`Stack::standard`](bartizan::Stack::standard) has it, all who waited come back within a tenth of
//! a second, which this server cannot bear, and has them wait again: 48 % of the calls are good then, and 66 % without any limit.
//!
//! Six in ten calls read one of fifty items, of which the server says that they are fresh for a second, may be shown for half a minute while they are
//! fetched anew, and for a minute if that fails. With a cache these are answered through the outage, and while the server is down it hears
//! next to nothing of them: in the background each item is tried once in ten seconds. What is read may be a minute old. POSTs gain by what
//! the reads no longer ask of the server.
//!
//! Exits with 1 if the stack does worse than naive retries, whole, with a cache, or as retry and timeouts alone, or the whole one than those alone by more than chance; or sends
//! a POST without a key twice; or if the breaker does not keep away half of the requests while the server is down; or if a hundredth of the
//! reads fail then in spite of the cache. In `--quick`
//! the breaker is not judged: its clocks do not run faster, and the outage is over when it has just opened.

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
use crate::report::{LONG_ENOUGH, Table, complaint};
use crate::run::{CLIENTS, Live};
use crate::scenario::{RATE, Scenario, Weather};
use crate::sockets::Loopback;

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let scenario = Arc::new(Scenario::new(options.seed, if options.quick { 1.0 / 3.0 } else { 1.0 }));
    let live: [Arc<Live>; CLIENTS] = Default::default();
    println!(
        "An outage of {:.0} s, seed {}: {RATE} calls a second, five clients side by side, a server for each.\n",
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
    if scenario.lasts_for(Weather::Down) < LONG_ENOUGH {
        println!(
            "\nToo short an outage for a circuit breaker: only retry and timeouts alone are held against naive retries."
        );
    }
    Ok(match complaint(&scenario, &figures) {
        None => ExitCode::SUCCESS,
        Some(complaint) => {
            eprintln!("\nFAILED: {complaint}");
            ExitCode::FAILURE
        }
    })
}
