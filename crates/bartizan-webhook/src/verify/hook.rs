use std::sync::Arc;

use super::Refused;
use crate::Verified;

/// Told what becomes of each request. `()` is told nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of this layer",
    label = "needs `bartizan_webhook::verify::Hook`",
    note = "a closure `|verdict: &Verdict<'_>|` is one, and so is an `Arc` of one"
)]
pub trait Hook {
    /// It is settled.
    fn verdict(&self, verdict: &Verdict<'_>);
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Verdict<'a> {
    /// It is let through.
    Passed(&'a Verified),
    /// It is the sender's, and answered here.
    #[non_exhaustive]
    Handshake {
        /// The name of the scheme.
        scheme: &'a str,
    },
    /// It is not let through.
    Refused(&'a Refused),
}

impl Hook for () {
    fn verdict(&self, _: &Verdict<'_>) {}
}

impl<H: Hook + ?Sized> Hook for Arc<H> {
    fn verdict(&self, verdict: &Verdict<'_>) {
        (**self).verdict(verdict);
    }
}

impl<F: Fn(&Verdict<'_>)> Hook for F {
    fn verdict(&self, verdict: &Verdict<'_>) {
        self(verdict);
    }
}
