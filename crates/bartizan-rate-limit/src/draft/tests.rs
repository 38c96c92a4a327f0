use std::fmt::Write;

use proptest::prelude::*;

use crate::said::tests::{said, windows};
use crate::said::{PauseReason, Windows};

/// What `RateLimit` alone says.
fn limits(field: &str) -> String {
    windows(&[("ratelimit", field)])
}

/// What `RateLimit-Policy` says beside an item that counts three requests.
fn policies(field: &str) -> String {
    windows(&[("ratelimit-policy", field), ("ratelimit", "\"a\";r=3")])
}

const PLAIN: &str = "3/? per ?, more in ?";

#[test]
fn a_limit_says_what_remains_and_a_policy_of_how_much() {
    let both = [("RateLimit-Policy", "\"a\";q=100;w=60"), ("RateLimit", "\"a\";r=50;t=30")];
    assert_eq!(windows(&both), "50/100 per 60, more in 30");
    assert_eq!(windows(&both[1..]), "50/? per ?, more in 30");
    assert_eq!(windows(&both[..1]), "?/100 per 60, more in ?");
}

#[test]
fn the_examples_of_the_draft_are_read() {
    for (fields, expected) in [
        (&[("RateLimit", "\"default\";r=999;pk=:dHJpYWwxMjEzMjM=:")][..], "999/? per ?, more in ?"),
        (&[("RateLimit-Policy", "\"peruser\";q=100;w=60;pk=:cHsdsRa894==:")], "?/100 per 60, more in ?"),
        (
            &[("RateLimit-Policy", "\"burst\";q=100;w=60,\"daily\";q=1000;w=86400")],
            "?/100 per 60, more in ?; ?/1000 per 86400, more in ?",
        ),
        (
            &[
                ("RateLimit-Policy", "\"hour\";q=1000;w=3600, \"day\";q=5000;w=86400"),
                ("RateLimit", "\"day\";r=100;t=36000"),
            ],
            "100/5000 per 86400, more in 36000; ?/1000 per 3600, more in ?",
        ),
        (
            &[
                ("RateLimit-Policy", "\"sliding\";q=100;w=60;burst=1000"),
                ("RateLimit-Policy", "\"fixed\";q=5000;w=3600;burst=0"),
                ("RateLimit", "\"sliding\";r=50;t=44"),
            ],
            "50/100 per 60, more in 44; ?/5000 per 3600, more in ?",
        ),
        // Its own text asks for a string and for `r`.
        (&[("RateLimit-Policy", "quota;q=100;w=1"), ("RateLimit", "quota;t=1")], ""),
    ] {
        assert_eq!(windows(fields), expected, "{fields:?}");
    }
}

#[test]
fn they_pause_a_429_until_the_last_of_the_empty_ones_resets() {
    let limits = ("RateLimit", "\"second\";r=0;t=1, \"minute\";r=0;t=20, \"hour\";r=5;t=200");
    let pause = said(429, &[limits]).pause.unwrap();
    assert_eq!((pause.lasts.as_secs(), pause.why), (20, PauseReason::Exhausted));
    // The draft's own example: Retry-After takes precedence.
    let date = ("Date", "Mon, 05 Aug 2019 09:27:00 GMT");
    let asked = ("Retry-After", "Mon, 05 Aug 2019 09:27:05 GMT");
    let pause = said(429, &[limits, date, asked]).pause.unwrap();
    assert_eq!((pause.lasts.as_secs(), pause.why), (5, PauseReason::RetryAfter));
}

#[test]
fn name_and_partition_key_join_the_two_fields() {
    let policies = "\"a\";q=100;pk=:YQ==:, \"a\";q=200;pk=:Yg==:, \"a\";q=300, \"a\";q=400;pk=::";
    for (limit, quota) in [
        ("\"a\";r=1;pk=:YQ==:", "100"),
        ("\"a\";r=1;pk=:Yg==:", "200"),
        ("\"a\";r=1", "300"),
        ("\"a\";r=1;pk=::", "400"),
        ("\"a\";r=1;pk=:Yw==:", "?"),
        ("\"b\";r=1;pk=:YQ==:", "?"),
        ("\"A\";r=1", "?"),
    ] {
        let windows = windows(&[("ratelimit-policy", policies), ("ratelimit", limit)]);
        assert!(windows.starts_with(&format!("1/{quota} per ?")), "{limit}: {windows}");
        assert_eq!(windows.split("; ").count(), 4, "{limit}: {windows}");
    }
}

