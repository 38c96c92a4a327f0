use std::time::{Duration, SystemTime};

use crate::{Head, retry_after};

/// In a response's extensions: what its body says about another attempt, read by a layer inside for those that see the head alone.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use bartizan_core::{Head, RetryHint};
///
/// let mut response = http::Response::new(());
/// let hint = RetryHint { retry_in: Some(Duration::from_secs(2)), ..RetryHint::default() };
/// response.extensions_mut().insert(hint);
/// assert_eq!(Head::from(&response).retry_after(SystemTime::UNIX_EPOCH), hint.retry_in);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
// Exhaustive: layers outside of core make it.
pub struct RetryHint {
    /// How long to wait, counted from the answer. It goes before the field `Retry-After`.
    pub retry_in: Option<Duration>,
    /// The origin says that it did nothing of what was asked, so that even what must not be done twice may be sent again.
    pub unprocessed: bool,
}

impl Head<'_> {
    /// How long the sender asks to wait: by a [`RetryHint`], or by the field ([`retry_after`]).
    pub fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        let hint = self.extensions.get::<RetryHint>();
        hint.and_then(|hint| hint.retry_in).or_else(|| retry_after(self.headers, now))
    }

    /// Whether a [`RetryHint`] says that nothing was done.
    pub fn is_unprocessed(&self) -> bool {
        self.extensions.get::<RetryHint>().is_some_and(|hint| hint.unprocessed)
    }
}

#[cfg(test)]
mod tests {
    use http::Response;
    use http::header::RETRY_AFTER;

    use super::*;

    fn asked(hint: Option<RetryHint>) -> Option<u64> {
        let mut response = Response::builder().header(RETRY_AFTER, "7").body(()).unwrap();
        hint.map(|hint| response.extensions_mut().insert(hint));
        Head::from(&response).retry_after(SystemTime::UNIX_EPOCH).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_hint_goes_before_the_field() {
        let hint = RetryHint { retry_in: Some(Duration::from_secs(2)), unprocessed: false };
        assert_eq!(asked(Some(hint)), Some(2));
        assert_eq!(asked(Some(RetryHint::default())), Some(7), "it says nothing of a wait");
        assert_eq!(asked(None), Some(7));
    }

    #[test]
    fn what_was_done_is_not_known_without_a_hint() {
        let mut response = Response::new(());
        assert!(!Head::from(&response).is_unprocessed());
        for unprocessed in [true, false] {
            response.extensions_mut().insert(RetryHint { unprocessed, retry_in: None });
            assert_eq!(Head::from(&response).is_unprocessed(), unprocessed);
        }
    }
}
