use std::sync::Arc;

use super::Record;

/// Told of every call or attempt that ended. `()` is told nothing.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use bartizan_client::log::{Ended, Hook, LogLayer, Record};
///
/// #[derive(Default)]
/// struct Failures(AtomicU64);
///
/// impl Hook for Failures {
///     fn finished(&self, record: &Record<'_>) {
///         self.0.fetch_add(u64::from(record.ended == Ended::Failed), Ordering::Relaxed);
///     }
/// }
///
/// let failures = Arc::new(Failures::default());
/// let layer = LogLayer::call().hook(failures.clone());
/// # let _ = layer;
/// ```
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