#[test]
fn policies_have_numbers_of_their_own() {
    let kept = said(200, &[("ratelimit", "\"a\";r=1, \"b\";r=2, \"a\";r=3;pk=:YQ==:, \"a\";r=4;pk=:Yg==:")]);
    let numbers: std::collections::HashSet<u64> = kept.windows.iter().map(|window| window.policy).collect();
    assert_eq!(numbers.len(), 4);
    let again = said(200, &[("ratelimit", "\"a\";r=9")]);
    assert!(again.windows.iter().all(|window| numbers.contains(&window.policy)));
}

#[test]
fn what_counts_no_requests_is_ignored_in_both_fields() {
    for unit in ["\"content-bytes\"", "\"concurrent-requests\"", "\"acme\"", "\"\"", "requests", "1", "?1"] {
        assert_eq!(policies(&format!("\"a\";q=100;w=60;qu={unit}")), "", "{unit}");
        assert_eq!(policies(&format!("\"a\";qu={unit}")), "", "{unit}, and malformed");
        assert_eq!(policies(&format!("\"b\";q=100;w=60;qu={unit}")), PLAIN, "{unit} of another");
    }
    for unit in ["requests", "request"] {
        assert_eq!(policies(&format!("\"a\";q=100;qu=\"{unit}\"")), "3/100 per ?, more in ?", "{unit}");
    }
}

#[test]
fn a_policy_that_breaks_the_rules_is_ignored_by_itself() {
    for malformed in [
        "a;q=100;w=60",
        "\"a\";w=60",
        "\"a\"",
        "\"a\";q=-1;w=60",
        "\"a\";q=1.0;w=60",
        "\"a\";q=\"100\"",
        "\"a\";q",
        "\"a\";q=100;w=0",
        "\"a\";q=100;w=-60",
        "\"a\";q=100;w=60.0",
        "\"a\";q=100;pk=\"YQ==\"",
        "\"a\";q=100;q=no",
        "(\"a\");q=100;w=60",
        "(\"a\";q=100;w=60)",
        "100;w=60",
        "%\"a\";q=100",
        ":YQ==:;q=100",
    ] {
        assert_eq!(policies(malformed), PLAIN, "{malformed}");
        let other = policies(&format!("{malformed}, \"other\";q=9"));
        assert_eq!(other, format!("{PLAIN}; ?/9 per ?, more in ?"), "{malformed}");
    }
}

#[test]
fn a_limit_that_breaks_the_rules_is_ignored_by_itself() {
    for malformed in [
        "a;r=1",
        "\"a\";t=1",
        "\"a\";r=-1",
        "\"a\";r=1.5",
        "\"a\";r=@1",
        "\"a\";r=1;t=-1",
        "\"a\";r=1;t=1.5",
        "\"a\";r=1;t",
        "\"a\";r=1;t=1;t=soon",
        "\"a\";r=1;pk=YQ",
        "(\"a\" \"b\");r=1",
        "5",
        "?1",
    ] {
        assert_eq!(limits(malformed), "", "{malformed}");
        assert_eq!(limits(&format!("{malformed}, \"b\";r=3")), PLAIN, "{malformed}");
    }
}

