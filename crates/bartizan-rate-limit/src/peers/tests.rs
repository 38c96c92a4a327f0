use http::{HeaderValue, Request};
use proptest::prelude::*;

use super::*;

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

fn by_extension() -> Peers {
    Peers::by(|request| request.extensions.get().copied())
}

fn request<L: AsRef<[u8]>>(field: &'static str, lines: &[L]) -> Request<()> {
    let mut request = Request::new(());
    for line in lines {
        request.headers_mut().append(field, HeaderValue::from_bytes(line.as_ref()).unwrap());
    }
    request
}

/// Whose a request from [`PEER`] with these lines of `X-Forwarded-For` is, so many proxies on.
fn caller<L: AsRef<[u8]>>(proxies: u8, lines: &[L]) -> String {
    let mut request = request("x-forwarded-for", lines);
    request.extensions_mut().insert(PEER);
    shown(&by_extension().behind(proxies), &request)
}

fn shown(peers: &Peers, request: &Request<()>) -> String {
    format!("{:?}", peers.clone().key_by().key(&RequestHead::from(request)))
}

fn peer(address: &str) -> String {
    format!("{:?}", Key::peer(address.parse().unwrap()))
}

#[test]
fn without_proxies_the_field_is_not_looked_at() {
    let mut request = request("x-forwarded-for", &["203.0.113.9"]);
    request.extensions_mut().insert(PEER);
    for peers in [by_extension(), by_extension().behind(0)] {
        assert_eq!(shown(&peers, &request), peer("10.0.0.1"));
    }
}

#[test]
fn the_caller_stands_as_many_places_before_the_end_as_there_are_proxies() {
    let chain = ["192.0.2.3, 192.0.2.2, 192.0.2.1"];
    for (proxies, expected) in [
        (0, "10.0.0.1"),
        (1, "192.0.2.1"),
        (2, "192.0.2.2"),
        (3, "192.0.2.3"),
        (4, "10.0.0.1"),
        (255, "10.0.0.1"),
    ] {
        assert_eq!(caller(proxies, &chain), peer(expected), "{proxies}");
    }
}

#[test]
fn what_a_stranger_writes_on_the_left_changes_nothing() {
    for forged in ["6.6.6.6", "6.6.6.6, 10.0.0.1, 127.0.0.1", ",,,", "\"", "[", "\"6.6.6.6, ", "\u{e4}"] {
        for lines in
            [vec![format!("{forged}, 203.0.113.9")], vec![forged.to_owned(), "203.0.113.9".to_owned()]]
        {
            assert_eq!(caller(1, &lines), peer("203.0.113.9"), "{lines:?}");
        }
        let two = [forged.to_owned(), "203.0.113.9, 10.0.0.2".to_owned()];
        assert_eq!(caller(2, &two), peer("203.0.113.9"), "{two:?}");
    }
}

#[test]
fn lines_are_one_chain_from_the_first_to_the_last() {
    let lines = ["192.0.2.5,192.0.2.4", "192.0.2.3", "192.0.2.2 ,\t192.0.2.1"];
    for proxies in 1..=5 {
        assert_eq!(caller(proxies, &lines), peer(&format!("192.0.2.{proxies}")), "{proxies}");
    }
}

#[test]
fn addresses_are_read_with_and_without_a_port() {
    for (entry, expected) in [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:80", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:65535", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
    ] {
        assert_eq!(caller(1, &[entry]), peer(expected), "{entry}");
    }
}

