//! What is refused, and what is warned of.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bartizan_core::KeyBy;

use super::part::{Facts, Kind};
use super::shown::seconds;

/// A stack that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidStack(Why);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    AttemptTakesLonger { attempt: Duration, total: Duration },
    RetryTwice,
    CacheForAll,
    Misplaced(String),
}

impl fmt::Display for InvalidStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Why::AttemptTakesLonger { attempt, total } => write!(
                f,
                "an attempt may take {}, and the whole call {}: give the call more time, or the attempt less",
                seconds(*attempt),
                seconds(*total)
            ),
            Why::RetryTwice => f.write_str(
                "retry stands in two places, so that attempts multiply: leave one out with `.retry(Identity::new())`",
            ),
            Why::CacheForAll => f.write_str(
                "the cache does not know whose a call is, and would show one caller's answers to others: give the \
                 credential with `.auth(..)`, which tells it",
            ),
            Why::Misplaced(part) => write!(f, "`{part}` stands in a place that is not its own; in `Own` it may"),
        }
    }
}

impl Error for InvalidStack {}

/// What may not have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning(String);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Of the places, outermost first: calls, deadline, cache, retry, auth, limit, breaker, attempts, attempt timeout, body timeout.
pub(super) fn check(places: &[Facts; 10]) -> Result<Vec<Warning>, InvalidStack> {
    // Around calls and attempts anything may stand.
    let [_, deadline, cache, retry, auth, limit, breaker, _, attempt_timeout, _] = places;
    if places.iter().filter(|part| matches!(part.kind, Kind::Retry { .. })).count() > 1 {
        return Err(InvalidStack(Why::RetryTwice));
    }
    let has_cache = places.iter().any(|part| matches!(part.kind, Kind::Cache));
    let is_told = matches!(cache.kind, Kind::Cache) && matches!(auth.kind, Kind::Auth);
    if has_cache && !is_told && places.iter().any(|part| matches!(part.kind, Kind::Auth)) {
        return Err(InvalidStack(Why::CacheForAll));
    }
    let is_misplaced = |part: &&Facts, is_own: fn(&Kind) -> bool| {
        !is_own(&part.kind) && !matches!(part.kind, Kind::Other | Kind::Nothing)
    };
    for (part, is_own) in [
        (deadline, (|kind| matches!(kind, Kind::Deadline(_))) as fn(&Kind) -> bool),
        (cache, |kind| matches!(kind, Kind::Cache)),
        (retry, |kind| matches!(kind, Kind::Retry { .. })),
        (auth, |kind| matches!(kind, Kind::Auth)),
        (limit, |kind| matches!(kind, Kind::Limit(_))),
        (breaker, |kind| matches!(kind, Kind::Breaker(_))),
        (attempt_timeout, |kind| matches!(kind, Kind::AttemptTimeout(_))),
    ] {
        if is_misplaced(&part, is_own) {
            return Err(InvalidStack(Why::Misplaced(part.shown.clone().into_owned())));
        }
    }
    if let (Kind::Deadline(Some(total)), Kind::AttemptTimeout(Some(attempt))) =
        (&deadline.kind, &attempt_timeout.kind)
        && attempt > total
    {
        return Err(InvalidStack(Why::AttemptTakesLonger { attempt: *attempt, total: *total }));
    }
    Ok(warnings(deadline, retry, limit, breaker))
}

fn warnings(deadline: &Facts, retry: &Facts, limit: &Facts, breaker: &Facts) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut keys: Vec<(&str, &KeyBy)> = Vec::new();
    if let Kind::Retry { waits, key, .. } = &retry.kind {
        match key {
            Some(key) => keys.push(("the budget of retry", key)),
            None if waits.is_empty() => {}
            None => warnings.push(Warning(
                "retry has no budget: an origin that is down gets as many times its load as there are attempts; \
                 leave `Budget::new()`"
                    .into(),
            )),
        }
        if let Kind::Deadline(Some(total)) = deadline.kind {
            let mut at = Duration::ZERO;
            let late = waits.iter().position(|wait| {
                at = at.saturating_add(*wait);
                at >= total
            });
            if let Some(retry) = late {
                warnings.push(Warning(format!(
                    "attempt {} may come {} after the first, and the call has {}: shorten the backoff, or make fewer",
                    retry + 2,
                    seconds(at),
                    seconds(total)
                )));
            }
        }
    }
    if let Kind::Limit(Some(key)) = &limit.kind {
        keys.push(("the rate limit", key));
    }
    if let Kind::Breaker(Some(key)) = &breaker.kind {
        keys.push(("the circuit breaker", key));
    }
    for pair in keys.windows(2) {
        let [(one, key), (other, differs)] = pair else { continue };
        if key != differs {
            warnings.push(Warning(format!(
                "{one} goes by {key:?} and {other} by {differs:?}, so they speak of different things: give both the \
                 same `key_by`"
            )));
        }
    }
    warnings
}
