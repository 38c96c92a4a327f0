use std::time::{Duration, SystemTime};

/// Reads an HTTP date (RFC 9110 section 5.6.7): IMF-fixdate, and the obsolete RFC 850 and asctime forms.
///
/// The forms are read strictly, but for the letter case of names and `GMT`. The day's name must be one, and is not
/// compared with the date. `now` decides the century of a two-digit year: the latest that is at most 50 years ahead.
/// A second of 60 is read as the next second.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use bartizan_core::http_date;
///
/// let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
///     assert_eq!(http_date(date.as_bytes(), now), Some(expected));
/// }
/// assert_eq!(http_date(b"1994-11-06T08:49:37Z", now), None);
/// ```
pub fn http_date(text: &[u8], now: SystemTime) -> Option<SystemTime> {
    let mut text = Text(text);
    let day_name = text.word();
    match text.0.first()? {
        b',' if DAYS.iter().any(|day| is(day_name, &day[..3])) => imf_fixdate(text),
        b',' if DAYS.iter().any(|day| is(day_name, day)) => rfc_850(text, now),
        b' ' if DAYS.iter().any(|day| is(day_name, &day[..3])) => asctime(text),
        _ => None,
    }
}

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;

// `, 06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(mut text: Text<'_>) -> Option<SystemTime> {
    text.literal(b", ")?;
    let day = text.digits(2)?;
    text.literal(b" ")?;
    let month = text.month()?;
    text.literal(b" ")?;
    let year = text.digits(4)?;
    text.literal(b" ")?;
    let time = text.time_of_day()?;
    text.gmt()?;
    date(seconds(year, month, day, time)?)
}

// `, 06-Nov-94 08:49:37 GMT`
fn rfc_850(mut text: Text<'_>, now: SystemTime) -> Option<SystemTime> {
    text.literal(b", ")?;
    let day = text.digits(2)?;
    text.literal(b"-")?;
    let month = text.month()?;
    text.literal(b"-")?;
    let year = text.digits(2)?;
    text.literal(b" ")?;
    let time = text.time_of_day()?;
    text.gmt()?;
    let now = match now.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).ok()?,
        Err(before) => i64::try_from(before.duration().as_secs()).ok()?.checked_neg()?,
    };
    // The latest that is at most 50 years ahead, counted in years: 50 before a 29 February comes its 28th.
    let candidate = |year: i64| {
        let at = seconds(year, month, day, time)?;
        let fifty_earlier =
            seconds(year - 50, month, day, time).or(seconds(year - 50, month, day - 1, time))?;
        (fifty_earlier <= now).then_some(at)
    };
    (1900..=2300).rev().step_by(100).find_map(|century| candidate(century + year)).and_then(date)
}

// ` Nov  6 08:49:37 1994`
fn asctime(mut text: Text<'_>) -> Option<SystemTime> {
    text.literal(b" ")?;
    let month = text.month()?;
    text.literal(b" ")?;
    let day = if text.literal(b" ").is_some() { text.digits(1)? } else { text.digits(2)? };
    text.literal(b" ")?;
    let time = text.time_of_day()?;
    text.literal(b" ")?;
    let year = text.digits(4)?;
    text.end()?;
    date(seconds(year, month, day, time)?)
}

