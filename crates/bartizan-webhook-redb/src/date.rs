use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A date as it is written down. It sorts as dates do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date {
    /// Since 1970, rounded down.
    pub(crate) seconds: i64,
    /// Above that.
    pub(crate) nanos: u32,
}

impl Date {
    pub(crate) const EPOCH: Self = Self { seconds: 0, nanos: 0 };
}

impl From<SystemTime> for Date {
    fn from(date: SystemTime) -> Self {
        match date.duration_since(UNIX_EPOCH) {
            Ok(since) => Self {
                seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
                nanos: since.subsec_nanos(),
            },
            Err(before) => {
                let before = before.duration();
                let up = u32::from(before.subsec_nanos() > 0);
                let seconds = 0_i64.saturating_sub_unsigned(before.as_secs()).saturating_sub(i64::from(up));
                Self { seconds, nanos: up * 1_000_000_000 - before.subsec_nanos() }
            }
        }
    }
}

impl From<Date> for SystemTime {
    /// What this platform cannot tell becomes 1970: nobody wrote it here.
    fn from(date: Date) -> Self {
        let seconds = Duration::from_secs(date.seconds.unsigned_abs());
        let second = match date.seconds {
            0.. => UNIX_EPOCH.checked_add(seconds),
            _ => UNIX_EPOCH.checked_sub(seconds),
        };
        second
            .and_then(|second| second.checked_add(Duration::from_nanos(date.nanos.into())))
            .unwrap_or(UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_date_comes_back_and_sorts_as_it_did(a in any::<(i64, u32)>(), b in any::<(i64, u32)>()) {
            let [a, b] = [a, b].map(|(seconds, nanos)| Date { seconds, nanos: nanos % 1_000_000_000 });
            let dates = [a, b].map(SystemTime::from);
            prop_assert_eq!(dates.map(Date::from), [a, b]);
            prop_assert_eq!(dates[0].cmp(&dates[1]), a.cmp(&b));
        }
    }
}
