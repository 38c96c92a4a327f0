//! What goes out in `traceparent`.

use std::fmt;
use std::sync::Arc;

use bartizan_core::Chance;
use http::HeaderMap;
use tracing::Span;

use crate::trace_context::TraceContext;
use crate::{Scope, span};

#[derive(Clone)]
pub(crate) struct Propagation {
    pub(crate) starts: bool,
    pub(crate) chance: Chance,
    pub(crate) inject: Option<Inject>,
}

/// Of somebody who keeps the ids of spans himself.
#[derive(Clone)]
pub(crate) struct Inject(pub(crate) Arc<dyn Fn(&mut HeaderMap) + Send + Sync>);

impl Propagation {
    pub(crate) fn new() -> Self {
        Self { starts: false, chance: Chance::from_os(), inject: None }
    }

    /// Nobody listens, and nothing is started: then the request stays as it is.
    pub(crate) fn is_idle(&self, span: &Span) -> bool {
        !self.starts && span.is_disabled()
    }

    pub(crate) fn apply(&self, scope: Scope, span: &Span, headers: &mut HeaderMap) {
        let is_seen = !span.is_disabled();
        if let (Some(Inject(inject)), Scope::Attempt) = (&self.inject, scope) {
            if is_seen {
                span.in_scope(|| inject(headers));
            }
            return;
        }
        match (TraceContext::of(headers), scope) {
            (Some(parent), Scope::Attempt) if is_seen => {
                let child = parent.child(&self.chance);
                child.put(headers);
                span::trace(span, child);
            }
            // A span that nobody sees is no parent, and a call's own header is its attempts' business.
            (Some(context), _) => span::trace(span, context),
            (None, _) if self.starts => {
                let start = TraceContext::start(&self.chance, is_seen);
                start.put_first(headers);
                span::trace(span, start);
            }
            (None, _) => {}
        }
    }
}

impl fmt::Debug for Inject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inject(..)")
    }
}
