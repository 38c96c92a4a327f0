use bartizan_cache::{CacheStatus, Event, Hook, Target};
use metrics::{SharedString, counter};

use crate::metrics::{Metrics, name};

impl Hook for Metrics {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Answered { target, status, .. } => {
                let result = match status {
                    CacheStatus::Hit { ttl, .. } if *ttl > 0 => "hit",
                    CacheStatus::Hit { .. } => "stale_hit",
                    CacheStatus::Forwarded { why, .. } => why.as_str(),
                    _ => "_OTHER",
                };
                let origin = self.origin_of(target);
                counter!(name::CACHE_ANSWERS, "origin" => origin, "result" => result).increment(1);
            }
            Event::Stored { target, .. } => {
                let origin = self.origin_of(target);
                counter!(name::CACHE_RESPONSES, "origin" => origin, "result" => "stored").increment(1);
            }
            Event::NotStored { target, why, .. } => {
                let origin = self.origin_of(target);
                counter!(name::CACHE_RESPONSES, "origin" => origin, "result" => why.as_str()).increment(1);
            }
            Event::Invalidated { target, .. } => {
                counter!(name::CACHE_INVALIDATIONS, "origin" => self.origin_of(target)).increment(1);
            }
            Event::NotRefreshed { target, .. } => {
                counter!(name::CACHE_NOT_REFRESHED, "origin" => self.origin_of(target)).increment(1);
            }
            _ => {}
        }
    }
}

impl Metrics {
    fn origin_of(&self, target: &Target<'_>) -> SharedString {
        if target.scheme().is_empty() {
            return self.origin(None);
        }
        let port = target.port().map_or_else(String::new, |port| format!(":{port}"));
        self.0.origins.label(&format!("{}://{}{port}", target.scheme(), target.host()))
    }
}
