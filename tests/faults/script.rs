//! What the server does to each request: about half of them are answered well, the rest get one fault each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bartizan_core::Chance;
use bartizan_test::server::{Act, Script, Seen};

pub(crate) struct Fault {
    pub(crate) name: &'static str,
    act: fn() -> Act,
}

impl Fault {
    /// Whether the connection of HTTP/1.1 does not survive it.
    pub(crate) fn ends_connection(&self) -> bool {
        let act = (self.act)();
        self.name.contains("close") || self.name.contains("lying") || act.name() != "reply"
    }
}

const SOON: Duration = Duration::from_millis(2);

pub(crate) const FAULTS: [Fault; 18] = [
    Fault { name: "500", act: || Act::reply(500) },
    Fault { name: "503", act: || Act::reply(503).body("overloaded") },
    Fault { name: "429 with Retry-After", act: || Act::reply(429).header("retry-after", "0") },
    Fault { name: "answer before the body", act: || Act::reply(503).early() },
    Fault { name: "delay", act: || Act::reply(200).delay(SOON) },
    Fault { name: "slow head", act: || Act::reply(200).body("hello").slow_head(SOON) },
    Fault { name: "slow body", act: || Act::reply(200).body("hello").slow_body(2, SOON) },
    Fault {
        name: "chunked with interim response",
        act: || Act::reply(200).body("hello").interim(103).chunked(),
    },
    Fault { name: "lying content-length", act: || Act::reply(200).body("hello").lying_content_length(9) },
    Fault { name: "reset before the head", act: Act::reset },
    Fault { name: "reset after the head", act: || Act::reset_after_head().body("hello") },
    Fault { name: "reset in the body", act: || Act::reset_mid_body(3).body("hello") },
    Fault { name: "half close", act: Act::half_close },
    Fault { name: "close", act: Act::close },
    Fault { name: "close of the idle connection", act: || Act::reply(200).body("hello").then_close() },
    Fault { name: "hang", act: Act::hang },
    Fault { name: "goaway", act: Act::goaway },
    Fault { name: "refused stream", act: Act::refuse_stream },
];

/// Of all requests.
const SHARE_OF_EACH: f64 = 0.5 / FAULTS.len() as f64;

#[derive(Clone)]
pub(crate) struct Faults {
    chance: Chance,
    counts: Arc<[AtomicUsize; FAULTS.len()]>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { chance: Chance::from_seed(seed), counts: Arc::default() }
    }

    /// By the fault's place in the list.
    pub(crate) fn counts(&self) -> BTreeMap<(usize, &'static str), usize> {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        FAULTS.iter().map(|fault| fault.name).enumerate().zip(counts).collect()
    }
}

impl Script for Faults {
    fn act(&self, _: &Seen) -> Act {
        let nth = (self.chance.unit() / SHARE_OF_EACH) as usize;
        let Some(fault) = FAULTS.get(nth) else { return Act::reply(200).body("hello") };
        self.counts[nth].fetch_add(1, Ordering::Relaxed);
        (fault.act)()
    }
}
