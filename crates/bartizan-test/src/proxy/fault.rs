use std::{num::NonZeroUsize, time::Duration};

/// What the proxy does to one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Forwards everything.
    Pass,
    /// Accepts and resets at once; the upstream hears nothing.
    Refuse,
    /// Waits before it connects to the upstream, then forwards everything.
    Delay(Duration),
    /// Forwards this many bytes to the upstream, then resets both sides.
    ResetAfterUp(u64),
    /// Forwards this many bytes to the client, then resets both sides.
    ResetAfterDown(u64),
    /// Forwards this many bytes to the client, then sends it a FIN and goes on forwarding what it sends.
    HalfCloseAfterDown(u64),
    /// Forwards at most `bytes` each way every `tick`.
    Throttle {
        /// Bytes a tick, for each direction.
        bytes: NonZeroUsize,
        /// The time from one helping to the next.
        tick: Duration,
    },
    /// Reads what the client sends and forwards nothing; the upstream hears nothing.
    BlackHole,
    /// Closes both sides once no byte has passed either way for this long.
    CloseIdle(Duration),
}

/// Decides the fault of each connection; connections count from 0.
///
/// Closures are plans, and so is a [`Fault`] (for every connection) and a [`Sequence`].
pub trait Plan: Send + Sync + 'static {
    /// The fault of this connection.
    fn fault(&self, connection: usize) -> Fault;
}

impl<F> Plan for F
where
    F: Fn(usize) -> Fault + Send + Sync + 'static,
{
    fn fault(&self, connection: usize) -> Fault {
        self(connection)
    }
}

impl Plan for Fault {
    fn fault(&self, _: usize) -> Fault {
        *self
    }
}

/// A list of faults, one for each connection in the order they come; the last repeats.
#[derive(Clone, Debug)]
pub struct Sequence(Vec<Fault>);

impl Sequence {
    /// These faults in turn.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        let faults: Vec<_> = faults.into_iter().collect();
        assert!(!faults.is_empty(), "a sequence has at least one fault");
        Self(faults)
    }
}

impl Plan for Sequence {
    fn fault(&self, connection: usize) -> Fault {
        self.0[connection.min(self.0.len() - 1)]
    }
}
