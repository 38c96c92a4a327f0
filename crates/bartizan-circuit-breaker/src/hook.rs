use std::sync::Arc;

use bartizan_core::Subject;

use crate::Transition;

/// Told of every change of a circuit's state, outside of any lock. `()` is told nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of this layer",
    label = "needs `bartizan_circuit_breaker::OnTransition`",
    note = "a closure `|subject: &Subject, transition: &Transition|` is one, and so is an `Arc` of one"
)]
pub trait OnTransition {
    /// The circuit of `subject` has changed.
    fn transition(&self, subject: &Subject, transition: &Transition);
}

impl OnTransition for () {
    fn transition(&self, _: &Subject, _: &Transition) {}
}

impl<H: OnTransition + ?Sized> OnTransition for Arc<H> {
    fn transition(&self, subject: &Subject, transition: &Transition) {
        (**self).transition(subject, transition);
    }
}

impl<F: Fn(&Subject, &Transition)> OnTransition for F {
    fn transition(&self, subject: &Subject, transition: &Transition) {
        self(subject, transition);
    }
}
