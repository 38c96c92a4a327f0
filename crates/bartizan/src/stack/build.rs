use std::fmt;
use std::sync::Arc;

use tower_layer::{Layer, Stack as Nested};

use super::check::check;
use super::part::Facts;
use super::shown::Shown;
use super::{InvalidStack, Part, Stack, Warning};

/// What a [`Stack`] is made into: the inner ones first.
#[rustfmt::skip]
pub type Layers<C, I, D, K, R, A, G, L, B, T, M, W> =
    Nested<Nested<Nested<Nested<Nested<Nested<Nested<Nested<Nested<Nested<Nested<W, M>, T>, B>, L>, G>, A>, R>, K>, D>, I>, C>;

/// What building a [`Stack`] comes to. The outer halves of auth and breaker follow from these.
type Built<C, D, K, R, A, L, B, T, M, W> =
    BuiltStack<Layers<C, <A as Part>::Outer, D, K, R, A, <B as Part>::Outer, L, B, T, M, W>>;

impl<C, D, K, R, A, L, B, T, M, W> Stack<C, D, K, R, A, L, B, T, M, W>
where
    C: Part,
    D: Part,
    K: Part,
    R: Part,
    A: Part,
    L: Part,
    B: Part,
    T: Part,
    M: Part,
    W: Part,
{
    /// Checks what was set, and puts it into its order.
    ///
    /// # Errors
    /// For what cannot be meant: an attempt that may take longer than the whole call, retry in two places, or a cache that would show one caller's answers to
    /// others since auth does not stand in its place.
    #[expect(clippy::type_complexity, reason = "each of the ten places has a type")]
    pub fn build(self) -> Result<Built<C, D, K, R, A, L, B, T, M, W>, InvalidStack> {
        let places = self.places();
        let (warnings, shown) = (check(&places)?, Shown::new(&places));
        for warning in &warnings {
            crate::trace::warning(warning);
        }
        let (identity, gate) = (self.auth.outer(), self.breaker.outer());
        let layers = Nested::new(self.body_timeout, self.attempt_timeout);
        let layers = Nested::new(Nested::new(layers, self.attempts), self.breaker);
        let layers = Nested::new(Nested::new(layers, self.limit), gate);
        let layers = Nested::new(Nested::new(layers, self.auth), self.retry);
        let layers = Nested::new(Nested::new(layers, self.cache), self.deadline);
        let layers = Nested::new(Nested::new(layers, identity), self.calls);
        Ok(BuiltStack { layers, shown: Arc::new(shown), warnings: warnings.into() })
    }

    /// What is known of each, outermost first.
    fn places(&self) -> [Facts; 10] {
        [
            self.calls.facts(),
            self.deadline.facts(),
            self.cache.facts(),
            self.retry.facts(),
            self.auth.facts(),
            self.limit.facts(),
            self.breaker.facts(),
            self.attempts.facts(),
            self.attempt_timeout.facts(),
            self.body_timeout.facts(),
        ]
    }
}

/// The order, before it is checked.
impl<C, D, K, R, A, L, B, T, M, W> fmt::Debug for Stack<C, D, K, R, A, L, B, T, M, W>
where
    C: Part,
    D: Part,
    K: Part,
    R: Part,
    A: Part,
    L: Part,
    B: Part,
    T: Part,
    M: Part,
    W: Part,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown::new(&self.places()).fmt(f)
    }
}

/// A [`Stack`] in its order: a [`Layer`]. `Debug` shows the order, and when attempts are made.
#[derive(Clone)]
pub struct BuiltStack<L> {
    layers: L,
    shown: Arc<Shown>,
    warnings: Arc<[Warning]>,
}

impl<L> BuiltStack<L> {
    /// What may not have been meant. With the feature `tracing` each was an event at `warn` when it was built.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl<S, L: Layer<S>> Layer<S> for BuiltStack<L> {
    type Service = L::Service;

    fn layer(&self, inner: S) -> L::Service {
        self.layers.layer(inner)
    }
}

impl<L> fmt::Debug for BuiltStack<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(f)?;
        self.warnings.iter().try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}