#[test]
fn an_entry_that_is_no_address_is_the_peers_own() {
    for entry in [
        "",
        " ",
        "unknown",
        "_hidden",
        "\"192.0.2.1\"",
        "\"[2001:db8::1]:80\"",
        "for=192.0.2.1",
        "192.0.2.1:",
        "192.0.2.1:65536",
        "192.0.2.1:http",
        "192.0.2.1:80:80",
        "192.0.2.1.",
        "192.0.2.01",
        "192.0.2",
        "0xc0000201",
        "3221225985",
        "[192.0.2.1]",
        "[192.0.2.1]:80",
        "[2001:db8::1",
        "2001:db8::1]",
        "[[2001:db8::1]]",
        "[2001:db8::1]80",
        "fe80::1%eth0",
        "192.0.2.1 192.0.2.2",
        "localhost",
    ] {
        assert_eq!(caller(1, &[entry]), peer("10.0.0.1"), "{entry:?}");
        assert_eq!(caller(2, &[&format!("192.0.2.7, {entry}, 192.0.2.8")]), peer("10.0.0.1"), "{entry:?}");
    }
    assert_eq!(caller(1, &[b"\xff\xfe"]), peer("10.0.0.1"));
}

#[test]
fn an_empty_entry_does_not_bring_a_strangers_into_its_place() {
    for lines in [vec!["6.6.6.6,"], vec!["6.6.6.6", ""], vec!["6.6.6.6, ,"]] {
        assert_eq!(caller(1, &lines), peer("10.0.0.1"), "{lines:?}");
    }
}

#[test]
fn a_chain_shorter_than_the_proxies_is_the_peers_own() {
    for lines in [&[][..], &["192.0.2.1"], &["192.0.2.2, 192.0.2.1"]] {
        assert_eq!(caller(3, lines), peer("10.0.0.1"), "{lines:?}");
    }
}

#[test]
fn hosts_of_one_ipv6_network_are_one_caller() {
    assert_eq!(caller(1, &["2001:db8:1:2::3"]), caller(1, &["[2001:db8:1:2:ffff::4]:80"]));
    assert_ne!(caller(1, &["2001:db8:1:2::3"]), caller(1, &["2001:db8:1:3::3"]));
}

#[test]
fn requests_of_which_no_address_is_known_share_one_key() {
    let nobody = request("x-forwarded-for", &["unknown"]);
    for proxies in 0..3 {
        assert_eq!(shown(&by_extension().behind(proxies), &nobody), format!("{:?}", Key::NONE));
    }
    // Over a unix socket a proxy has no address and still says whom it speaks for.
    let somebody = request("x-forwarded-for", &["192.0.2.1"]);
    assert_eq!(shown(&by_extension().behind(1), &somebody), peer("192.0.2.1"));
}

#[test]
fn another_field_may_be_the_one_that_the_proxies_append_to() {
    let peers = by_extension().behind(1).field(HeaderName::from_static("x-real-ip"));
    let mut request = request("x-real-ip", &["192.0.2.1"]);
    request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("6.6.6.6"));
    assert_eq!(shown(&peers, &request), peer("192.0.2.1"));
    assert_eq!(format!("{peers:?}"), "Peers { proxies: 1, field: \"x-real-ip\", .. }");
}

proptest! {
    #[test]
    fn whatever_a_stranger_sends_the_key_is_one_that_the_proxies_wrote(
        forged in proptest::collection::vec("[\\x20-\\x7e\\x80-\\xff]{0,40}", 0..4),
        proxies in 1..4_u8,
    ) {
        let mut lines: Vec<Vec<u8>> = forged.into_iter().map(|line| line.into_bytes()).collect();
        let appended: Vec<String> = (1..=proxies).rev().map(|n| format!("192.0.2.{n}")).collect();
        let appended = appended.join(", ").into_bytes();
        let mut joined = lines.clone();
        lines.push(appended.clone());
        let expected = peer(&format!("192.0.2.{proxies}"));
        prop_assert_eq!(&caller(proxies, &lines), &expected);
        if let Some(last) = joined.last_mut() {
            last.extend([&b", "[..], &appended].concat());
            prop_assert_eq!(&caller(proxies, &joined), &expected);
        }
    }

    #[test]
    fn no_bytes_panic(line in proptest::collection::vec(any::<u8>(), 0..60), proxies in any::<u8>()) {
        if HeaderValue::from_bytes(&line).is_ok() {
            let _ = caller(proxies, &[line]);
        }
    }
}
