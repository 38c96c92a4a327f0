use std::fmt::Write;
use std::time::{Duration, SystemTime};

use bartizan_test::alloc::{self, CountingAllocator};
use http::HeaderValue;
use proptest::prelude::*;

use super::*;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

/// 2026-11-24T00:00:00Z
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_478_400)
}

pub(crate) fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// All fields that are read here.
const NAMES: [&str; 13] = [
    "age",
    "cache-control",
    "cache-group-invalidation",
    "cache-groups",
    "cdn-cache-control",
    "date",
    "etag",
    "expires",
    "foo",
    "if-none-match",
    "last-modified",
    "pragma",
    "vary",
];

/// Members of lists, well and badly made. None has a comma outside of a quoted string, nor a quote that no other one closes.
const MEMBERS: [&str; 34] = [
    "max-age=60",
    "Max-Age=\"5\"",
    "max-age",
    "max-age=x",
    "max-age=99999999999",
    "s-maxage=7",
    "stale-while-revalidate=3",
    "stale-if-error=9",
    "stale-if-error=-1",
    "min-fresh=2",
    "min-fresh=4",
    "max-stale",
    "max-stale=8",
    "no-store",
    "NO-STORE=1",
    "no-cache",
    "no-cache=\"a, b\"",
    "no-cache=\"b,c\"",
    "private=\"x\\\"y\"",
    "private=Set-Cookie",
    "only-if-cached",
    "must-understand",
    "public",
    "public foo",
    "immutable;q=1",
    "(a b)",
    "x=\"no-store, public\"",
    "*",
    "foo",
    "Accept-Encoding",
    "\"tag\"",
    "W/\"a,b\"",
    "\"a\"b",
    "7200",
];

fn member() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&MEMBERS[..])
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let random = prop::collection::vec(any::<u8>(), 0..60);
    let special = prop::collection::vec(prop::sample::select(&b"\",\\ =\t*aW/9-;()"[..]), 0..30);
    let mutations = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let mutated = (prop::collection::vec(member(), 1..5), mutations).prop_map(|(members, mutations)| {
        let mut line = members.join(", ").into_bytes();
        for (place, byte) in mutations {
            let place = place.index(line.len());
            line[place] = byte;
        }
        line
    });
    prop_oneof![1 => random, 2 => special, 3 => mutated]
}

fn any_headers() -> impl Strategy<Value = HeaderMap> {
    prop::collection::vec((prop::sample::select(&NAMES[..]), bytes()), 0..8).prop_map(|fields| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(name, value);
            }
        }
        headers
    })
}

/// Everything that can be read of some headers.
fn read_all(headers: &HeaderMap) -> String {
    let mut read = String::new();
    let vary = Vary::read(headers);
    write!(read, "{:?}", Policy::read(headers, &[HeaderName::from_static("cdn-cache-control")], now()))
        .unwrap();
    write!(read, "{:?}", RequestDirectives::read(headers)).unwrap();
    write!(read, "{:?} {:?}", age(headers), vary.key(headers)).unwrap();
    write!(read, "{:?} {:?}", structured::groups(headers), structured::invalidated_groups(headers)).unwrap();
    read
}

/// All fields with a list of members, one line for each or one for all, with space where it may be.
fn lists(members: &[(&str, &str, &str, bool)]) -> HeaderMap {
    let mut lines = Vec::<String>::new();
    for (member, before, after, joined) in members {
        let member = format!("{before}{member}{after}");
        match lines.last_mut() {
            Some(line) if *joined => write!(line, ",{member}").unwrap(),
            _ => lines.push(member),
        }
    }
    let fields = NAMES.iter().filter(|name| !matches!(**name, "date" | "expires" | "etag" | "last-modified"));
    let fields = fields.flat_map(|name| lines.iter().map(|line| (*name, &**line)));
    headers(&fields.collect::<Vec<_>>())
}

fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["", " ", "\t ", "  "][..])
}

