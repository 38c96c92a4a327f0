mod random;

use std::fmt::Write;

use bartizan_core::{ByStatus, Rejection, RetryHint, classify};
use http::{HeaderName, HeaderValue, Response};

use super::*;

/// Tue, 24 Nov 2026 00:00:00 GMT
pub(crate) const NOW: u64 = 1_795_478_400;

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

fn answer(status: u16, fields: &[(&str, &str)]) -> Response<()> {
    let mut response = Response::builder().status(status).body(()).unwrap();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        response.headers_mut().append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    response
}

fn of(response: &Response<()>) -> Said {
    let head = Head::from(response);
    read(&head, classify(&ByStatus, Ok(head)), now)
}

pub(crate) fn said(status: u16, fields: &[(&str, &str)]) -> Said {
    of(&answer(status, fields))
}

/// Seconds, and why.
fn pause(status: u16, fields: &[(&str, &str)]) -> Option<(f64, PauseReason)> {
    said(status, fields).pause.map(|pause| (pause.lasts.as_secs_f64(), pause.why))
}

/// Each window as `remaining/limit per period, more in reset`, in seconds; what is not known is a `?`.
pub(crate) fn windows(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let number = |number: Option<u64>| number.map_or("?".to_owned(), |number| number.to_string());
    let time = |time: Option<Duration>| time.map_or("?".to_owned(), |time| time.as_secs_f64().to_string());
    for window in said(200, fields).windows.iter() {
        let separator = if text.is_empty() { "" } else { "; " };
        let (remaining, limit) = (number(window.remaining), number(window.limit));
        let (lasts, resets_in) = (time(window.lasts), time(window.resets_in));
        write!(text, "{separator}{remaining}/{limit} per {lasts}, more in {resets_in}").unwrap();
    }
    text
}

const EXHAUSTED: [(&str, &str); 2] = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "20")];
const ASKED: (&str, &str) = ("retry-after", "7");

#[test]
fn an_answer_without_such_fields_says_nothing() {
    let fields =
        [("date", "Tue, 24 Nov 2026 00:00:00 GMT"), ("content-type", "text/plain"), ("x-ratelimit", "1")];
    for status in [200, 301, 403, 404, 425, 500, 503] {
        assert_eq!(said(status, &fields), Said::NOTHING, "{status}");
    }
}

#[test]
fn retry_after_pauses_where_it_means_the_caller() {
    for status in (100..=599).filter(|status| ![403, 429, 503].contains(status)) {
        assert_eq!(pause(status, &[ASKED]), None, "{status}");
    }
    for status in [403, 429, 503] {
        assert_eq!(pause(status, &[ASKED]), Some((7.0, PauseReason::RetryAfter)), "{status}");
    }
}

#[test]
fn a_date_is_measured_against_the_answers_own() {
    let fields =
        [("retry-after", "Tue, 24 Nov 2026 09:00:30 GMT"), ("date", "Tue, 24 Nov 2026 09:00:00 GMT")];
    assert_eq!(pause(429, &fields), Some((30.0, PauseReason::RetryAfter)));
}

#[test]
fn a_pause_lasts_five_minutes_at_most() {
    for (asked, seconds) in [("299", 299.0), ("300", 300.0), ("301", 300.0), ("99999999999999999999", 300.0)]
    {
        assert_eq!(pause(503, &[("retry-after", asked)]), Some((seconds, PauseReason::RetryAfter)));
    }
    let exhausted = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "301")];
    assert_eq!(pause(429, &exhausted), Some((300.0, PauseReason::Exhausted)));
}

#[test]
fn retry_after_wins_over_windows_and_zero_is_now() {
    for (asked, seconds) in [("7", 7.0), ("0", 0.0), ("Mon, 23 Nov 2026 00:00:00 GMT", 0.0)] {
        let fields = [EXHAUSTED[0], EXHAUSTED[1], ("retry-after", asked)];
        for status in [403, 429] {
            assert_eq!(pause(status, &fields), Some((seconds, PauseReason::RetryAfter)), "{status} {asked}");
        }
    }
}

