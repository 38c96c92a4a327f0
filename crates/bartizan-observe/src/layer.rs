use std::fmt;
use std::sync::Arc;

use bartizan_core::Chance;
use http::HeaderMap;
use tower_layer::Layer;

use crate::propagation::{Inject, Propagation};
use crate::{Observe, Scope};

/// Puts a span around each call, or around each attempt. See the [crate](crate).
#[derive(Clone)]
pub struct ObserveLayer<H = ()> {
    pub(crate) scope: Option<Scope>,
    pub(crate) hook: H,
    pub(crate) propagation: Propagation,
}

impl ObserveLayer {
    /// Around the whole stack: one INTERNAL span for each call.
    pub fn call() -> Self {
        Self::of(Some(Scope::Call))
    }

    /// Inside of all that may refuse or send again: one CLIENT span for each attempt.
    pub fn attempt() -> Self {
        Self::of(Some(Scope::Attempt))
    }

    /// Sees and tells nothing. The same type, for configuration.
    pub fn disabled() -> Self {
        Self::of(None)
    }

    fn of(scope: Option<Scope>) -> Self {
        Self { scope, hook: (), propagation: Propagation::new() }
    }
}

impl<H> ObserveLayer<H> {
    /// Tells `hook` of everything that ended, beside the spans: `Metrics` is one. By default nobody is told.
    pub fn hook<G>(self, hook: G) -> ObserveLayer<G> {
        ObserveLayer { scope: self.scope, hook, propagation: self.propagation }
    }

    /// Starts a trace for requests that have no valid `traceparent`, whether somebody listens or not; its flag says
    /// that. What is there and no valid one is replaced, and `tracestate` removed. By default none is started.
    pub fn start_traces(mut self) -> Self {
        self.propagation.starts = true;
        self
    }

    /// Lets `inject` write the header fields of each attempt, in place of this layer, within the attempt's span: for those who keep the
    /// ids of spans elsewhere, such as `tracing-opentelemetry`. Not asked where nobody listens. By default nobody is asked.
    ///
    /// ```
    /// use bartizan_observe::ObserveLayer;
    ///
    /// let layer = ObserveLayer::attempt().inject(|headers| {
    ///     // global::get_text_map_propagator(|propagator| {
    ///     //     propagator.inject_context(&Span::current().context(), &mut HeaderInjector(headers))
    ///     // });
    ///     # let _ = headers;
    /// });
    /// # let _ = layer;
    /// ```
    pub fn inject(mut self, inject: impl Fn(&mut HeaderMap) + Send + Sync + 'static) -> Self {
        self.propagation.inject = Some(Inject(Arc::new(inject)));
        self
    }

    /// Where the ids of spans and traces come from; they are no secrets. Seeded by the operating system by default.
    pub fn chance(mut self, chance: Chance) -> Self {
        self.propagation.chance = chance;
        self
    }

    /// What it was made for; `None` if it is disabled.
    pub fn scope(&self) -> Option<Scope> {
        self.scope
    }
}

impl<S, H: Clone> Layer<S> for ObserveLayer<H> {
    type Service = Observe<S, H>;

    fn layer(&self, inner: S) -> Observe<S, H> {
        Observe { inner, layer: Arc::new(self.clone()) }
    }
}

impl<H> fmt::Debug for ObserveLayer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObserveLayer")
            .field("scope", &self.scope)
            .field("start_traces", &self.propagation.starts)
            .field("inject", &self.propagation.inject)
            .finish_non_exhaustive()
    }
}
