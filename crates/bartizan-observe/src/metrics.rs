//! Counts and times through the `metrics` crate: [`Metrics`], and the [`TABLE`] of all that it writes.
//!
//! ```
//! use bartizan_observe::ObserveLayer;
//! use bartizan_observe::metrics::Metrics;
//!
//! // Once the program's recorder is installed.
//! let metrics = Metrics::new();
//! let (call, attempt) = (ObserveLayer::call().hook(metrics.clone()), ObserveLayer::attempt().hook(metrics.clone()));
//! // The layers in between: `RetryLayer::new().hook(metrics.clone())`, and so on.
//! # let _ = (call, attempt);
//! ```
//!
//! # Labels
//!
//! | label | what it is | how many there are |
//! |---|---|---|
//! | `origin` | `https://api.example.com`; `none` where the request names none | the first 100, then `other` ([`max_names`](Metrics::with_max_names)) |
//! | `circuit`, `limit`, `bulkhead` | whose it is, as the layer's errors say | of each the same |
//! | `scheme`, `source`, `handler` | as the program calls them | of each the same |
//! | `http.request.method` | as in the span | 10 |
//! | `status_class` | `2xx`; empty without a response | 6 |
//! | `error.type` | as in the span; empty where nothing went wrong | some dozens, and the statuses from 400 on |
//! | others | words that the layers have for it | some |
//!
//! No label holds a path, a query, a header field or the text of an error.
//!
//! # Prometheus
//!
//! Its exporter writes `_` for each dot. Without [`BUCKETS`] it makes summaries of the histograms:
//!
//! ```
//! use bartizan_observe::metrics::BUCKETS;
//! use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
//!
//! # fn main() -> Result<(), metrics_exporter_prometheus::BuildError> {
//! let builder = PrometheusBuilder::new()
//!     .set_buckets_for_metric(Matcher::Suffix("duration".to_owned()), &BUCKETS)?
//!     .set_buckets_for_metric(Matcher::Suffix("wait".to_owned()), &BUCKETS)?;
//! # let _ = builder;
//! # Ok(()) }
//! ```
//!
//! `docs/grafana.json` in the repository is a dashboard over these names.
//!
//! # Cost
//!
//! Each event looks its names up, under a shared lock, and allocates its labels.

mod names;
mod table;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ::metrics::SharedString;
use bartizan_core::Origin;
use http::{StatusCode, Uri};

pub(crate) use self::names::Names;
pub(crate) use self::table::name;
pub use self::table::{BUCKETS, Kind, Metric, TABLE};
use crate::span::method;
use crate::{ErrorType, Hook, Record, Scope};

/// The hook of all layers, which writes the metrics of the [`TABLE`]. Clones share one set of names.
///
/// One for each circuit breaker layer, if there are several of one origin: circuits of one name are taken for one.
///
/// Besides [`ObserveLayer`](crate::ObserveLayer) it fits whatever layer's feature is on: retry, timeouts, circuit breaker, rate limit, bulkhead, cache, and the verify layer and the processor of webhooks. What
/// happens to tokens it is told by hand: `Refreshing::builder(..).hook(move |event| metrics.token(event))`.
#[derive(Clone, Debug)]
pub struct Metrics(pub(crate) Arc<Inner>);

#[derive(Debug)]
#[allow(dead_code, reason = "of a layer whose feature is off")]
pub(crate) struct Inner {
    pub(crate) origins: Names,
    pub(crate) circuits: Names,
    pub(crate) limits: Names,
    pub(crate) bulkheads: Names,
    pub(crate) schemes: Names,
    pub(crate) sources: Names,
    pub(crate) handlers: Names,
    /// Which change of a circuit was the last: two may overtake each other.
    pub(crate) generations: Mutex<HashMap<SharedString, u64>>,
}

impl Metrics {
    /// Describes each metric to the recorder of the program, which should be there already.
    pub fn new() -> Self {
        Self::of(Names::MOST)
    }

    /// With at most so many origins as labels, and as many circuits, limits, bulkheads, schemes, sources and handlers; the later ones are `other`. 100 by default.
    pub fn with_max_names(most: usize) -> Self {
        Self::of(most)
    }

    fn of(most: usize) -> Self {
        TABLE.iter().for_each(Metric::describe);
        let names = || Names::new(most);
        Self(Arc::new(Inner {
            origins: names(),
            circuits: names(),
            limits: names(),
            bulkheads: names(),
            schemes: names(),
            sources: names(),
            handlers: names(),
            generations: Mutex::default(),
        }))
    }

    pub(crate) fn origin(&self, uri: Option<&Uri>) -> SharedString {
        match uri.map(Origin::of) {
            Some(Ok(origin)) => self.0.origins.label(origin.as_str()),
            _ => Names::NONE,
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Hook for Metrics {
    fn finished(&self, record: &Record<'_>) {
        let name = match record.scope {
            Scope::Call => name::CALL_DURATION,
            // Nothing was sent.
            Scope::Attempt if record.is_refused => return,
            Scope::Attempt => name::REQUEST_DURATION,
        };
        let duration = ::metrics::histogram!(
            name,
            "http.request.method" => method(record.method).unwrap_or("_OTHER"),
            "origin" => self.origin(Some(record.uri)),
            "status_class" => status_class(record.status),
            "error.type" => record.error.map_or(SharedString::const_str(""), error_type),
        );
        duration.record(record.took);
    }
}

pub(crate) fn status_class(status: Option<StatusCode>) -> &'static str {
    const CLASSES: [&str; 9] = ["1xx", "2xx", "3xx", "4xx", "5xx", "6xx", "7xx", "8xx", "9xx"];
    status.map_or("", |status| CLASSES[usize::from(status.as_u16() / 100) - 1])
}

fn error_type(error: ErrorType) -> SharedString {
    SharedString::from_owned(error.as_str().to_owned())
}