#[test]
fn a_429_that_says_nothing_pauses_for_a_second() {
    let second = Some((1.0, PauseReason::Throttled));
    assert_eq!(pause(429, &[]), second);
    for malformed in ["-1", "soon", "1.5", "", "7, 8", "Tue, 31 Nov 2026 00:00:00 GMT"] {
        assert_eq!(pause(429, &[("retry-after", malformed)]), second, "{malformed:?}");
    }
    assert_eq!(pause(429, &[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "20")]), second);
    assert_eq!(pause(429, &[("x-ratelimit-remaining", "0")]), second);
    assert_eq!(pause(429, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "soon")]), second);
}

#[test]
fn a_429_whose_window_reset_in_the_past_pauses_for_a_second() {
    for past in ["0", "1795478399", "1795478399999"] {
        let fields = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", past)];
        assert_eq!(pause(429, &fields), Some((1.0, PauseReason::Throttled)), "{past}");
    }
}

#[test]
fn a_429_with_an_empty_window_pauses_until_its_reset() {
    assert_eq!(pause(429, &EXHAUSTED), Some((20.0, PauseReason::Exhausted)));
}

#[test]
fn a_503_without_retry_after_pauses_nothing() {
    assert_eq!(pause(503, &[]), None);
    assert_eq!(pause(503, &EXHAUSTED), None);
    assert_eq!(pause(503, &[("retry-after", "soon")]), None);
}

#[test]
fn an_empty_window_alone_is_no_pause() {
    for status in [200, 301, 404, 500] {
        assert_eq!(pause(status, &EXHAUSTED), None, "{status}");
    }
}

#[test]
fn a_425_pauses_nothing() {
    assert_eq!(pause(425, &[]), None);
    assert_eq!(pause(425, &[ASKED]), None);
    assert_eq!(pause(425, &EXHAUSTED), None);
}

#[test]
fn what_a_mark_calls_throttled_is_a_429() {
    let throttled = |fields| {
        let mut response = answer(200, fields);
        response.extensions_mut().insert(Outcome::Throttled);
        of(&response).pause.map(|pause| (pause.lasts.as_secs_f64(), pause.why))
    };
    assert_eq!(throttled(&[]), Some((1.0, PauseReason::Throttled)));
    assert_eq!(throttled(&[ASKED]), Some((7.0, PauseReason::RetryAfter)));
    assert_eq!(throttled(&EXHAUSTED), Some((20.0, PauseReason::Exhausted)));
}

#[test]
fn a_wait_that_was_read_in_the_body_is_a_retry_after() {
    let hinted = |outcome| {
        let mut response = answer(200, &[]);
        response.extensions_mut().insert(outcome);
        let retry_in = Some(Duration::from_secs(9));
        response.extensions_mut().insert(RetryHint { retry_in, ..RetryHint::default() });
        of(&response).pause.map(|pause| (pause.lasts.as_secs_f64(), pause.why))
    };
    assert_eq!(hinted(Outcome::Throttled), Some((9.0, PauseReason::RetryAfter)));
    assert_eq!(hinted(Outcome::Failure), None);
}

#[test]
fn a_429_pauses_whatever_a_classifier_calls_it() {
    let response = answer(429, &[ASKED]);
    for outcome in [Outcome::Success, Outcome::Failure, Outcome::Throttled] {
        assert!(read(&Head::from(&response), outcome, now).pause.is_some(), "{outcome:?}");
    }
}

#[test]
fn the_refusal_of_a_layer_of_ours_says_nothing() {
    let mut response = answer(429, &[ASKED, EXHAUSTED[0], EXHAUSTED[1]]);
    response.extensions_mut().insert(Rejection::new(Some(Duration::from_secs(7))));
    assert_eq!(of(&response), Said::NOTHING);
}

#[test]
fn github_answers_403_to_both_of_its_limits() {
    let remaining = |left| ("x-ratelimit-remaining", left);
    let reset = ("x-ratelimit-reset", "1795478460");
    assert_eq!(pause(403, &[ASKED, remaining("4999"), reset]), Some((7.0, PauseReason::RetryAfter)));
    assert_eq!(pause(403, &[remaining("0"), reset]), Some((60.0, PauseReason::Exhausted)));
    // Its clock is half a minute before ours.
    let date = ("date", "Mon, 23 Nov 2026 23:59:30 GMT");
    assert_eq!(pause(403, &[remaining("0"), reset, date]), Some((90.0, PauseReason::Exhausted)));
}

