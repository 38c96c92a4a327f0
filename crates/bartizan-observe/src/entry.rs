use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;

use bartizan_core::{Attempts, BoxError, CallContext, Rejection, RetriesSpent, find_source};
use http::{Method, Request, Response, StatusCode, Uri};
use tokio::time::Instant;
use tracing::Span;

use crate::layer::ObserveLayer;
use crate::{ErrorType, Hook, Record, Scope, named, span};

/// A call or an attempt under way. Whoever drops it unfinished says so.
pub(crate) struct Entry<H: Hook> {
    span: Span,
    scope: Scope,
    method: Method,
    uri: Uri,
    attempt: Option<NonZeroU32>,
    started: Instant,
    layer: Arc<ObserveLayer<H>>,
    is_finished: bool,
}

impl<H: Hook> Entry<H> {
    /// None if nobody wants to hear of it.
    pub(crate) fn of<B>(request: &mut Request<B>, layer: &Arc<ObserveLayer<H>>) -> Option<Box<Self>> {
        let scope = layer.scope?;
        let span = span::of(request, scope);
        if !layer.propagation.is_idle(&span) {
            layer.propagation.apply(scope, &span, request.headers_mut());
        }
        if span.is_disabled() && !layer.hook.is_enabled() {
            return None;
        }
        // On the heap: futures are moved often, and this would make them large for those too who watch nothing.
        Some(Box::new(Self {
            span,
            scope,
            method: request.method().clone(),
            uri: request.uri().clone(),
            attempt: CallContext::of(request.extensions()).and_then(CallContext::attempt),
            started: Instant::now(),
            layer: layer.clone(),
            is_finished: false,
        }))
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    pub(crate) fn finish<R>(mut self, result: &Result<Response<R>, BoxError>) {
        self.is_finished = true;
        match result {
            Ok(response) => {
                let made = response.extensions().get().map_or(NonZeroU32::MIN, |&Attempts(made)| made);
                let is_refused = response.extensions().get::<Rejection>().is_some();
                let status = response.status();
                self.tell(Some(status), ErrorType::of_status(status, self.scope), is_refused, Some(made));
            }
            Err(error) => {
                let error: &(dyn Error + 'static) = &**error;
                let made = find_source::<RetriesSpent>(error).map(RetriesSpent::attempts);
                let name = ErrorType::named(named::name_of(error));
                self.tell(None, Some(name), Rejection::of(error).is_some(), made);
            }
        }
    }

    fn tell(
        &self,
        status: Option<StatusCode>,
        error: Option<ErrorType>,
        is_refused: bool,
        made: Option<NonZeroU32>,
    ) {
        let record = Record {
            scope: self.scope,
            method: &self.method,
            uri: &self.uri,
            status,
            error,
            is_refused,
            took: self.started.elapsed(),
            attempts: match self.scope {
                Scope::Call => made,
                Scope::Attempt => self.attempt.or(Some(NonZeroU32::MIN)),
            },
        };
        span::finish(&self.span, &record);
        self.layer.hook.finished(&record);
    }
}

impl<H: Hook> Drop for Entry<H> {
    fn drop(&mut self) {
        if !self.is_finished {
            self.tell(None, Some(ErrorType::DROPPED), false, None);
        }
    }
}