#[test]
fn what_is_allowed_is_read() {
    for (allowed, expected) in [
        ("\"a\";r=3", PLAIN),
        ("  \"a\"; r=3  ", PLAIN),
        ("\"\";r=3", PLAIN),
        ("\"a\\\"b\\\\\";r=3", PLAIN),
        ("\"a\";r=5;r=3", PLAIN),
        ("\"a\";r=no;r=3", PLAIN),
        ("\"a\";q=no;w=0;qu=bytes;acme=:YQ==:;r=3", PLAIN),
        ("\"a\";r=3;t=0", "3/? per ?, more in 0"),
        ("\"a\";r=3;t=86400", "3/? per ?, more in 86400"),
        ("\"a\";r=999999999999999;t=999999999999999", "999999999999999/? per ?, more in 34560000"),
    ] {
        assert_eq!(limits(allowed), expected, "{allowed}");
    }
    assert_eq!(policies("\"a\";q=0;w=999999999999999"), "3/0 per 34560000, more in ?");
}

#[test]
fn a_field_that_is_no_list_is_ignored_whole() {
    for malformed in [
        "\"a\";r=1,",
        "\"a\";r=1,,\"b\";r=2",
        "\"a\";r=1 \"b\";r=2",
        "\"a;r=1",
        "\"a\";R=1",
        "\"a\";r=1000000000000000",
        "\"a\";r=",
        "\"ä\";r=1",
        "\"b\";r=2, \"a\";pk=:*:;r=1",
    ] {
        assert_eq!(limits(malformed), "", "{malformed}");
        assert_eq!(policies(malformed), PLAIN, "{malformed} beside another field");
        let policy = windows(&[("ratelimit", malformed), ("ratelimit-policy", "\"b\";q=9")]);
        assert_eq!(policy, "?/9 per ?, more in ?", "{malformed} beside a policy");
        assert_eq!(windows(&[("ratelimit", "\"b\";r=3"), ("ratelimit", malformed)]), "", "{malformed}");
        assert_eq!(windows(&[("ratelimit", malformed), ("ratelimit", "\"b\";r=3")]), "", "{malformed}");
    }
}

#[test]
fn lists_may_go_over_several_lines() {
    let lines = [("ratelimit", "\"b\";r=2, \"a\";r=1"), ("ratelimit", ""), ("ratelimit", "\"c\";r=3")];
    assert_eq!(windows(&lines), "1/? per ?, more in ?; 2/? per ?, more in ?; 3/? per ?, more in ?");
}

#[test]
fn of_one_policy_twice_the_more_restrictive_item_counts() {
    for (field, expected) in [
        ("\"a\";r=5, \"a\";r=3", PLAIN),
        ("\"a\";r=3, \"a\";r=5", PLAIN),
        ("\"a\";r=3;t=5, \"a\";r=3;t=9", "3/? per ?, more in 9"),
    ] {
        assert_eq!(limits(field), expected, "{field}");
    }
}

#[test]
fn of_many_policies_the_four_with_the_least_left_are_kept() {
    let many: Vec<String> = (0..16).rev().map(|n| format!("\"{n}\";r={n}")).collect();
    let expected = [0, 1, 2, 3].map(|n| format!("{n}/? per ?, more in ?")).join("; ");
    assert_eq!(limits(&many.join(", ")), expected);
    assert_eq!(Windows::MOST, 4);
}

#[test]
fn no_more_than_16_items_are_looked_at_over_all_lines() {
    let lines = |first: usize| {
        let (first, last) = (vec!["x;y"; first].join(","), "x;z, \"a\";r=3");
        windows(&[("ratelimit", &first), ("ratelimit", last)])
    };
    assert_eq!(lines(14), PLAIN);
    assert_eq!(lines(15), "");
}

#[test]
fn the_dictionary_of_older_drafts_is_read() {
    for (old, expected) in [
        ("limit=100, remaining=50, reset=30", "50/100 per ?, more in 30"),
        ("reset=30,remaining=50", "50/? per ?, more in 30"),
        ("remaining=50;a=b, remaining=3, other=(1 2)", PLAIN),
        ("remaining=3", PLAIN),
        ("limit=100, reset=30", ""),
        ("limit=100, remaining=50, reset=-1", ""),
        ("limit=many, remaining=50, reset=30", ""),
        ("limit=100, remaining=(50), reset=30", ""),
        ("limit=(100), remaining=50", ""),
        ("limit=100, remaining=50.0", ""),
        ("limit=100, remaining, reset=30", ""),
        ("limit=100, remaining=50, reset=30,", ""),
        ("remaining=50, \"a\";r=3", ""),
    ] {
        assert_eq!(limits(old), expected, "{old}");
    }
    let lines = [("ratelimit", "limit=100"), ("ratelimit", "remaining=3")];
    assert_eq!(windows(&lines), "3/100 per ?, more in ?");
    assert_eq!(windows(&[("ratelimit", "\"a\";r=3"), ("ratelimit", "remaining=3")]), "");
    let policy = ("ratelimit-policy", "100;w=60");
    assert_eq!(windows(&[("ratelimit", "remaining=3"), policy]), PLAIN);
}

