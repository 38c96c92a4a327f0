use bartizan_webhook::inbox::Stats;
use bartizan_webhook::processor::{self, Failure, HandlerPanicked, HandlerTimedOut, Told};
use bartizan_webhook::verify::{self, Verdict};
use metrics::{counter, gauge};

use crate::metrics::{Metrics, name};

impl verify::Hook for Metrics {
    fn verdict(&self, verdict: &Verdict<'_>) {
        let (scheme, result) = match verdict {
            Verdict::Passed(verified) => (verified.scheme(), "passed"),
            Verdict::Refused(refused) => (refused.scheme(), refused.reason()),
            Verdict::Handshake { scheme, .. } => (*scheme, "handshake"),
            _ => return,
        };
        let scheme = self.0.schemes.label(scheme);
        counter!(name::WEBHOOK_REQUESTS, "scheme" => scheme, "result" => result).increment(1);
    }
}

impl processor::Hook for Metrics {
    fn told(&self, told: &Told<'_>) {
        let (event, result) = match told {
            Told::Claimed { event, .. } => (event, "claimed"),
            Told::Done { event, .. } => (event, "done"),
            Told::Unhandled { event, .. } => (event, "unhandled"),
            Told::Retried { event, .. } => (event, "retried"),
            Told::Dead { event, .. } => (event, "dead"),
            Told::Released { event, .. } => (event, "released"),
            Told::LeaseLost { event, .. } => (event, "lease_lost"),
            Told::HandlerFailed { handler, failure, .. } => {
                let handler = self.0.handlers.label(handler);
                let why = why(failure);
                counter!(name::WEBHOOK_HANDLER_FAILURES, "handler" => handler, "why" => why).increment(1);
                return;
            }
            Told::InboxFailed { asked, .. } => {
                counter!(name::WEBHOOK_INBOX_FAILURES, "asked" => asked.as_str()).increment(1);
                return;
            }
            _ => return,
        };
        let source = self.0.sources.label(event.source());
        counter!(name::WEBHOOK_EVENTS, "source" => source, "result" => result).increment(1);
    }
}

fn why(failure: &Failure) -> &'static str {
    match failure.error() {
        Some(error) if error.is::<HandlerPanicked>() => "panicked",
        Some(error) if error.is::<HandlerTimedOut>() => "timed_out",
        _ if failure.is_permanent() => "permanent",
        _ => "error",
    }
}

impl Metrics {
    /// How many events an inbox has: for whoever asks [`Inbox::stats`](bartizan_webhook::inbox::Inbox::stats) now and then.
    pub fn inbox(&self, stats: &Stats) {
        for (state, count) in [
            ("ready", stats.ready),
            ("waiting", stats.waiting),
            ("leased", stats.leased),
            ("dead", stats.dead),
        ] {
            gauge!(name::WEBHOOK_INBOX, "state" => state).set(count as f64);
        }
    }
}
