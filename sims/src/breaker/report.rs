use std::fmt::Write;

use super::{CLIENTS, TROUBLES};
use crate::load::Summary;

/// The document, in Markdown.
pub fn document(summaries: &[Summary], seeds: u64) -> String {
    let mut text = format!(
        "# What a circuit breaker does\n\n\
         Written by `cargo xtask sim breaker`; run it to repeat it. {seeds} seeds, the mean of them. Server, load and figures are those of \
         [retry-budget.md](retry-budget.md); each client has the standard stack with the default retry and its budget, and a breaker of \
         its own inside. A *cold start* is an outage of 20 s, after which all work takes four times as long at first, and the usual time \
         after 30 s.\n"
    );
    for trouble in TROUBLES {
        for clients in CLIENTS {
            let _ = write!(
                text,
                "\n## {trouble}; {clients} clients\n\n| | good | load | recovery |\n|---|--:|--:|--:|\n"
            );
            for summary in summaries.iter().filter(|s| s.trouble == trouble && s.clients == clients) {
                text.push_str(&summary.row());
            }
        }
    }
    text.push_str(READING);
    text
}

const READING: &str = "\n## How to read it\n\n\
    - The default takes no third of failures for an outage: it refuses next to nothing there, and goodput is within a point of that of no breaker. Rules that count \
    calls and not time do so within moments, for busy clients: by chance some of the last calls are always bad enough.\n\
    - A window of 30 s is slow to see an outage when it is full of successes: half of it has to fail. A busy client is kept from a quarter of \
    the calls of a minute's outage at first, and from all after that.\n\
    - A client that calls seldom sees few failures, and opens late: in ten thousand such clients the breaker takes little load off. That is \
    what the retry budget is for.\n\
    - How long it stays open at most decides when clients notice that all is well again. With 300 s that is minutes after a long \
    outage, for a little less load in it; hence 30 s.\n\
    - **Where it loses.** After an outage that ends at once, clients without a breaker are served at once. What a breaker gives for that is an \
    origin that can start: see the cold start.\n";
