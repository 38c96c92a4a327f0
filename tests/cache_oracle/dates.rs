//! The three formats of RFC 9110 section 5.6.7, letter by letter. Letter case makes no difference (RFC 9111 section 4.2).

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// Seconds since 1970. `now` decides the century of two digits.
pub fn parse(text: &str, now: i64) -> Option<i64> {
    let text = text.to_ascii_lowercase();
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        [day, date, month, year, time, "gmt"] if is_day(day.strip_suffix(',')?, 3) => {
            seconds(number(year, 4)?, month, number(date, 2)?, time)
        }
        [day, date, time, "gmt"] if is_day(day.strip_suffix(',')?, 9) => {
            let [date, month, year] = date.split('-').collect::<Vec<_>>()[..] else { return None };
            let at = |year| seconds(year, month, number(date, 2)?, time);
            let century = 2000 + number(year, 2)?;
            // More than 50 years ahead means the most recent one that has passed.
            let fifty_years = at_most_fifty_years(now);
            (century - 100..=century + 100)
                .rev()
                .step_by(100)
                .filter_map(at)
                .find(|then| *then <= fifty_years)
        }
        [day, month, "", date, time, year] if is_day(day, 3) => {
            seconds(number(year, 4)?, month, number(date, 1)?, time)
        }
        [day, month, date, time, year] if is_day(day, 3) => {
            seconds(number(year, 4)?, month, number(date, 2)?, time)
        }
        _ => None,
    }
}

fn at_most_fifty_years(now: i64) -> i64 {
    now + 50 * 31_556_952
}

fn is_day(day: &str, letters: usize) -> bool {
    DAYS.iter().any(|name| day == &name[..letters.min(name.len())])
}

fn number(digits: &str, count: usize) -> Option<i64> {
    (digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().expect("a few digits"))
}

fn seconds(year: i64, month: &str, day: i64, time: &str) -> Option<i64> {
    let month = MONTHS.iter().position(|name| *name == month)?;
    let [hour, minute, second] = time.split(':').map(|digits| number(digits, 2)).collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let (hour, minute, second) = (hour?, minute?, second?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, 28 + i64::from(is_leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if day < 1 || day > lengths[month] || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let leap_days = |year: i64| year / 4 - year / 100 + year / 400;
    let days_before = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let days = days_before + lengths[..month].iter().sum::<i64>() + day - 1;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[test]
fn the_three_formats_of_the_rfc_are_one_date() {
    let (then, now) = (784_111_777, 1_900_000_000);
    for text in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ] {
        assert_eq!(parse(text, now), Some(then), "{text}");
    }
    for text in [
        "0",
        "",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
    ] {
        assert_eq!(parse(text, now), None, "{text}");
    }
}
