use std::num::NonZeroUsize;
use std::sync::Arc;

use bartizan_core::{Entry, Origin, PerOrigin};
use http::Uri;

use crate::{CircuitBreaker, CircuitOpen, OnTransition, Permit, Settings, State};

/// The circuits of a layer, which all its services share.
#[derive(Debug)]
pub(crate) struct Circuits<H> {
    settings: Settings,
    hook: H,
    scope: Scope<H>,
}

#[derive(Debug)]
enum Scope<H> {
    PerOrigin(PerOrigin<CircuitBreaker<H>>),
    Shared(CircuitBreaker<H>),
    /// Lets all through.
    None,
}

impl<H: OnTransition + Clone> Circuits<H> {
    pub(crate) fn per_origin(settings: Settings, hook: H, most: NonZeroUsize) -> Self {
        let closed = |breaker: &CircuitBreaker<H>| breaker.state() == State::Closed;
        Self { settings, hook, scope: Scope::PerOrigin(PerOrigin::new(most, closed)) }
    }

    pub(crate) fn shared(breaker: CircuitBreaker<H>, settings: Settings, hook: H) -> Self {
        Self { settings, hook, scope: Scope::Shared(breaker) }
    }

    pub(crate) fn none(settings: Settings, hook: H) -> Self {
        Self { settings, hook, scope: Scope::None }
    }

    /// Leave for a call; `None` where nobody is asked for it.
    pub(crate) fn admit(&self, uri: &Uri) -> Result<Option<Permit<H>>, CircuitOpen> {
        match &self.scope {
            Scope::PerOrigin(origins) => self.of(origins, uri).value().admit().map(Some),
            Scope::Shared(breaker) => breaker.admit().map(Some),
            Scope::None => Ok(None),
        }
    }

    pub(crate) fn look(&self, uri: &Uri) -> Result<(), CircuitOpen> {
        match &self.scope {
            Scope::PerOrigin(origins) => self.of(origins, uri).value().look(),
            Scope::Shared(breaker) => breaker.look(),
            Scope::None => Ok(()),
        }
    }

    pub(crate) fn all(&self) -> Vec<CircuitBreaker<H>> {
        match &self.scope {
            Scope::PerOrigin(origins) => {
                origins.entries().iter().map(|entry| entry.value().clone()).collect()
            }
            Scope::Shared(breaker) => vec![breaker.clone()],
            Scope::None => Vec::new(),
        }
    }

    fn of(&self, origins: &PerOrigin<CircuitBreaker<H>>, uri: &Uri) -> Arc<Entry<CircuitBreaker<H>>> {
        origins.get(uri, || {
            let origin = Origin::of(uri).ok();
            CircuitBreaker::of(origin, self.settings.clone(), self.hook.clone())
        })
    }
}