/// The normal form of a field, literally: joined, then cut at commas, then trimmed.
fn literal_normal(headers: &HeaderMap, name: &str) -> Option<Vec<u8>> {
    let lines = headers.get_all(name).iter().map(|line| line.as_bytes().trim_ascii()).collect::<Vec<_>>();
    let joined = lines.join(&b", "[..]);
    let mut parts = vec![Vec::new()];
    let (mut quoted, mut escaped) = (false, false);
    for byte in joined {
        if byte == b',' && !quoted {
            parts.push(Vec::new());
            continue;
        }
        parts.last_mut().unwrap().push(byte);
        match byte {
            b'"' if !escaped => (quoted, escaped) = (!quoted, false),
            b'\\' => escaped = quoted && !escaped,
            _ => escaped = false,
        }
    }
    // Space at the end of a quoted string that is not closed belongs to it.
    let last = parts.len() - usize::from(quoted);
    let trimmed = parts[..last].iter().map(|part| part.trim_ascii());
    let parts = trimmed.chain(parts[last..].iter().map(|part| part.trim_ascii_start())).collect::<Vec<_>>();
    (!lines.is_empty()).then(|| parts.join(&b","[..]))
}

fn names() -> impl Strategy<Value = Option<Names>> {
    let name = prop::sample::select(&["set-cookie", "x", "www-authenticate", "a!"][..]);
    let listed =
        prop::collection::vec(name, 1..5).prop_map(|names| Names::of_list(names.join(",").as_bytes()));
    prop::option::of(prop_oneof![Just(Names::All), listed])
}

fn delta() -> impl Strategy<Value = Option<Delta>> {
    let seconds = prop_oneof![0..100_u32, Just(Delta::MOST)].prop_map(Delta::Seconds);
    prop::option::of(prop_oneof![1 => Just(Delta::Invalid), 4 => seconds])
}

fn directives() -> impl Strategy<Value = Directives> {
    let flags = any::<[bool; 6]>();
    (flags, names(), names(), delta(), delta(), delta(), delta()).prop_map(
        |(flags, no_cache, private, max_age, s_maxage, stale_while_revalidate, stale_if_error)| {
            let [no_store, public, must_revalidate, proxy_revalidate, must_understand, immutable] = flags;
            Directives {
                no_store,
                no_cache,
                private,
                public,
                must_revalidate,
                proxy_revalidate,
                must_understand,
                immutable,
                max_age,
                s_maxage,
                stale_while_revalidate,
                stale_if_error,
            }
        },
    )
}

/// As a server would write them.
fn written(directives: &Directives) -> Vec<String> {
    let mut members = Vec::new();
    for (name, is_said) in [
        ("no-store", directives.no_store),
        ("public", directives.public),
        ("must-revalidate", directives.must_revalidate),
        ("proxy-revalidate", directives.proxy_revalidate),
        ("must-understand", directives.must_understand),
        ("immutable", directives.immutable),
    ] {
        members.extend(is_said.then(|| name.to_owned()));
    }
    for (name, names) in [("no-cache", &directives.no_cache), ("private", &directives.private)] {
        members.extend(names.as_ref().map(|names| match names {
            Names::All => name.to_owned(),
            Names::Listed(names) => {
                let names = names.iter().map(HeaderName::as_str).collect::<Vec<_>>();
                format!("{name}=\"{}\"", names.join(", "))
            }
        }));
    }
    for (name, delta) in [
        ("max-age", directives.max_age),
        ("s-maxage", directives.s_maxage),
        ("stale-while-revalidate", directives.stale_while_revalidate),
        ("stale-if-error", directives.stale_if_error),
    ] {
        members.extend(delta.map(|delta| match delta {
            Delta::Invalid => format!("{name}=\"\""),
            Delta::Seconds(seconds) => format!("{name}={seconds}"),
        }));
    }
    members
}

#[test]
fn without_a_valid_target_cache_control_and_expires_decide() {
    let response = headers(&[
        ("cache-control", "max-age=3"),
        ("cdn-cache-control", "max-age=600"),
        ("expires", "Thu, 01 Jan 1970 00:00:09 GMT"),
    ]);
    for targets in [&[][..], &[HeaderName::from_static("absent-cache-control")]] {
        let policy = Policy::read(&response, targets, now());
        assert_eq!(policy.directives.max_age, Some(Delta::Seconds(3)));
        assert_eq!(policy.expires, Expires::At(SystemTime::UNIX_EPOCH + Duration::from_secs(9)));
    }
}

#[test]
fn reading_a_request_allocates_nothing() {
    let request = headers(&[
        ("cache-control", "max-age=\"5\", Max-Stale, x=\"no-store\""),
        ("if-none-match", "\"a,b\", W/\"c\""),
    ]);
    let tag = crate::etag::EntityTag::parse(b"\"c\"").unwrap();
    let (read, counts) = alloc::count(|| {
        let mut tags = crate::etag::list(&request, http::header::IF_NONE_MATCH);
        (tags.any(|listed| listed.matches_weakly(tag)), RequestDirectives::read(&request))
    });
    assert!(read.0 && read.1.max_age == Some(5) && read.1.max_stale == Some(MaxStale::Any));
    assert_eq!(counts.allocations, 0);
}

