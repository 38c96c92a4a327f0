use std::sync::Arc;

use bartizan_core::Origin;

use crate::Transition;

/// Told of every change of a circuit's state, outside of any lock. `()` is told nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of this layer",
    label = "needs `bartizan_circuit_breaker::OnTransition`",
    note = "a closure `|origin: Option<&Origin>, transition: &Transition|` is one, and so is an `Arc` of one"
)]
pub trait OnTransition {
    /// The circuit of `origin`, or of none, has changed.
    fn transition(&self, origin: Option<&Origin>, transition: &Transition);
}

impl OnTransition for () {
    fn transition(&self, _: Option<&Origin>, _: &Transition) {}
}

impl<H: OnTransition + ?Sized> OnTransition for Arc<H> {
    fn transition(&self, origin: Option<&Origin>, transition: &Transition) {
        (**self).transition(origin, transition);
    }
}

impl<F: Fn(Option<&Origin>, &Transition)> OnTransition for F {
    fn transition(&self, origin: Option<&Origin>, transition: &Transition) {
        self(origin, transition);
    }
}
