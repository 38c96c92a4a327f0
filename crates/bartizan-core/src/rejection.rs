use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::RetriesSpent;
use crate::error::chain;

/// The mark of a *local* refusal: a layer said no, and nothing was sent.
///
/// Every error by which a layer refuses a call on its own account (an open circuit, an empty bucket, a deadline that is
/// over before the start) has a `Rejection` in its chain of sources; every answer that stands for such a refusal has one in
/// its extensions. All other layers are neutral to it: it says nothing about the origin.
///
/// ```
/// use std::time::Duration;
/// use bartizan_core::Rejection;
///
/// let rejection = Rejection::new(Some(Duration::from_millis(1500)));
/// assert_eq!(rejection.to_string(), "nothing was sent; may be tried again in 1.5s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    retry_in: Option<Duration>,
}

impl Rejection {
    /// A refusal that may be tried again after `retry_in`, or `None` where waiting does not help or nobody knows.
    pub const fn new(retry_in: Option<Duration>) -> Self {
        Self { retry_in }
    }

    /// The rejection that makes `error` a local refusal: one in its chain of sources, unless that belongs to the last of
    /// several attempts ([`RetriesSpent`]), the first of which was sent.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        chain(error)
            .take_while(|error| !error.is::<RetriesSpent>())
            .find_map(|error| error.downcast_ref())
            .copied()
    }

    /// How long until the refusing layer may let a call through, measured from the refusal.
    pub const fn retry_in(&self) -> Option<Duration> {
        self.retry_in
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.retry_in {
            Some(wait) => write!(f, "nothing was sent; may be tried again in {wait:?}"),
            None => f.write_str("nothing was sent"),
        }
    }
}

impl Error for Rejection {}
