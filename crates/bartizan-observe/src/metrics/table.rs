use metrics::Unit;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often which values were seen.
    Histogram,
}

/// One row of the [`TABLE`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// `s` for seconds, else what is counted.
    pub unit: &'static str,
    /// Which labels it has.
    pub labels: &'static [&'static str],
    /// When it is written.
    pub when: &'static str,
}

/// Boundaries of histograms in seconds, as the semantic conventions advise for `http.client.request.duration`.
pub const BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// From each row the name's constant, the row, and the row of the docs.
macro_rules! table {
    ($($constant:ident = $name:literal, $kind:ident, $unit:literal, [$($label:literal),*], $when:literal;)*) => {
        /// The names.
        pub(crate) mod name {
            $(
                #[allow(dead_code, reason = "of a layer whose feature is off")]
                pub(crate) const $constant: &str = $name;
            )*
        }

        /// Every metric that is written.
        ///
        /// | name | kind | unit | labels | written when |
        /// |---|---|---|---|---|
        $(#[doc = concat!("| `", $name, "` | ", stringify!($kind), " | ", $unit, " |", $(" `", $label, "`",)* " | ", $when, " |")])*
        pub const TABLE: &[Metric] = &[$(
            Metric { name: $name, kind: Kind::$kind, unit: $unit, labels: &[$($label),*], when: $when },
        )*];
    };
}

table! {
    REQUEST_DURATION = "http.client.request.duration", Histogram, "s",
        ["http.request.method", "origin", "status_class", "error.type"],
        "an attempt ended: at the response's head, with an error, or dropped; not if a layer refused it";
    CALL_DURATION = "bartizan.call.duration", Histogram, "s",
        ["http.request.method", "origin", "status_class", "error.type"],
        "a call ended, with all its attempts and waits";
    RETRIES = "bartizan.retry.retries", Counter, "retries",
        ["origin", "cause", "status_class", "error.type"],
        "there will be another attempt: why, and what the last one came to";
    STOPPED = "bartizan.retry.stopped", Counter, "calls",
        ["origin", "why", "status_class", "error.type"],
        "there will be none, although the last one failed: `budget` where the origin's budget of retries is empty";
    BUDGET = "bartizan.retry.budget", Gauge, "retries",
        ["origin"],
        "an attempt failed: how many retries the budget pays for then; not without a budget, and not for `other` and `none`";
    TIMEOUTS = "bartizan.timeouts", Counter, "timeouts",
        ["kind"],
        "an attempt (`attempt`), a call (`deadline`) or a body (`body_stalled`, `body_too_slow`) took too long";
    CIRCUIT_STATE = "bartizan.circuit.state", Gauge, "state",
        ["circuit"],
        "a circuit has changed: 0 closed, 1 half-open, 2 open, 3 forced open, 4 disabled; not for `other` ones";
    CIRCUIT_TRANSITIONS = "bartizan.circuit.transitions", Counter, "transitions",
        ["circuit", "from", "to"],
        "a circuit has changed";
    LIMIT_WAIT = "bartizan.limit.wait", Histogram, "s",
        [],
        "a rate limit or a bulkhead let a call through after a wait";
    LIMIT_REFUSALS = "bartizan.limit.refusals", Counter, "calls",
        ["limit", "why"],
        "a rate limit refused a call";
    LIMIT_PAUSES = "bartizan.limit.pauses", Counter, "pauses",
        ["limit"],
        "an answer has closed the gate for all calls of a quota";
    BULKHEAD_REFUSALS = "bartizan.bulkhead.refusals", Counter, "calls",
        ["bulkhead", "why"],
        "a bulkhead refused a call";
    CACHE_ANSWERS = "bartizan.cache.answers", Counter, "calls",
        ["origin", "result"],
        "a call is answered: `hit`, `stale_hit`, else why it was forwarded";
    CACHE_RESPONSES = "bartizan.cache.responses", Counter, "responses",
        ["origin", "result"],
        "a response was `stored`, or why it was not";
    CACHE_INVALIDATIONS = "bartizan.cache.invalidations", Counter, "targets",
        ["origin"],
        "what was stored of a target is used no more";
    CACHE_NOT_REFRESHED = "bartizan.cache.not_refreshed", Counter, "responses",
        ["origin"],
        "what was fetched in the background was not to be had, or is not fresh";
    TOKENS = "bartizan.auth.tokens", Counter, "events",
        ["event"],
        "a token was `renewed` or `refused`, `failed` to come, was `not_saved` or `not_loaded`";
    WEBHOOK_REQUESTS = "bartizan.webhook.requests", Counter, "requests",
        ["scheme", "result"],
        "a webhook was let through (`passed`), answered (`handshake`), or why it was refused: `no_match`, `too_old`, ..";
    WEBHOOK_EVENTS = "bartizan.webhook.events", Counter, "events",
        ["source", "result"],
        "an event was `claimed`, and `done`, `retried`, `dead`, `released`, `lease_lost`, or `unhandled` since no handler is there for its type";
    WEBHOOK_HANDLER_FAILURES = "bartizan.webhook.handler.failures", Counter, "failures",
        ["handler", "why"],
        "a handler failed: `error`, `permanent`, `panicked`, `timed_out`";
    WEBHOOK_INBOX_FAILURES = "bartizan.webhook.inbox.failures", Counter, "failures",
        ["asked"],
        "an inbox did not do what a processor asked it for: `claim`, `extend`, `progress`, `settle`";
    WEBHOOK_INBOX = "bartizan.webhook.inbox.events", Gauge, "events",
        ["state"],
        "`Metrics::inbox` was told how many events an inbox has: `ready`, `waiting`, `leased`, `dead`";
}

impl Metric {
    /// As Prometheus has it: `_` for each dot.
    pub fn prometheus_name(&self) -> String {
        self.name.replace('.', "_")
    }

    pub(super) fn describe(&self) {
        let unit = if self.unit == "s" { Unit::Seconds } else { Unit::Count };
        match self.kind {
            Kind::Counter => metrics::describe_counter!(self.name, unit, self.when),
            Kind::Gauge => metrics::describe_gauge!(self.name, unit, self.when),
            Kind::Histogram => metrics::describe_histogram!(self.name, unit, self.when),
        }
    }
}
