use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;

use bartizan_core::{
    Attempts, BoxError, CallContext, Classify, Head, Outcome, RetriesSpent, classify, find_source,
};
use http::{Request, Response, StatusCode};
use tokio::time::Instant;

use super::{Ended, Hook, LogLayer, Record, Scope, trace};
use crate::version::Endpoint;

/// A line to be: whoever drops it unfinished writes `dropped`.
pub(super) struct Entry<C, H>
where
    H: Hook,
{
    endpoint: Endpoint,
    started: Instant,
    attempt: Option<NonZeroU32>,
    layer: Arc<LogLayer<C, H>>,
    is_finished: bool,
}

impl<C, H: Hook> Entry<C, H> {
    /// None if nobody wants to hear of the call.
    pub(super) fn of<B>(request: &Request<B>, layer: &Arc<LogLayer<C, H>>) -> Option<Self> {
        let scope = layer.scope()?;
        (layer.told().is_enabled() || trace::is_enabled(scope)).then(|| Self {
            endpoint: Endpoint::of(request),
            started: Instant::now(),
            attempt: CallContext::of(request.extensions()).and_then(CallContext::attempt),
            layer: layer.clone(),
            is_finished: false,
        })
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn finish<R>(mut self, result: &Result<Response<R>, BoxError>)
    where
        C: Classify,
    {
        self.is_finished = true;
        let head = result.as_ref().map(Head::from).map_err(|error| -> &(dyn Error + 'static) { &**error });
        let ended = match classify(self.layer.classifier(), head) {
            Outcome::Success => Ended::Ok,
            Outcome::Neutral => Ended::Refused,
            _ => Ended::Failed,
        };
        let made = match head {
            Ok(head) => Some(head.extensions.get().map_or(NonZeroU32::MIN, |&Attempts(made)| made)),
            Err(error) => find_source::<RetriesSpent>(error).map(RetriesSpent::attempts),
        };
        self.tell(ended, result.as_ref().ok().map(Response::status), head.err(), made);
    }

    fn tell(
        &self,
        ended: Ended,
        status: Option<StatusCode>,
        error: Option<&(dyn Error + 'static)>,
        made: Option<NonZeroU32>,
    ) {
        let Some(scope) = self.layer.scope() else { return };
        let record = Record {
            scope,
            ended,
            method: self.endpoint.method(),
            host: self.endpoint.host(),
            path: self.endpoint.path(),
            status,
            error,
            took: self.started.elapsed(),
            attempts: match scope {
                Scope::Call => made,
                Scope::Attempt => self.attempt.or(Some(NonZeroU32::MIN)),
            },
            uri: self.endpoint.uri(),
        };
        trace::finished(&record);
        self.layer.told().finished(&record);
    }
}

impl<C, H: Hook> Drop for Entry<C, H> {
    fn drop(&mut self) {
        if !self.is_finished {
            self.tell(Ended::Dropped, None, None, None);
        }
    }
}
