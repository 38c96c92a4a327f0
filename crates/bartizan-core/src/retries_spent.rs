use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;

use crate::BoxError;

/// The last error of a call whose retries are spent.
///
/// A layer that sends more than once gives an error back in one of these if it made several attempts, or would have and was
/// not allowed to. It tells outer layers two things: that sending the call again has been tried, so that tiers do not
/// multiply each other's attempts; and that something was sent, whatever the error inside says of its own attempt.
///
/// For a response the mark is [`Attempts`](crate::Attempts) in its extensions.
///
/// ```
/// use std::num::NonZeroU32;
/// use bartizan_core::{Rejection, RetriesSpent, find_source};
///
/// let three = NonZeroU32::new(3).unwrap();
/// let error = RetriesSpent::new(three, std::fmt::Error.into());
/// assert!(find_source::<std::fmt::Error>(&error).is_some());
/// assert!(error.to_string().starts_with("gave up after 3 attempts: "));
///
/// // The last attempt was refused before it was sent; the first was not.
/// let error = RetriesSpent::new(three, Rejection::new(None).into());
/// assert_eq!(Rejection::of(&error), None);
/// ```
#[derive(Debug)]
pub struct RetriesSpent {
    attempts: NonZeroU32,
    error: BoxError,
}

impl RetriesSpent {
    /// `error` was the result of the last of so many attempts.
    pub const fn new(attempts: NonZeroU32, error: BoxError) -> Self {
        Self { attempts, error }
    }

    /// How many attempts were made.
    pub const fn attempts(&self) -> NonZeroU32 {
        self.attempts
    }

    /// The last attempt's error.
    pub fn into_inner(self) -> BoxError {
        self.error
    }
}

impl fmt::Display for RetriesSpent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempts.get() {
            1 => write!(f, "not sent again: {}", self.error),
            attempts => write!(f, "gave up after {attempts} attempts: {}", self.error),
        }
    }
}

impl Error for RetriesSpent {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rejection, find_source};

    fn spent(attempts: u32) -> RetriesSpent {
        RetriesSpent::new(NonZeroU32::new(attempts).unwrap(), Rejection::new(None).into())
    }

    #[test]
    fn says_how_often_it_was_tried() {
        assert_eq!(spent(1).to_string(), "not sent again: nothing was sent");
        assert_eq!(spent(2).to_string(), "gave up after 2 attempts: nothing was sent");
    }

    #[test]
    fn the_error_inside_is_its_source_and_its_refusal_none_of_the_call() {
        let error: BoxError = Box::new(spent(2));
        assert!(find_source::<Rejection>(&*error).is_some());
        assert_eq!(Rejection::of(&*error), None);
        assert!(Rejection::of(&*spent(2).into_inner()).is_some());
        // The refusal of an outer layer is one all the same.
        assert!(Rejection::of(&std::io::Error::other(Rejection::new(None))).is_some());
    }
}
