use std::time::Duration;

use bartizan_cache::CacheLayer;
use http::HeaderName;

use super::message::{ANOTHER, BODY, Client, fields, is_quoted, messages, number, paused, says};

/// A request, its response with the status in front, and a second request with the seconds in front after which it comes.
///
/// The first letter of all: `s` is a shared cache, `t` heeds a targeted field, `b` both.
pub fn cache_response(data: &[u8]) {
    let (kind, data) = data.split_first().unwrap_or((&b' ', &[]));
    let mut messages = messages(data);
    let mut next = || messages.next().unwrap_or_default();
    let (asks, says_of_itself, asks_again) = (next(), next(), next());
    let status = u16::try_from(number(says_of_itself)).ok().filter(|status| (200..=599).contains(status));
    let (status, wait) = (status.unwrap_or(200), Duration::from_secs(number(asks_again).into()));
    let (asks, response, asks_again) =
        (fields(asks), fields(after_digits(says_of_itself)), fields(after_digits(asks_again)));

    let mut layer = CacheLayer::rfc9111();
    if b"sb".contains(kind) {
        layer = layer.shared();
    }
    let is_targeted = b"tb".contains(kind);
    if is_targeted {
        layer = layer.targets([HeaderName::from_static("cdn-cache-control")]);
    }
    paused(async {
        let client = Client::new(layer, status, response.clone());
        let first = client.send("GET", &asks).await;
        if says(&asks, "cache-control", "only-if-cached") && first.asked == 0 {
            assert_eq!((first.status, &*first.body), (504, &b""[..]));
            return;
        }
        assert_eq!(first.asked, 1, "nothing is stored yet");
        assert_eq!((first.status, &*first.body), (status, BODY.as_bytes()), "it comes as it is");
        for (name, value) in &response {
            assert!(first.headers.get_all(name).iter().any(|given| given == value), "{name} is lost");
        }

        tokio::time::advance(wait).await;
        let second = client.send("GET", &asks_again).await;
        if &*second.body == ANOTHER.as_bytes() || second.status == 504 && second.body.is_empty() {
            return;
        }
        assert!(second.headers.contains_key("age"), "what comes from memory has an age");
        let is_stored = |field: &str| !is_quoted(&response, field);
        let is_replaced = is_targeted && response.contains_key("cdn-cache-control");
        if !is_replaced && is_stored("cache-control") && !says(&response, "cache-control", "must-understand")
        {
            assert!(!says(&response, "cache-control", "no-store"), "no-store was stored");
        }
        assert!(
            is_quoted(&asks, "cache-control") || !says(&asks, "cache-control", "no-store"),
            "no-store was stored"
        );
        let varies_by_all = response.get_all("vary").iter().any(|line| {
            line.as_bytes().split(|&byte| byte == b',').any(|member| member.trim_ascii() == b"*")
        });
        assert!(!varies_by_all || is_quoted(&response, "vary"), "an asterisk matched");
        match second.status {
            304 => assert!(second.body.is_empty()),
            206 => assert!(BODY.as_bytes().windows(second.body.len()).any(|part| part == second.body)),
            416 => assert!(second.body.is_empty()),
            other => assert_eq!((other, &*second.body), (status, BODY.as_bytes()), "another one answered"),
        }
    });
}

fn after_digits(message: &[u8]) -> &[u8] {
    let end = message.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(message.len());
    message[end..].trim_ascii_start()
}
