use std::fmt::Write;

use super::clients::{ATTEMPT, CALL};
use super::{CLIENTS, TINY_CLIENTS, TROUBLES};
use crate::load::{AFTER, Summary, Trouble, WORK, WORKERS};

/// The document, in Markdown.
pub fn document(summaries: &[Summary], seeds: u64) -> String {
    let rate = WORKERS as f64 / WORK.as_secs_f64();
    let mut text = format!(
        "# What a retry budget does\n\n\
         Written by `cargo xtask sim budget`; run it to repeat it. {seeds} seeds, the mean of them.\n\n\
         The clients are the layers as they are shipped, over a server in memory and in virtual time. The server works on {WORKERS} \
         requests at once, for {WORK:?} each in the mean (exponential), so it can do {rate:.0} a second; the calls are a Poisson \
         process of 80 % of that. What queues is worked on in order, also when the client has given up: the server does not \
         learn of it. An attempt has {ATTEMPT:?}, a call {CALL:?} and three attempts with the default backoff. Each client has \
         layers, and so a budget, of its own. The trouble begins after 20 s, and {AFTER:?} after its end the run is over.\n\n\
         - **no retry**: the two timeouts alone.\n\
         - **naive**: `RetryLayer` with `Budget::none()`.\n\
         - **tower**: `tower::retry` with its `TpsBudget` of 20 % of requests and 10 a second beside them, which it has by default, \
         a deposit with each request, and our backoff.\n\
         - **`Budget::new()`**: the default, a fifth of the successes and a reserve of 1. **`Budget::fleet()`**: no reserve.\n\n\
         *Good* is the share of the calls of the trouble's time that succeed, *load* the requests at the server for each of these \
         calls, *recovery* the time from the trouble's end until 95 % of the calls of each second succeed again, and go on to.\n"
    );
    for trouble in TROUBLES {
        let _ = write!(text, "\n## {}\n", sentence(&trouble.to_string()));
        for clients in CLIENTS {
            table(&mut text, summaries, trouble, clients);
        }
        if matches!(trouble, Trouble::Slowdown | Trouble::DearFailures) {
            let _ = write!(text, "\n![Goodput over time](retry-budget-{}.svg)\n", trouble.slug());
        }
    }
    let _ = write!(
        text,
        "\n## A hundred thousand tiny clients\n\n\
         Each calls every fifty seconds, so hardly any has a success of its own to draw on, and their reserves alone are more than \
         the server can bear. Here the default loses, and `Budget::fleet()` belongs.\n"
    );
    for trouble in [Trouble::Slowdown, Trouble::DearFailures] {
        let _ = write!(text, "\n{}:\n", sentence(&trouble.to_string()));
        table(&mut text, summaries, trouble, TINY_CLIENTS);
    }
    text.push_str(READING);
    text
}

const READING: &str = "\n## How to read it\n\n\
    - A server that has got behind is kept down by those who try again: naive retries do so for good, and a budget that allows \
    each client a number of retries a second does too, since ten thousand clients have ten thousand times that number.\n\
    - A budget of successes alone (`fleet()`) is the safest and does next to nothing for a client that calls seldom. A reserve of 1 \
    gives such a client most of what retries can give, for a longer recovery; a reserve of 2 or 3 breaks a server whose \
    failures cost it work.\n\
    - **Where the default loses.** To naive retries when failures cost the server nothing: the budget gives up calls that another \
    attempt would have saved. To no retry at all in the time of recovery from a slowdown. And with very many clients that call \
    very seldom.\n\
    - The reserve closes after three failed calls in a row. If it closed after the first (measured by changing that constant, at \
    10,000 clients), a slowdown would be over after 46 s in place of 55 s, and partial failures would have 0.6 points less of \
    goodput; if it were refilled every 60 s in place of every 10 s, 46 s and 7.7 points.\n";

fn table(text: &mut String, summaries: &[Summary], trouble: Trouble, clients: usize) {
    let every = clients as f64 / (0.8 * WORKERS as f64 / WORK.as_secs_f64());
    let each = if every < 1.0 {
        format!("{:.0} calls a second", every.recip())
    } else {
        format!("a call every {every:.0} s")
    };
    let _ = write!(
        text,
        "\n{} clients, {each} each:\n\n| | good | load | recovery |\n|---|--:|--:|--:|\n",
        thousands(clients)
    );
    for summary in summaries.iter().filter(|s| s.trouble == trouble && s.clients == clients) {
        text.push_str(&summary.row());
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn thousands(number: usize) -> String {
    match number {
        ..1_000 => number.to_string(),
        _ => format!("{},{:03}", number / 1_000, number % 1_000),
    }
}
