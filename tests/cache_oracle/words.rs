//! What histories are made of. A value that begins with `@` is a date, so many seconds after now; with `#`, after the history began. `850` or
//! `asc` says in which of the old formats.

use std::time::{Duration, SystemTime};

pub const METHODS: &[&str] = &["GET", "HEAD", "HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS", "PURGE"];

pub const TARGETS: &[&str] = &[
    "http://a.example/a",
    "http://a.example/a",
    "http://a.example/a",
    "http://a.example/a",
    "http://a.example/b",
    "http://b.example/a",
    "HTTP://A.Example:80/a",
];

const DAY: u64 = 24 * 3600 * 1000;

pub const WAITS: &[u64] = &[
    1,
    1,
    1,
    1,
    1000,
    1000,
    5000,
    9000,
    10_000,
    11_000,
    20_000,
    30_500,
    59_000,
    60_000,
    100_000,
    300_000,
    3_600_000,
    DAY,
    8 * DAY,
];

pub const DELAYS: &[u64] = &[0, 0, 0, 0, 0, 0, 0, 1000, 2500, 12_000];

pub const STATUSES: &[u16] = &[
    200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 203, 204, 201, 301, 302, 304,
    307, 404, 410, 418, 500, 502, 503, 504, 299,
];

pub const DATES: &[&str] =
    &["@0", "@0", "@0", "@0", "@0", "@-30", "@30", "@850+0", "@asc-5", "yesterday", "@-100000"];

pub const TAGS: &[&str] = &["\"a\"", "\"a\"", "\"b\"", "W/\"a\"", "W/\"b\"", "a", "\"a b\"", "w/\"a\""];

pub const FRESH: &[&str] = &["max-age=60", "max-age=300", "max-age=3600"];

pub const CACHE_CONTROL: &[&str] = &[
    "max-age=60",
    "max-age=60",
    "max-age=0",
    "max-age=3600",
    "max-age=300",
    "MAX-AGE=\"60\"",
    "max-age=60, max-age=10",
    "max-age=6.5",
    "max-age=",
    "max-age",
    "max-age=-1",
    "max-age=99999999999999999999",
    "max-age = 60",
    "s-maxage=30, max-age=300",
    "s-maxage=300, max-age=3",
    "s-maxage=300",
    "s-maxage=x, max-age=60",
    "no-store",
    "No-Store , max-age=60",
    "max-age=60;no-store",
    "no-store;x, max-age=60",
    "no-store=1, max-age=60",
    "ext=\"no-store\", max-age=60",
    "ext=\"a\\\", no-store, max-age=60",
    "ext=\"\\\\\", no-store, max-age=60",
    "no-cache",
    "no-cache, max-age=60",
    "No-Cache=\"x-secret\", max-age=60",
    "no-cache=x-secret, max-age=60",
    "no-cache=\"x-secret, X-News\", max-age=60",
    "no-cache=\"\", max-age=60",
    "no-cache=\"x secret\", max-age=60",
    "private",
    "private, max-age=60",
    "private=\"x-secret\", max-age=60",
    "private=\"x-secret, max-age=60",
    "public",
    "public, max-age=60",
    "public=1",
    "must-revalidate, max-age=10",
    "must-revalidate=0, max-age=10",
    "Must-Revalidate",
    "proxy-revalidate, max-age=10",
    "must-understand, no-store, max-age=60",
    "must-understand, max-age=60",
    "must-understand=1, no-store, max-age=60",
    "max-age=10, stale-while-revalidate=300",
    "max-age=10, stale-while-revalidate=20",
    "max-age=10, stale-while-revalidate=20, must-revalidate",
    "max-age=10, stale-while-revalidate=x",
    "stale-while-revalidate=100000",
    "max-age=10, stale-if-error=600",
    "max-age=10, stale-if-error=0",
    "max-age=10, stale-if-error",
    "max-age=10, stale-if-error=900000",
    "immutable, max-age=60",
    "",
    ",,max-age=60,",
    "foo, bar=baz",
];

