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
    text
}
