use bartizan_retry::{Attempt, Hook, Retrying, Stopped};
use metrics::{SharedString, counter};

use crate::metrics::{Metrics, name, status_class};
use crate::named::name_of;

impl Hook for Metrics {
    fn retrying(&self, event: &Retrying<'_>) {
        let (origin, status_class, error) = self.result(&event.attempt);
        counter!(
            name::RETRIES,
            "origin" => origin,
            "cause" => event.cause.as_str(),
            "status_class" => status_class,
            "error.type" => error,
        )
        .increment(1);
    }

    fn stopped(&self, event: &Stopped<'_>) {
        let (origin, status_class, error) = self.result(&event.attempt);
        counter!(
            name::STOPPED,
            "origin" => origin,
            "why" => event.why.as_str(),
            "status_class" => status_class,
            "error.type" => error,
        )
        .increment(1);
    }
}

impl Metrics {
    fn result(&self, attempt: &Attempt<'_>) -> (SharedString, &'static str, &'static str) {
        let origin = self.origin(attempt.request().map(|request| request.uri));
        match attempt.result() {
            Ok(head) => (origin, status_class(Some(head.status)), ""),
            Err(error) => (origin, status_class(None), name_of(error)),
        }
    }
}