pub const RESPONSE: &[(&str, &[&str])] = &[
    (
        "vary",
        &[
            "accept-language",
            "Accept-Language, x-id",
            "x-id",
            "x-id",
            "accept-encoding",
            "*",
            "x-id,*",
            "",
            "x id",
        ],
    ),
    ("last-modified", &["#-100", "#-100000", "#-1000000", "#-100000000", "#850-100000", "soon", "@0", "@-1"]),
    ("expires", &["@60", "@0", "@-60", "@850+60", "@asc+60", "0", "-1", "@100000", "tomorrow"]),
    ("age", &["0", "10", "50", "20, 5", "x", "-1", "99999999999999999999", "\"5\"", "5.5"]),
    (
        "cache-control",
        &[
            "max-age=30",
            "no-store",
            "private",
            "public",
            "no-cache",
            "stale-while-revalidate=60",
            "must-revalidate",
        ],
    ),
    ("x-secret", &["1", "2"]),
    ("x-news", &["1", "2"]),
    ("content-length", &["9", "9", "9", "99", "4"]),
    ("connection", &["x-hop", "close", "x-secret", "X-News, close"]),
    (
        "content-location",
        &["/a", "http://a.example/b", "b", "http://b.example/a", "//A.example:80/a", "#x", ""],
    ),
    ("location", &["/a", "http://a.example/b", "b", "http://b.example/a", "http://a.example:8080/a"]),
    ("cache-groups", &["\"g\"", "\"g\", \"h\"", "g", "\"G\""]),
    ("cache-group-invalidation", &["\"g\"", "\"h\"", "g", "\"G\""]),
    ("keep-alive", &["5"]),
    ("pragma", &["no-cache"]),
    ("set-cookie", &["a=b"]),
    ("vary", &["accept", "x-id"]),
    ("etag", &["\"a\"", "\"b\""]),
];

pub const REQUEST: &[(&str, &[&str])] = &[
    (
        "accept-language",
        &[
            "en, de",
            "en,de",
            "de, en",
            "en;q=1.0, de",
            "EN, de",
            "de",
            "en;q=0.5, de",
            "en;q=2, de",
            "en,, de ",
            "",
        ],
    ),
    ("accept-language", &["de", "en", "de;q=1"]),
    ("accept", &["text/html, a/b;q=0.1", "a/b;q=0.10,TEXT/html", "*/*", "a/b;x=y", "a/b; X=y"]),
    ("accept-encoding", &["gzip", "GZIP;q=1", "br, gzip", "gzip,br", "identity;q=0"]),
    ("x-id", &["1", "1", "2", "1,2", "1, 2", "2,1", "\"1, 2\"", "\"1,2\""]),
    ("x-id", &["1", "2"]),
    ("authorization", &["Basic a", "Basic b"]),
    (
        "cache-control",
        &["no-cache", "no-cache=1", "No-Cache", "no-store", "max-age=0", "max-age=30", "max-age=x", "foo"],
    ),
    (
        "cache-control",
        &[
            "max-stale",
            "max-stale=100",
            "max-stale=x",
            "max-stale=\"100\"",
            "max-age=30, max-stale",
            "max-age=5, max-stale=10",
        ],
    ),
    (
        "cache-control",
        &[
            "min-fresh=20",
            "min-fresh=x",
            "only-if-cached",
            "only-if-cached, max-stale",
            "stale-if-error=100",
            "stale-if-error=1000000",
        ],
    ),
    ("pragma", &["no-cache", "No-Cache, x", "x"]),
    (
        "if-none-match",
        &["\"a\"", "\"b\"", "W/\"a\"", "*", "\"x\", W/\"b\"", "a", "\"a", "\"a\",,\"c\"", "\"a\", *"],
    ),
    ("if-modified-since", &["#-100", "#-100000", "#0", "@0", "never", "#850-100000"]),
    ("if-match", &["\"a\"", "*"]),
    ("if-unmodified-since", &["#-100", "never"]),
    (
        "range",
        &[
            "bytes=0-1",
            "bytes=-2",
            "bytes=2-",
            "bytes=90-",
            "bytes=0-0,2-3",
            "lines=0-1",
            "bytes=5-2",
            "BYTES=1-1",
            "bytes=-0",
            "bytes=0-99",
        ],
    ),
    ("if-range", &["\"a\"", "W/\"a\"", "#-100000", "#-100", "x"]),
    ("x-other", &["1", "2"]),
];

/// A value with its date written out. Both times are milliseconds since 1970.
pub fn written(value: &str, now: i64, began: i64) -> String {
    let (from, rest) = match (value.strip_prefix('@'), value.strip_prefix('#')) {
        (Some(rest), _) => (now, rest),
        (_, Some(rest)) if rest != "x" => (began, rest),
        _ => return value.to_string(),
    };
    let (format, offset) = match (rest.strip_prefix("850"), rest.strip_prefix("asc")) {
        (Some(offset), _) => ("850", offset),
        (_, Some(offset)) => ("asc", offset),
        _ => ("imf", rest),
    };
    let seconds = from.div_euclid(1000) + offset.parse::<i64>().expect("a number of seconds");
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.try_into().expect("after 1970"));
    let imf = httpdate::fmt_http_date(date);
    let parts: Vec<&str> = imf.split([' ', ',']).filter(|part| !part.is_empty()).collect();
    let [day, date, month, year, time, _] = parts[..] else { unreachable!("six parts") };
    match format {
        "850" => format!("{}, {date}-{month}-{} {time} GMT", long(day), &year[2..]),
        "asc" => format!("{day} {month} {:>2} {time} {year}", date.trim_start_matches('0')),
        _ => imf,
    }
}

fn long(day: &str) -> &'static str {
    let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    days.into_iter().find(|long| long.starts_with(day)).expect("a day of the week")
}