/// What is still to be read.
#[derive(Clone, Copy)]
struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    fn word(&mut self) -> &'a [u8] {
        let letters = self.0.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, rest) = self.0.split_at(letters);
        self.0 = rest;
        word
    }

    fn literal(&mut self, literal: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits
            .iter()
            .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    }

    fn month(&mut self) -> Option<usize> {
        let word = self.word();
        MONTHS.iter().position(|month| is(word, month))
    }

    /// Seconds since midnight.
    fn time_of_day(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        self.literal(b":")?;
        let minute = self.digits(2)?;
        self.literal(b":")?;
        let second = self.digits(2)?;
        (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
    }

    fn gmt(&mut self) -> Option<()> {
        self.literal(b" ")?;
        is(self.word(), "GMT").then_some(())?;
        self.end()
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

fn is(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

/// Seconds since 1970-01-01; `None` for a day that the month does not have.
fn seconds(year: i64, month: usize, day: i64, time_of_day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if !(1..=lengths[month]).contains(&day) {
        return None;
    }
    let leap_days_before = |year: i64| {
        let last = year - 1;
        last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400)
    };
    let days_to_year = 365 * (year - 1970) + leap_days_before(year) - leap_days_before(1970);
    let days_to_month: i64 = lengths[..month].iter().sum();
    Some((days_to_year + days_to_month + day - 1) * DAY + time_of_day)
}

fn date(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// 2026-11-24T00:00:00Z
    const NOW: u64 = 1_795_478_400;

    fn read(text: &str) -> Option<u64> {
        http_date(text.as_bytes(), at(NOW))
            .map(|date| date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn the_three_forms() {
        let table = [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777),
            ("Sun Nov 16 08:49:37 1994", 784_975_777),
            ("sun, 06 nov 1994 08:49:37 gmt", 784_111_777),
            ("SUNDAY, 06-NOV-94 08:49:37 GMT", 784_111_777),
            ("Mon, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ];
        for (text, expected) in table {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(http_date(b"Wed, 31 Dec 1969 23:59:59 GMT", at(NOW)), Some(before));
    }

    #[test]
    fn a_two_digit_year_is_at_most_fifty_years_ahead() {
        // The day's name is not compared with the date.
        let full = |date: &str| read(&format!("Mon, {date} GMT")).unwrap();
        let table = [
            // To the second.
            ("24 Nov 2026 00:00:00", "23-Nov-76 12:00:00", "23 Nov 2076 12:00:00"),
            ("24 Nov 2026 00:00:00", "24-Nov-76 00:00:00", "24 Nov 2076 00:00:00"),
            ("24 Nov 2026 00:00:00", "24-Nov-76 00:00:01", "24 Nov 1976 00:00:01"),
            // Near the end of a century the next one is meant.
            ("01 Dec 2099 00:00:00", "01-Jan-01 00:00:00", "01 Jan 2101 00:00:00"),
            // Fifty years before a 29 February there is none.
            ("28 Feb 2026 13:00:00", "29-Feb-76 12:00:00", "29 Feb 2076 12:00:00"),
            ("28 Feb 2026 11:00:00", "29-Feb-76 12:00:00", "29 Feb 1976 12:00:00"),
            ("01 Jan 2060 00:00:00", "29-Feb-00 00:00:00", "29 Feb 2000 00:00:00"),
        ];
        for (now, date, expected) in table {
            let read = http_date(format!("Monday, {date} GMT").as_bytes(), at(full(now)));
            assert_eq!(read, Some(at(full(expected))), "{date} at {now}");
        }
    }

    #[test]
    fn no_now_is_too_far_away() {
        for now in [
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(i64::MAX as u64)).unwrap(),
            SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(i64::MAX as u64)).unwrap(),
        ] {
            let _ = http_date(b"Sunday, 06-Nov-94 08:49:37 GMT", now);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let table = [
            "",
            "Sun",
            "Sun,",
            "Sunday",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sonday, 06-Nov-94 08:49:37 GMT",
            "Son Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            " Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Wed, 29 Feb 2023 00:00:00 GMT",
            "Sun, 06 Nov 1994 08.49.37 GMT",
            "Sun, 06  Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun Nov 06 08:49:37 1994 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 94",
            "784111777",
            "0",
            "-1",
        ];
        for text in table {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_second_implementation(seconds in 0..253_402_300_800_u64) {
            let date = at(seconds);
            prop_assert_eq!(http_date(httpdate::fmt_http_date(date).as_bytes(), at(NOW)), Some(date));
        }

        #[test]
        fn no_bytes_panic(text in proptest::collection::vec(any::<u8>(), 0..40), now in any::<u32>()) {
            let _ = http_date(&text, at(now.into()));
        }

        #[test]
        fn no_broken_date_panics(position in 0..29_usize, byte in any::<u8>()) {
            for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
                let mut text = date.as_bytes().to_vec();
                if let Some(place) = text.get_mut(position) {
                    *place = byte;
                }
                let _ = http_date(&text, at(NOW));
                let _ = http_date(&text[..position.min(text.len())], SystemTime::UNIX_EPOCH - Duration::from_secs(NOW));
            }
        }
    }
}