#[test]
fn a_403_that_says_neither_is_no_throttling() {
    let remaining = |left| ("x-ratelimit-remaining", left);
    for fields in [
        &[][..],
        &[remaining("1"), ("x-ratelimit-reset", "1795478460")],
        &[remaining("0")],
        &[remaining("0"), ("x-ratelimit-reset", "1795478400")],
        &[remaining("0"), ("x-ratelimit-reset", "soon")],
        &[("retry-after", "soon")],
    ] {
        assert_eq!(pause(403, fields), None, "{fields:?}");
    }
}

#[test]
fn the_three_fields_are_read_in_each_of_their_spellings() {
    for prefix in ["RateLimit", "X-RateLimit", "x-ratelimit", "X-Rate-Limit"] {
        let [limit, remaining, reset] =
            ["Limit", "Remaining", "Reset"].map(|field| format!("{prefix}-{field}"));
        let fields = [(&*limit, "100"), (&*remaining, "7"), (&*reset, "30")];
        assert_eq!(windows(&fields), "7/100 per ?, more in 30", "{prefix}");
        assert_eq!(windows(&fields[..1]), "?/100 per ?, more in ?", "{prefix}");
        assert_eq!(windows(&fields[1..2]), "7/? per ?, more in ?", "{prefix}");
        assert_eq!(windows(&fields[2..]), "", "{prefix}: a reset of what?");
    }
}

#[test]
fn spellings_are_not_mixed_and_the_one_that_says_what_remains_goes_first() {
    let all = [
        ("ratelimit-remaining", "1"),
        ("x-ratelimit-remaining", "2"),
        ("x-ratelimit-limit", "20"),
        ("x-rate-limit-remaining", "3"),
        ("x-rate-limit-reset", "30"),
    ];
    assert_eq!(windows(&all), "1/? per ?, more in ?");
    assert_eq!(windows(&all[1..]), "2/20 per ?, more in ?");
    assert_eq!(windows(&all[2..]), "3/? per ?, more in 30");
    assert_eq!(windows(&[("ratelimit-limit", "10"), all[2]]), "?/10 per ?, more in ?");
    assert_eq!(windows(&[("ratelimit-remaining", "many"), all[1]]), "2/? per ?, more in ?");
}

#[test]
fn of_several_lines_the_first_counts() {
    assert_eq!(
        windows(&[("x-ratelimit-remaining", "5"), ("x-ratelimit-remaining", "3")]),
        "5/? per ?, more in ?"
    );
}

#[test]
fn a_limit_may_come_with_its_policies() {
    for (limit, expected) in [
        ("100, 100;w=60", "100 per 60"),
        ("100,\t100 ; w=60,5000;w=3600", "100 per 60"),
        ("100, 5000;w=3600, 100;w=60, 100;w=1", "100 per 60"),
        ("10, 10;w=1;name=\"a;b\", 1000;comment=\"w=9\"", "10 per 1"),
        ("100;w=60", "100 per 60"),
        ("100;w=60, 100;w=1", "100 per 60"),
        ("100, 50;w=60", "100 per ?"),
        ("100, 100;w=0", "100 per ?"),
        ("100, 100;w=-1", "100 per ?"),
        ("100, 100;w=99999999999999999999", "100 per ?"),
        ("100, 100;w=18446744073709551615", "100 per 34560000"),
        ("100, , 100;w=60", "100 per 60"),
    ] {
        let window = windows(&[("ratelimit-limit", limit), ("ratelimit-remaining", "7")]);
        assert_eq!(window, format!("7/{expected}, more in ?"), "{limit}");
    }
    for malformed in ["", ",", ", 100;w=60", "all, 100;w=60", "-1", "100 100", "1e3", "\"100\""] {
        let window = windows(&[("ratelimit-limit", malformed), ("ratelimit-remaining", "7")]);
        assert_eq!(window, "7/? per ?, more in ?", "{malformed:?}");
    }
}

