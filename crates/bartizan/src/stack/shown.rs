//! How a stack is shown: the order, and when attempts are made.

use std::fmt;
use std::time::Duration;

use super::part::{Facts, Kind};

/// Lines for a person.
pub(super) struct Shown {
    order: Vec<String>,
    attempts: Option<String>,
}

impl Shown {
    /// Of the places, outermost first.
    pub(super) fn new(places: &[Facts]) -> Self {
        let has_auth = places.iter().any(|part| matches!(part.kind, Kind::Auth));
        let has_breaker = places.iter().any(|part| matches!(part.kind, Kind::Breaker(_)));
        let mut order = Vec::new();
        for (nth, part) in places.iter().enumerate() {
            // Where the outer halves stand: before the deadline, and before the rate limit.
            if nth == 1 && has_auth {
                order.push("identity".to_owned());
            }
            if nth == 5 && has_breaker {
                order.push("gate".to_owned());
            }
            if !matches!(part.kind, Kind::Nothing) {
                order.push(part.shown.clone().into_owned());
            }
        }
        Self { order, attempts: attempts(places) }
    }
}

/// `0 s, ~0.05 s, ~0.15 s; at most 30 s`: the longest waits of the backoff, where each attempt fails at once.
fn attempts(places: &[Facts]) -> Option<String> {
    let (waits, has_more) = places.iter().find_map(|part| match &part.kind {
        Kind::Retry { waits, has_more, .. } => Some((waits, *has_more)),
        _ => None,
    })?;
    let total = places.iter().find_map(|part| match part.kind {
        Kind::Deadline(total) => total,
        _ => None,
    });
    let mut at = Duration::ZERO;
    let mut shown = vec!["0 s".to_owned()];
    for wait in waits {
        at = at.saturating_add(*wait);
        shown.push(format!("~{}", seconds(at)));
    }
    let more = if has_more { ", ..." } else { "" };
    let bound = total.map_or_else(String::new, |total| format!("; at most {}", seconds(total)));
    Some(format!("{}{more}{bound}", shown.join(", ")))
}

/// `0.05 s`, `30 s`
pub(super) fn seconds(duration: Duration) -> String {
    let text = format!("{:.3}", duration.as_secs_f64());
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stack: {}", self.order.join(" > "))?;
        self.attempts.iter().try_for_each(|attempts| write!(f, "\nattempts: {attempts}"))
    }
}
