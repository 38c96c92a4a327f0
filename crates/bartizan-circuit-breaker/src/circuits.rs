use std::num::NonZeroUsize;
use std::sync::Arc;

use bartizan_core::{Entry, KeyBy, PerKey, RequestHead};

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
    PerKey(PerKey<CircuitBreaker<H>>),
    Shared(CircuitBreaker<H>),
    /// Lets all through.
    None,
}

impl<H: OnTransition + Clone> Circuits<H> {
    pub(crate) fn per_key(settings: Settings, hook: H, by: KeyBy, most: NonZeroUsize) -> Self {
        let closed = |breaker: &CircuitBreaker<H>| breaker.state() == State::Closed;
        Self { settings, hook, scope: Scope::PerKey(PerKey::new(by, most, closed)) }
    }

    /// The same for other keys or with another hook, with new circuits. What is disabled stays so.
    pub(crate) fn renewed<G: OnTransition + Clone>(
        &self,
        hook: G,
        by: KeyBy,
        most: NonZeroUsize,
    ) -> Circuits<G> {
        match self.scope {
            Scope::None => Circuits::none(self.settings.clone(), hook),
            _ => Circuits::per_key(self.settings.clone(), hook, by, most),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn hook(&self) -> &H {
        &self.hook
    }

    pub(crate) fn is_per_key(&self) -> bool {
        matches!(self.scope, Scope::PerKey(_))
    }

    pub(crate) fn shared(breaker: CircuitBreaker<H>, settings: Settings, hook: H) -> Self {
        Self { settings, hook, scope: Scope::Shared(breaker) }
    }

    pub(crate) fn none(settings: Settings, hook: H) -> Self {
        Self { settings, hook, scope: Scope::None }
    }

    /// Leave for a call; `None` where nobody is asked for it.
    pub(crate) fn admit(&self, request: &RequestHead<'_>) -> Result<Option<Permit<H>>, CircuitOpen> {
        match &self.scope {
            Scope::PerKey(circuits) => self.of(circuits, request).value().admit().map(Some),
            Scope::Shared(breaker) => breaker.admit().map(Some),
            Scope::None => Ok(None),
        }
    }

    pub(crate) fn look(&self, request: &RequestHead<'_>) -> Result<(), CircuitOpen> {
        match &self.scope {
            Scope::PerKey(circuits) => self.of(circuits, request).value().look(),
            Scope::Shared(breaker) => breaker.look(),
            Scope::None => Ok(()),
        }
    }

    pub(crate) fn all(&self) -> Vec<CircuitBreaker<H>> {
        match &self.scope {
            Scope::PerKey(circuits) => circuits.entries().iter().map(|entry| entry.value().clone()).collect(),
            Scope::Shared(breaker) => vec![breaker.clone()],
            Scope::None => Vec::new(),
        }
    }

    fn of(
        &self,
        circuits: &PerKey<CircuitBreaker<H>>,
        request: &RequestHead<'_>,
    ) -> Arc<Entry<CircuitBreaker<H>>> {
        circuits.get(request, |subject| {
            CircuitBreaker::of(subject.clone(), self.settings.clone(), self.hook.clone())
        })
    }
}
