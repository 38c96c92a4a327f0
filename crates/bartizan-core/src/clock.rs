use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// Where layers read the date: for `Retry-After` dates, signatures, `Age`.
///
/// Durations are never measured with it. Tests put a fixed date or one that follows paused time in its place:
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use bartizan_core::WallClock;
///
/// let clock = WallClock::fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777));
/// assert_eq!(clock.now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs(), 784_111_777);
/// # Ok::<(), std::time::SystemTimeError>(())
/// ```
#[derive(Clone, Default)]
pub struct WallClock(Option<Arc<dyn Fn() -> SystemTime + Send + Sync>>);

impl WallClock {
    /// The system's clock. The default.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that always shows `date`.
    pub fn fixed(date: SystemTime) -> Self {
        Self::from_fn(move || date)
    }

    /// A clock that shows what `read` returns.
    pub fn from_fn(read: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(read)))
    }

    /// The date now.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the system's date")]
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            None => SystemTime::now(),
            Some(read) => read(),
        }
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_none() { "WallClock(system)" } else { "WallClock(injected)" })
    }
}