proptest! {
    #[test]
    fn whatever_stands_in_the_fields_is_read_within_bounds(headers in any_headers()) {
        read_all(&headers);
        let read = Policy::read(&headers, &[HeaderName::from_static("cdn-cache-control")], now()).directives;
        for delta in [read.max_age, read.s_maxage, read.stale_while_revalidate, read.stale_if_error] {
            prop_assert!(delta.is_none_or(|delta| delta.seconds() <= Delta::MOST));
        }
        for names in [read.no_cache, read.private].into_iter().flatten() {
            let Names::Listed(names) = names else { continue };
            prop_assert!((1..=Names::MOST).contains(&names.len()));
            prop_assert!(names.is_sorted_by(|one, other| one.as_str() < other.as_str()));
        }
        let asked = RequestDirectives::read(&headers);
        prop_assert!(asked.max_age.max(asked.min_fresh).max(asked.stale_if_error) <= Some(Delta::MOST));
        prop_assert!(asked.max_stale.is_none_or(|most| most == MaxStale::Any || most <= MaxStale::Seconds(Delta::MOST)));
        prop_assert!(age(&headers).is_none_or(|age| age <= Delta::MOST));
        let _ = (date(&headers, now()), last_modified(&headers, now()));
    }

    #[test]
    fn what_is_written_is_read_back(
        directives in directives(),
        order in any::<prop::sample::Index>(),
        upper in any::<bool>(),
    ) {
        let mut members = written(&directives);
        let places = order.index(members.len().max(1));
        members.rotate_left(places);
        let line = members.join(", ");
        let line = if upper { line.to_uppercase() } else { line };
        prop_assert_eq!(Directives::read(&headers(&[("cache-control", &line)])), directives);
    }

    #[test]
    fn how_members_are_put_on_lines_and_spaced_changes_nothing(
        members in prop::collection::vec((member(), space(), space(), any::<bool>()), 1..8),
    ) {
        let plain = members.iter().map(|(member, ..)| (*member, "", "", true)).collect::<Vec<_>>();
        let (spread, plain) = (lists(&members), lists(&plain));
        prop_assert_eq!(read_all(&spread), read_all(&plain));
        let kept = Vary::read(&headers(&[("vary", "foo")])).key(&spread).unwrap();
        prop_assert!(kept.matches(&plain));
    }

    #[test]
    fn the_order_of_directives_changes_nothing(
        members in prop::collection::vec(member(), 0..8).prop_flat_map(|members| {
            (Just(members.clone()), Just(members).prop_shuffle())
        }),
    ) {
        let (one, other) = (members.0.join(","), members.1.join(","));
        let (one, other) = (headers(&[("cache-control", &one)]), headers(&[("cache-control", &other)]));
        prop_assert_eq!(Directives::read(&one), Directives::read(&other));
        prop_assert_eq!(RequestDirectives::read(&one), RequestDirectives::read(&other));
    }

    #[test]
    fn requests_match_where_their_literal_normal_forms_do(
        one in prop::collection::vec(prop::collection::vec(prop::sample::select(&b"a\", \t\\"[..]), 0..8), 0..3),
        other in prop::collection::vec(prop::collection::vec(prop::sample::select(&b"a\", \t\\"[..]), 0..8), 0..3),
    ) {
        let request = |lines: &[Vec<u8>]| {
            let mut request = HeaderMap::new();
            for line in lines {
                request.append("foo", HeaderValue::from_bytes(line).unwrap());
            }
            request
        };
        let (one, other) = (request(&one), request(&other));
        let vary = Vary::read(&headers(&[("vary", "foo")]));
        let key: Variant = vary.key(&one).unwrap();
        let expected = literal_normal(&one, "foo") == literal_normal(&other, "foo");
        prop_assert_eq!(key.matches(&other), expected);
        let kept: Option<Vec<u8>> = normal::normal(&one, &HeaderName::from_static("foo")).map(Iterator::collect);
        prop_assert_eq!(kept, literal_normal(&one, "foo"));
        prop_assert!(key.matches(&one));
    }
}
