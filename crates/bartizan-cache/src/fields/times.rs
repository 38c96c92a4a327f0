use std::time::SystemTime;

use bartizan_core::http_date;
use http::header::{AGE, DATE, EXPIRES, LAST_MODIFIED};
use http::{HeaderMap, HeaderName};

use super::Delta;

/// How old the response was when it was sent, in seconds (RFC 9111 section 5.1). The first member counts; if that is no number there is no
/// age. At most [`Delta::MOST`].
pub(crate) fn age(response: &HeaderMap) -> Option<u32> {
    let members = response.get_all(AGE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let first = members.map(<[u8]>::trim_ascii).find(|member| !member.is_empty())?;
    match Delta::of_digits(first.iter().copied()) {
        Delta::Seconds(seconds) => Some(seconds),
        Delta::Invalid => None,
    }
}

/// `Expires` (RFC 9111 section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expires {
    Absent,
    /// No date, or several lines: already expired.
    Invalid,
    At(SystemTime),
}

impl Expires {
    pub(crate) fn read(response: &HeaderMap, now: SystemTime) -> Self {
        let mut lines = response.get_all(EXPIRES).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Self::Absent,
            (Some(line), None) => {
                http_date(line.as_bytes().trim_ascii(), now).map_or(Self::Invalid, Self::At)
            }
            (Some(_), Some(_)) => Self::Invalid,
        }
    }
}

/// `Date` (RFC 9110 section 6.6.1). Of several lines the first counts.
pub(crate) fn date(response: &HeaderMap, now: SystemTime) -> Option<SystemTime> {
    read(response, &DATE, now)
}

/// `Last-Modified` (RFC 9110 section 8.8.2). Of several lines the first counts.
pub(crate) fn last_modified(response: &HeaderMap, now: SystemTime) -> Option<SystemTime> {
    read(response, &LAST_MODIFIED, now)
}

fn read(response: &HeaderMap, name: &HeaderName, now: SystemTime) -> Option<SystemTime> {
    http_date(response.get(name)?.as_bytes().trim_ascii(), now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::{headers, now};
    use super::*;

    const DECEMBER_1994: &str = "Thu, 01 Dec 1994 16:00:00 GMT";

    fn december_1994() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(786_297_600)
    }

    #[test]
    fn the_first_member_of_age_counts_if_it_is_a_number() {
        for (lines, expected) in [
            (&["7200"][..], Some(7200)),
            (&["0"], Some(0)),
            (&["007"], Some(7)),
            (&["1, 2"], Some(1)),
            (&["1", "2"], Some(1)),
            (&["2", "1"], Some(2)),
            (&["", " , 3 ,4"], Some(3)),
            (&["2147483647"], Some(2_147_483_647)),
            (&["2147483649"], Some(1 << 31)),
            (&["99999999999999999999"], Some(1 << 31)),
            (&["a, 7200"], None),
            (&["a", "7200"], None),
            (&["-7200"], None),
            (&["7200.0"], None),
            (&["7200;foo=bar"], None),
            (&["\"7200\""], None),
            (&["72 00"], None),
            (&[""], None),
            (&[], None),
        ] {
            let lines = lines.iter().map(|line| ("age", *line)).collect::<Vec<_>>();
            assert_eq!(age(&headers(&lines)), expected, "{lines:?}");
        }
    }

    #[test]
    fn expires_is_a_date_or_has_passed() {
        let at = Expires::At(december_1994());
        for (lines, expected) in [
            (&[][..], Expires::Absent),
            (&[DECEMBER_1994], at),
            (&[" thu, 01 dec 1994 16:00:00 gmt "], at),
            (&["Thursday, 01-Dec-94 16:00:00 GMT"], at),
            (&["Thu Dec  1 16:00:00 1994"], at),
            (&["0"], Expires::Invalid),
            (&[""], Expires::Invalid),
            (&["Thu, 01 Dec 1994 16:00:00 UTC"], Expires::Invalid),
            (&["Thu, 1 Dec 1994 16:00:00 GMT"], Expires::Invalid),
            (&["1994-12-01T16:00:00Z"], Expires::Invalid),
            (&[DECEMBER_1994, DECEMBER_1994], Expires::Invalid),
            (&[DECEMBER_1994, ""], Expires::Invalid),
        ] {
            let lines = lines.iter().map(|line| ("expires", *line)).collect::<Vec<_>>();
            assert_eq!(Expires::read(&headers(&lines), now()), expected, "{lines:?}");
        }
    }

    #[test]
    fn date_and_last_modified_are_strict_dates_of_their_first_lines() {
        for (name, read) in
            [("date", date as fn(&HeaderMap, SystemTime) -> _), ("last-modified", last_modified)]
        {
            let of = |lines: &[&str]| {
                read(&headers(&lines.iter().map(|line| (name, *line)).collect::<Vec<_>>()), now())
            };
            assert_eq!(of(&[DECEMBER_1994]), Some(december_1994()), "{name}");
            assert_eq!(of(&[DECEMBER_1994, "0"]), Some(december_1994()), "{name}");
            assert_eq!(of(&["0", DECEMBER_1994]), None, "{name}");
            assert_eq!(of(&["Thu, 01 Dec 1994 16:00:00 PST"]), None, "{name}");
            assert_eq!(of(&[]), None, "{name}");
        }
    }

    #[test]
    fn a_date_of_two_digits_is_of_the_century_that_now_says() {
        let fields = headers(&[("expires", "Monday, 01-Jan-70 00:00:00 GMT")]);
        let hundred_years = Duration::from_secs(36_525 * 86_400);
        let read = |now| Expires::read(&fields, now);
        assert_eq!(read(SystemTime::UNIX_EPOCH), Expires::At(SystemTime::UNIX_EPOCH));
        assert_eq!(read(now() + hundred_years / 10), Expires::At(SystemTime::UNIX_EPOCH + hundred_years));
    }
}