#[test]
fn no_more_than_16_members_of_a_limit_are_looked_at() {
    let list = |before: usize| format!("100, {}100;w=60", "1;w=1, ".repeat(before));
    assert_eq!(windows(&[("ratelimit-limit", &list(14))]), "?/100 per 60, more in ?");
    assert_eq!(windows(&[("ratelimit-limit", &list(15))]), "?/100 per ?, more in ?");
}

#[test]
fn what_remains_is_whole() {
    for (remaining, expected) in [
        ("0", "0"),
        (" 5 ", "5"),
        ("007", "7"),
        ("598.0", "598"),
        ("0.99", "0"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "?"),
        ("-1", "?"),
        ("+1", "?"),
        ("1e3", "?"),
        ("1.", "?"),
        (".5", "?"),
        ("1.2.3", "?"),
        ("1.-2", "?"),
        ("1.0000000000x", "?"),
        ("0x10", "?"),
        ("", "?"),
        ("5, 3", "?"),
        ("unlimited", "?"),
        ("٣", "?"),
    ] {
        let window = windows(&[("x-ratelimit-limit", "1"), ("x-ratelimit-remaining", remaining)]);
        assert_eq!(window, format!("{expected}/1 per ?, more in ?"), "{remaining:?}");
    }
}

#[test]
fn a_reset_is_seconds_or_a_date_in_seconds_or_milliseconds() {
    for (reset, expected) in [
        ("0", "0"),
        ("30", "30"),
        ("86400", "86400"),
        ("0.25", "0.25"),
        ("0.2500000000", "0.25"),
        ("1.0000000001", "1.000000001"),
        ("1.9999999991", "2"),
        // The longest that is kept, and above it.
        ("34560000", "34560000"),
        ("34560000.5", "34560000"),
        ("1000000000", "34560000"),
        // Dates, of which the first is in 2001.
        ("1000000001", "0"),
        ("1795478399", "0"),
        ("1795478430", "30"),
        ("1795478430.5", "30.5"),
        ("1000000000000", "34560000"),
        ("1000000000001", "0"),
        ("1795478430250", "30.25"),
        ("1795478430250.5", "30.2505"),
        ("18446744073709551615", "34560000"),
        ("18446744073709551615.9", "34560000"),
        ("18446744073709551616", "?"),
        ("-30", "?"),
        ("30s", "?"),
        ("Tue, 24 Nov 2026 00:00:30 GMT", "?"),
        ("2026-11-24T00:00:30Z", "?"),
        ("", "?"),
    ] {
        for name in ["ratelimit-reset", "x-ratelimit-reset"] {
            let remaining = name.replace("reset", "remaining");
            let window = windows(&[(name, reset), (&remaining, "7")]);
            assert_eq!(window, format!("7/? per ?, more in {expected}"), "{name}: {reset:?}");
        }
    }
}

#[test]
fn a_reset_by_date_is_measured_against_the_answers_own_date() {
    let at = |reset, date| {
        windows(&[("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", reset), ("date", date)])
    };
    // The server's clock is an hour before ours: it means half a minute.
    let hour_before = "Mon, 23 Nov 2026 23:00:00 GMT";
    assert_eq!(at("1795474830", hour_before), "7/? per ?, more in 30");
    assert_eq!(at("1795474830250", hour_before), "7/? per ?, more in 30.25");
    assert_eq!(at("30", hour_before), "7/? per ?, more in 30");
    assert_eq!(at("1795478430", "yesterday"), "7/? per ?, more in 30");
}

#[test]
fn what_an_answer_from_a_cache_says_of_quotas_is_of_another_time() {
    let aged = |age| windows(&[EXHAUSTED[0], EXHAUSTED[1], ("age", age)]);
    for fresh in ["0", "00", "", "old", "-1"] {
        assert_eq!(aged(fresh), "0/? per ?, more in 20", "{fresh:?}");
    }
    for stored in ["1", " 10 ", "99999999999999999999"] {
        assert_eq!(aged(stored), "", "{stored:?}");
    }
    assert_eq!(pause(429, &[ASKED, ("age", "1")]), Some((7.0, PauseReason::RetryAfter)));
}
