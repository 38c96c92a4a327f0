use std::sync::Arc;

use crate::Record;

/// Told of every call or attempt that ended. `()` is told nothing.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use bartizan_observe::{Hook, ObserveLayer, Record};
///
/// #[derive(Default)]
/// struct Errors(AtomicU64);
///
/// impl Hook for Errors {
///     fn finished(&self, record: &Record<'_>) {
///         self.0.fetch_add(u64::from(record.error.is_some()), Ordering::Relaxed);
///     }
/// }
///
/// let errors = Arc::new(Errors::default());
/// let layer = ObserveLayer::call().hook(errors.clone());
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of this layer",
    label = "needs `bartizan_observe::Hook`",
    note = "a closure is none: implement `finished` for a type of your own; an `Arc` of a hook is one too"
)]
pub trait Hook {
    /// Called before the result is returned, or while the future is dropped: it must not panic.
    fn finished(&self, record: &Record<'_>);

    /// Whether records are wanted at all, asked at each call. `true` by default. If not, and nobody listens to `tracing`,
    /// the layer measures nothing.
    fn is_enabled(&self) -> bool {
        true
    }
}

impl Hook for () {
    fn finished(&self, _: &Record<'_>) {}

    fn is_enabled(&self) -> bool {
        false
    }
}

impl<H: Hook + ?Sized> Hook for Arc<H> {
    fn finished(&self, record: &Record<'_>) {
        (**self).finished(record);
    }

    fn is_enabled(&self) -> bool {
        (**self).is_enabled()
    }
}
