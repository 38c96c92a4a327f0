use bartizan_cache::CacheLayer;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::message::{ANOTHER, BODY, Client, fields, is_quoted, paused, says};

/// The validators of what is stored: the first letter chooses.
const STORED: [&[(&str, &str)]; 5] = [
    &[],
    &[("etag", "\"a\"")],
    &[("etag", "W/\"a\"")],
    &[("last-modified", "Sun, 06 Nov 1994 08:00:00 GMT"), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")],
    &[("etag", "\"a\""), ("last-modified", "Sun, 06 Nov 1994 08:00:00 GMT")],
];

const MAY_REACH_THE_ORIGIN: [&str; 4] = ["cache-control", "pragma", "if-match", "if-unmodified-since"];

/// A request against something that is stored and fresh.
pub fn cache_request(data: &[u8]) {
    let (letter, data) = data.split_first().unwrap_or((&b'0', &[]));
    let mut stored: HeaderMap = STORED[usize::from(*letter) % STORED.len()]
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    stored.insert("cache-control", HeaderValue::from_static("max-age=600"));
    let method = if letter.is_ascii_uppercase() { "HEAD" } else { "GET" };
    let request = fields(data);

    paused(async {
        let client = Client::new(CacheLayer::rfc9111(), 200, stored);
        // So that it is the same principal's.
        let authorization = request
            .get_all("authorization")
            .iter()
            .map(|line| ("authorization".parse().expect("a name"), line.clone()));
        client.send("GET", &authorization.collect()).await;
        let got = client.send(method, &request).await;
        let (body, from_memory) = (&*got.body, got.asked == 1);

        if !from_memory {
            assert!(
                MAY_REACH_THE_ORIGIN.iter().any(|name| request.contains_key(*name)),
                "nothing asked for the origin"
            );
            assert!(
                !says(&request, "cache-control", "only-if-cached") || is_quoted(&request, "cache-control")
            );
            let sent = client.asked().pop().expect("it was asked");
            assert!(
                request.get_all("cache-control").iter().eq(sent.get_all("cache-control")),
                "directives are passed on"
            );
            let given = if method == "HEAD" {
                body.is_empty() || body == ANOTHER.as_bytes()
            } else {
                body == ANOTHER.as_bytes()
            };
            assert!(
                given || got.status == 304 || got.status == 206 || got.status == 416,
                "{} {body:?}",
                got.status
            );
            return;
        }
        if got.status == 504 {
            assert!(
                says(&request, "cache-control", "only-if-cached") || is_quoted(&request, "cache-control")
            );
            return;
        }
        assert!(!request.contains_key("if-match"), "only the origin knows");
        assert!(is_quoted(&request, "cache-control") || !says(&request, "cache-control", "no-cache"));
        assert_eq!(got.headers["age"], "0");
        let content_range = got.headers.get("content-range").map(|range| range.to_str().expect("digits"));
        match got.status {
            _ if method == "HEAD" => assert!(body.is_empty()),
            200 => assert_eq!((body, content_range), (BODY.as_bytes(), None)),
            206 => {
                assert!(request.contains_key("range"));
                let range = content_range.and_then(|range| range.strip_prefix("bytes ")?.strip_suffix("/10"));
                let (first, last) =
                    range.and_then(|range| range.split_once('-')).expect("a range of ten bytes");
                let (first, last): (usize, usize) =
                    (first.parse().expect("digits"), last.parse().expect("digits"));
                assert_eq!(body, &BODY.as_bytes()[first..=last]);
            }
            416 => assert_eq!((body, content_range), (&b""[..], Some("bytes */10"))),
            304 => {
                assert!(request.contains_key("if-none-match") || request.contains_key("if-modified-since"));
                assert!(body.is_empty());
            }
            other => panic!("{other} from memory"),
        }
    });
}
