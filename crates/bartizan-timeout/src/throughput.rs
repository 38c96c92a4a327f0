use std::error::Error;
use std::fmt;
use std::time::Duration;

/// How many bytes of a body must come within a window of waiting for them.
///
/// ```
/// use std::time::Duration;
/// use bartizan_timeout::MinThroughput;
///
/// // 1 KiB/s, measured over half a minute, once the body had ten seconds to get going.
/// let floor = MinThroughput::new(30 * 1024, Duration::from_secs(30))?.after(Duration::from_secs(10));
/// # let _ = floor;
/// # Ok::<(), bartizan_timeout::InvalidThroughput>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinThroughput {
    bytes: u64,
    window: Duration,
    grace: Duration,
}

impl MinThroughput {
    /// At least `bytes` within each `window`.
    ///
    /// Windows follow each other and do not overlap, so a body that falls silent is found out within two of them. A short
    /// window finds it sooner, and takes a pause of the network for a slow origin.
    ///
    /// # Errors
    /// When either is zero, which would bound nothing or everything.
    pub const fn new(bytes: u64, window: Duration) -> Result<Self, InvalidThroughput> {
        if bytes == 0 {
            return Err(InvalidThroughput { fault: Fault::Bytes });
        }
        if window.is_zero() {
            return Err(InvalidThroughput { fault: Fault::Window });
        }
        Ok(Self { bytes, window, grace: Duration::ZERO })
    }

    /// Makes the first window so much longer. By default it is as long as the others.
    #[must_use]
    pub const fn after(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How many bytes must come.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Within which time of waiting.
    pub const fn window(&self) -> Duration {
        self.window
    }

    pub(crate) const fn first_window(&self) -> Duration {
        self.window.saturating_add(self.grace)
    }
}

/// A throughput that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidThroughput {
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Bytes,
    Window,
}

impl fmt::Display for InvalidThroughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.fault {
            Fault::Bytes => {
                "a throughput of at least 0 bytes bounds nothing; leave it out, or ask for 1 at least"
            }
            Fault::Window => "a throughput cannot be measured within no time; give it a window, such as 30s",
        })
    }
}

impl Error for InvalidThroughput {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_makes_no_sense_is_refused_with_the_fix() {
        let refused = |bytes, window| MinThroughput::new(bytes, window).unwrap_err().to_string();
        assert!(refused(0, SECOND).contains("leave it out"));
        assert!(refused(1, Duration::ZERO).contains("give it a window"));
        assert!(MinThroughput::new(1, Duration::from_nanos(1)).is_ok());
    }

    #[test]
    fn a_grace_makes_the_first_window_longer() {
        let floor = MinThroughput::new(1, 2 * SECOND).unwrap();
        assert_eq!(floor.first_window(), 2 * SECOND);
        assert_eq!(floor.after(SECOND).first_window(), 3 * SECOND);
        assert_eq!(floor.after(Duration::MAX).first_window(), Duration::MAX);
        assert_eq!(floor.after(SECOND).window(), 2 * SECOND);
    }
}
