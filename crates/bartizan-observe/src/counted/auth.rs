use bartizan_auth::TokenEvent;
use metrics::counter;

use crate::metrics::{Metrics, name};

impl Metrics {
    /// What happened to a token that is fetched: for `Refreshing::builder(..).hook(..)`.
    pub fn token(&self, event: &TokenEvent<'_>) {
        let event = match event {
            TokenEvent::Renewed { .. } => "renewed",
            TokenEvent::Failed(_) => "failed",
            TokenEvent::Refused => "refused",
            TokenEvent::NotSaved(_) => "not_saved",
            TokenEvent::NotLoaded(_) => "not_loaded",
            _ => "_OTHER",
        };
        counter!(name::TOKENS, "event" => event).increment(1);
    }
}
