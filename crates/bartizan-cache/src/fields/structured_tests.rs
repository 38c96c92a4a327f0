use std::time::{Duration, SystemTime};

use super::*;
use crate::fields::tests::{headers, now};
use crate::fields::{Expires, Policy};

const TARGET: HeaderName = HeaderName::from_static("cdn-cache-control");

fn read(lines: &[&str]) -> Option<Directives> {
    let lines = lines.iter().map(|line| ("cdn-cache-control", *line)).collect::<Vec<_>>();
    directives(&headers(&lines), &TARGET)
}

/// What `Cache-Control` would have to say to mean the same.
fn cache_control(line: &str) -> Option<Directives> {
    Some(Directives::read(&headers(&[("cache-control", line)])))
}

#[test]
fn every_directive_is_read() {
    for line in [
        "max-age=60",
        "s-maxage=60",
        "stale-while-revalidate=60",
        "stale-if-error=60",
        "no-store",
        "no-cache",
        "no-cache=\"set-cookie, x\"",
        "no-cache=set-cookie",
        "private",
        "private=\"x\"",
        "public",
        "must-revalidate",
        "proxy-revalidate",
        "must-understand",
        "immutable",
        "max-age=0, must-revalidate,no-store\t,private",
        "max-age=99999999999",
        "none",
    ] {
        assert_eq!(read(&[line]), cache_control(line), "{line:?}");
    }
}

#[test]
fn a_field_that_does_not_parse_or_is_empty_is_none() {
    for line in [
        "",
        "  ",
        "max-age=60,",
        "max-age=60, &&&",
        "Max-Age=60",
        "max-age =60",
        "max-age=\"60",
        "max-age=1e3",
    ] {
        assert_eq!(read(&[line]), None, "{line:?}");
    }
    assert_eq!(read(&[]), None);
    for lines in
        [&["max-age=60", "&"][..], &["&", "max-age=60"], &["max-age=60", ""], &["private=\"a", "b\""]]
    {
        assert_eq!(read(lines), None, "{lines:?}");
    }
}

#[test]
fn of_two_the_last_counts_over_all_lines() {
    assert_eq!(read(&["max-age=60, max-age=5"]), cache_control("max-age=5"));
    assert_eq!(read(&["max-age=5, no-store", "max-age=60"]), cache_control("max-age=60, no-store"));
    assert_eq!(read(&["no-store, no-store=?0"]), cache_control(""));
    assert_eq!(read(&["private=\"a\", private=\"b\""]), cache_control("private=\"b\""));
}

#[test]
fn parameters_are_ignored() {
    assert_eq!(read(&["max-age=60;a;b=1, no-store;no-cache"]), cache_control("max-age=60, no-store"));
}

#[test]
fn a_value_of_another_type_is_no_age_and_no_permission_and_still_a_restriction() {
    for value in ["", "=\"60\"", "=60.0", "=-1", "=a", "=?1", "=(60)", "=@60", "=:YQ==:"] {
        for name in ["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"] {
            assert_eq!(read(&[&format!("{name}{value}")]), cache_control(name), "{name}{value}");
        }
    }
    for value in ["=1", "=\"a\"", "=?0", "=(a)", "=a"] {
        for name in ["public", "must-understand", "immutable"] {
            assert_eq!(read(&[&format!("{name}{value}")]), cache_control(""), "{name}{value}");
        }
    }
    for name in ["no-store", "must-revalidate", "proxy-revalidate", "no-cache", "private"] {
        assert_eq!(read(&[&format!("{name}=?0")]), cache_control(""), "{name}");
        for value in ["=?1", "=1", "=(a)", "=1.5"] {
            assert_eq!(read(&[&format!("{name}{value}")]), cache_control(name), "{name}{value}");
        }
    }
}

#[test]
fn seconds_go_up_to_2_to_the_31() {
    for (value, expected) in [
        ("2147483647", (1 << 31) - 1),
        ("2147483648", 1 << 31),
        ("2147483649", 1 << 31),
        ("4294967296", 1 << 31),
    ] {
        let read = read(&[&format!("max-age={value}")]).and_then(|read| read.max_age);
        assert_eq!(read, Some(Delta::Seconds(expected)), "{value}");
    }
    assert_eq!(read(&["max-age=0"]), cache_control("max-age=0"));
}

#[test]
fn the_first_target_with_a_valid_value_replaces_cache_control_and_expires() {
    let targets = [HeaderName::from_static("examplecdn-cache-control"), TARGET];
    let own = ("examplecdn-cache-control", "max-age=1");
    let all = ("cdn-cache-control", "max-age=2");
    let invalid = ("examplecdn-cache-control", "max-age=1,");
    let plain = ("cache-control", "max-age=3");
    let expires = ("expires", "Thu, 01 Jan 1970 00:00:09 GMT");
    let at = Expires::At(SystemTime::UNIX_EPOCH + Duration::from_secs(9));
    for (fields, seconds, date) in [
        (&[plain, all, own, expires][..], Some(1), Expires::Absent),
        (&[plain, all, expires], Some(2), Expires::Absent),
        (&[invalid, all, plain], Some(2), Expires::Absent),
        (&[("examplecdn-cache-control", ""), all, plain], Some(2), Expires::Absent),
        (&[("examplecdn-cache-control", "none"), all, plain, expires], None, Expires::Absent),
        (&[invalid, plain, expires], Some(3), at),
        (&[plain, expires], Some(3), at),
        (&[("surrogate-cache-control", "max-age=4"), plain], Some(3), Expires::Absent),
    ] {
        let policy = Policy::read(&headers(fields), &targets, now());
        let read = (policy.directives.max_age.map(Delta::seconds), policy.expires);
        assert_eq!(read, (seconds, date), "{fields:?}");
    }
}

#[test]
fn a_target_overrides_what_forbids_storing() {
    for (target, no_store) in [("max-age=600", false), ("none", false), ("", true)] {
        let fields = headers(&[("cdn-cache-control", target), ("cache-control", "no-store")]);
        assert_eq!(Policy::read(&fields, &[TARGET], now()).directives.no_store, no_store, "{target:?}");
        assert!(Policy::read(&fields, &[], now()).directives.no_store, "it is no target");
    }
}

fn of_groups(list: &[&str]) -> Groups {
    let mut groups = Groups::default();
    groups.extend(list.iter().copied());
    groups
}

#[test]
fn groups_are_the_strings_of_a_list() {
    for (lines, expected) in [
        (&["\"scripts\""][..], &["scripts"][..]),
        (&["\"eurovision-results\", \"australia\""], &["eurovision-results", "australia"]),
        (&["\"a\";x=1", "\"b\", \"a\", \"A\", \"\\\"\""], &["A", "\"", "a", "b"]),
        (&["\"a\", b"], &[]),
        (&["\"a\", (\"b\")"], &[]),
        (&["\"a\", 1"], &[]),
        (&["\"a\","], &[]),
        (&["\"a\"", "\"b"], &[]),
        (&["\"a\"", ""], &[]),
        (&[""], &[]),
        (&[], &[]),
    ] {
        let (here, there) = ("cache-groups", "cache-group-invalidation");
        let field = |name| headers(&lines.iter().map(|line| (name, *line)).collect::<Vec<_>>());
        assert_eq!(groups(&field(here)), of_groups(expected), "{lines:?}");
        assert_eq!(invalidated_groups(&field(there)), of_groups(expected), "{lines:?}");
        assert!(
            groups(&field(there)).iter().next().is_none()
                && invalidated_groups(&field(here)).iter().next().is_none()
        );
    }
}