#[test]
fn they_go_before_every_other_spelling_that_says_as_much() {
    let other = ("ratelimit-remaining", "7");
    assert_eq!(windows(&[other, ("ratelimit", "\"a\";r=3")]), PLAIN);
    assert_eq!(windows(&[other, ("ratelimit", "remaining=3")]), PLAIN);
    assert_eq!(windows(&[other, ("ratelimit", "\"a\";r=3,")]), "7/? per ?, more in ?", "malformed");
    assert_eq!(windows(&[other, ("ratelimit-policy", "\"a\";q=9")]), "7/? per ?, more in ?", "informative");
    let limit = ("x-ratelimit-limit", "100");
    assert_eq!(windows(&[limit, ("ratelimit-policy", "\"a\";q=9")]), "?/9 per ?, more in ?");
}

#[derive(Clone, Debug)]
struct Quota {
    name: String,
    partition: Option<bool>,
    limit: Option<u64>,
    lasts: Option<u64>,
    remaining: u64,
    resets_in: Option<u64>,
}

fn quotas() -> impl Strategy<Value = Vec<Quota>> {
    let quota = (
        "[ -~]{0,6}",
        any::<Option<bool>>(),
        proptest::option::of(0..1_000_000_000_000_000_u64),
        proptest::option::of(1..34_560_000_u64),
        0..1_000_000_000_000_000_u64,
        proptest::option::of(0..34_560_000_u64),
    );
    let quota = quota.prop_map(|(name, partition, limit, lasts, remaining, resets_in)| Quota {
        name,
        partition,
        limit,
        lasts: limit.and(lasts),
        remaining,
        resets_in,
    });
    proptest::collection::vec(quota, 1..5)
}

proptest! {
    #[test]
    fn what_a_server_writes_is_what_is_read(mut quotas in quotas()) {
        quotas.sort_by_key(|quota| quota.remaining);
        quotas.dedup_by_key(|quota| quota.remaining);
        let (mut policies, mut limits) = (Vec::new(), Vec::new());
        for (n, quota) in quotas.iter().enumerate() {
            let name = format!("{n}{}", quota.name).replace('\\', "\\\\").replace('"', "\\\"");
            let partition = match quota.partition {
                None => "",
                Some(false) => ";pk=:YQ==:",
                Some(true) => ";pk=:Yg==:",
            };
            let mut limit = format!("\"{name}\"{partition};r={}", quota.remaining);
            if let Some(seconds) = quota.resets_in {
                write!(limit, ";t={seconds}").unwrap();
            }
            limits.push(limit);
            if let Some(limit) = quota.limit {
                let seconds = quota.lasts.map(|seconds| format!(";w={seconds}")).unwrap_or_default();
                policies.push(format!("\"{name}\";q={limit}{seconds}{partition}"));
            }
        }
        limits.reverse();
        let (policies, limits) = (policies.join(","), limits.join(", "));
        let said = said(200, &[("ratelimit", &*limits), ("ratelimit-policy", &*policies)]);
        prop_assert_eq!(said.windows.iter().count(), quotas.len());
        for (window, quota) in said.windows.iter().zip(&quotas) {
            prop_assert_eq!(window.remaining, Some(quota.remaining));
            prop_assert_eq!(window.limit, quota.limit);
            prop_assert_eq!(window.lasts.map(|lasts| lasts.as_secs()), quota.lasts);
            prop_assert_eq!(window.resets_in.map(|reset| reset.as_secs()), quota.resets_in);
        }
    }
}
