use bartizan_retry::{Attempt, Hook, Retrying, Stopped};
use metrics::{SharedString, counter, gauge};

use crate::metrics::{Metrics, Names, name, status_class};
use crate::named::name_of;

impl Hook for Metrics {
    fn retrying(&self, event: &Retrying<'_>) {
        let (origin, status_class, error) = self.result(&event.attempt);
        budget(&origin, event.budget_left);
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
        budget(&origin, event.budget_left);
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

fn budget(origin: &SharedString, left: Option<u32>) {
    // Of several budgets under one name nothing can be said.
    if let Some(left) = left.filter(|_| *origin != Names::OTHER && *origin != Names::NONE) {
        gauge!(name::BUDGET, "origin" => origin.clone()).set(f64::from(left));
    }
}
