use super::members::Argument;

/// Seconds (RFC 9111 section 1.2.2), which may not be any. What is invalid is less than everything, so that the lesser of two is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Delta {
    /// The directive is there, and its argument is missing or no number: its response is stale (RFC 9111 section 4.2.1).
    Invalid,
    /// At most [`Delta::MOST`].
    Seconds(u32),
}

impl Delta {
    /// 2^31, for which all that is greater is taken: more than a life.
    pub(crate) const MOST: u32 = 1 << 31;

    /// What it is worth in arithmetic: nothing if it is invalid.
    pub(crate) fn seconds(self) -> u32 {
        match self {
            Self::Invalid => 0,
            Self::Seconds(seconds) => seconds,
        }
    }

    pub(super) fn of(argument: Argument<'_>) -> Self {
        argument.text().map_or(Self::Invalid, Self::of_digits)
    }

    /// Digits and nothing else: no sign, no fraction, no space.
    pub(super) fn of_digits(text: impl IntoIterator<Item = u8>) -> Self {
        let mut seconds = None;
        for byte in text {
            let true = byte.is_ascii_digit() else { return Self::Invalid };
            let more = seconds.unwrap_or(0_u32).saturating_mul(10).saturating_add(u32::from(byte - b'0'));
            seconds = Some(more.min(Self::MOST));
        }
        seconds.map_or(Self::Invalid, Self::Seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::Delta::{Invalid, Seconds};
    use super::*;

    #[test]
    fn digits_are_seconds_and_nothing_else_is() {
        for (text, expected) in [
            ("0", Seconds(0)),
            ("007", Seconds(7)),
            ("2147483647", Seconds(2_147_483_647)),
            ("2147483648", Seconds(1 << 31)),
            ("2147483649", Seconds(1 << 31)),
            ("4294967296", Seconds(1 << 31)),
            ("99999999999999999999999999999999", Seconds(1 << 31)),
            ("", Invalid),
            ("-1", Invalid),
            ("+1", Invalid),
            ("1.0", Invalid),
            ("1e3", Invalid),
            ("1 ", Invalid),
            (" 1", Invalid),
            ("1a", Invalid),
            ("0x1", Invalid),
            ("99999999999999999999999999999999a", Invalid),
        ] {
            assert_eq!(Delta::of_digits(text.bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn the_lesser_is_the_stricter() {
        assert!(Invalid < Seconds(0) && Seconds(0) < Seconds(1));
        assert_eq!([Invalid.seconds(), Seconds(9).seconds()], [0, 9]);
    }
}
