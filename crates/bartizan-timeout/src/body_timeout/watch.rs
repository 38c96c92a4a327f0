//! How long a body was waited for, and what came. Reads no clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::MinThroughput;

/// What one body is held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) idle: Duration,
    pub(super) floor: Option<MinThroughput>,
}

/// The waits of one body. A wait begins with a poll that finds nothing and ends when something comes; what the caller does
/// between two waits takes no time here, nor how long he leaves a frame lying.
#[derive(Debug)]
pub(super) struct Watch {
    limits: Limits,
    waiting: Option<Waiting>,
    bytes: u64,
    window: Window,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Instant,
    /// The part before this is in windows that are closed.
    counted: Instant,
}

/// Of the throughput.
#[derive(Clone, Copy, Debug)]
struct Window {
    length: Duration,
    waited: Duration,
    bytes: u64,
}

/// Why a body is not waited for any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Stalled { limit: Duration, elapsed: Duration },
    TooSlow { floor: MinThroughput, elapsed: Duration, window_bytes: u64 },
}

impl Window {
    fn new(length: Duration) -> Self {
        Self { length, waited: Duration::ZERO, bytes: 0 }
    }

    fn left(&self) -> Duration {
        self.length.saturating_sub(self.waited)
    }
}

impl Watch {
    pub(super) fn new(limits: Limits) -> Self {
        let first = limits.floor.map_or(Duration::ZERO, |floor| floor.first_window());
        Self { limits, waiting: None, bytes: 0, window: Window::new(first) }
    }

    /// All that came.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it matters how long the waits are that end with a frame.
    pub(super) fn adds_waits_up(&self) -> bool {
        self.limits.floor.is_some()
    }

    /// A frame was there. When it came is asked only if it was waited for and that matters.
    pub(super) fn frame(&mut self, bytes: usize, came: impl FnOnce() -> Instant) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.window.bytes = self.window.bytes.saturating_add(bytes as u64);
        if let Some(waiting) = self.waiting.take()
            && self.adds_waits_up()
        {
            self.window.waited = self.window.waited.saturating_add(came() - waiting.counted);
        }
    }

    /// Nothing was there. Until when to wait for it, `None` for ever.
    pub(super) fn nothing(&mut self, now: Instant) -> Result<Option<Instant>, Fault> {
        let waiting = self.waiting.get_or_insert(Waiting { since: now, counted: now });
        let (limit, elapsed) = (self.limits.idle, now - waiting.since);
        if elapsed >= limit {
            return Err(Fault::Stalled { limit, elapsed });
        }
        let mut until = waiting.since.checked_add(limit);
        if let Some(floor) = self.limits.floor {
            // Twice at most: a window in which nothing came is not followed by another.
            while now - waiting.counted >= self.window.left() {
                if self.window.bytes < floor.bytes() {
                    let elapsed = self.window.waited.saturating_add(now - waiting.counted);
                    return Err(Fault::TooSlow { floor, elapsed, window_bytes: self.window.bytes });
                }
                waiting.counted += self.window.left();
                self.window = Window::new(floor.window());
            }
            let closes = waiting.counted.checked_add(self.window.left());
            until = [until, closes].into_iter().flatten().min();
        }
        Ok(until)
    }
}

#[cfg(test)]
mod tests;
