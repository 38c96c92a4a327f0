use bartizan_core::CallContext;
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, HeaderValue, Method};
use proptest::prelude::*;

use super::*;

fn keys() -> Keys {
    Keys::new(vec![AUTHORIZATION, HeaderName::from_static("x-tenant")], None)
}

/// Target, partition, and the fields of the principals.
type Asks<'a> = (&'a str, Option<&'a str>, &'a [(&'static str, &'static str)]);

/// Its digest, and what is kept.
fn of(keys: &Keys, (uri, partition, fields): Asks<'_>) -> (u128, StoredKey) {
    let uri: Uri = uri.parse().expect("a URI");
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_static(value));
    }
    let mut extensions = Extensions::new();
    if let Some(partition) = partition {
        CallContext::edit(&mut extensions).set_partition(partition);
    }
    let request = RequestHead::new(&Method::GET, &uri, &headers, &extensions, None);
    let key = keys.key(&request);
    let stored = key.store();
    assert!(stored.is(&key));
    (key.digest, stored)
}

#[test]
fn what_differs_has_another_digest_and_is_another_key() {
    let all: &[Asks<'_>] = &[
        ("http://a/x", None, &[]),
        ("https://a/x", None, &[]),
        ("http://b/x", None, &[]),
        ("http://a:81/x", None, &[]),
        ("http://a/X", None, &[]),
        ("http://a/x?", None, &[]),
        ("http://a/x?y", None, &[]),
        ("/x", None, &[]),
        ("http://a/x", Some(""), &[]),
        ("http://a/x", Some("me"), &[]),
        ("http://a/x", None, &[("authorization", "")]),
        ("http://a/x", None, &[("x-tenant", "")]),
        ("http://a/x", None, &[("authorization", ""), ("authorization", "")]),
        ("http://a/x", None, &[("authorization", ""), ("x-tenant", "")]),
        ("http://a/x", None, &[("authorization", "1"), ("authorization", "2")]),
        ("http://a/x", None, &[("authorization", "12")]),
        ("http://a/x", Some("me"), &[("authorization", "1")]),
        ("http://a/x", Some(""), &[("authorization", "")]),
        ("http://b/x", Some("me"), &[]),
        ("http://b/x", None, &[("authorization", "")]),
    ];
    let keys = keys();
    for (index, one) in all.iter().enumerate() {
        for (place, other) in all.iter().enumerate() {
            let (one, other) = (of(&keys, *one), of(&keys, *other));
            assert_eq!(
                (one.0 == other.0, one.1 == other.1),
                (index == place, index == place),
                "{index} {place}"
            );
        }
    }
}

#[test]
fn what_differs_is_another_key_even_if_its_digest_is_the_same() {
    let (uri, headers, extensions) = (Uri::from_static("http://a:81/x"), HeaderMap::new(), Extensions::new());
    let keys = keys();
    let key = keys.key(&RequestHead::new(&Method::GET, &uri, &headers, &extensions, None));
    let stored = key.store();
    assert!(stored.is(&key) && stored.is(&Key { origin: Some(("HTTP", "A", Some(81))), ..key }));
    for other in [
        Key { digest: !key.digest, ..key },
        Key { origin: Some(("https", "a", Some(81))), ..key },
        Key { origin: Some(("http", "b", Some(81))), ..key },
        Key { origin: Some(("http", "a", None)), ..key },
        Key { origin: None, ..key },
        Key { target: "/X", ..key },
        Key { partition: Some(""), ..key },
        Key { principal: 1, ..key },
    ] {
        assert!(!stored.is(&other), "{:?}", other.store());
    }
}

#[test]
fn a_group_is_of_one_origin_and_no_target() {
    let keys = keys();
    let groups = ["http://a/x", "https://a/x", "http://b/x", "http://a:81/x"]
        .map(|uri| keys.group(&of(&keys, (uri, None, &[])).1, "/g"));
    let others =
        [keys.group(&of(&keys, ("http://a/x", None, &[])).1, "h"), of(&keys, ("http://a/g", None, &[])).0];
    let all: std::collections::HashSet<_> = groups.into_iter().chain(others).collect();
    assert_eq!(all.len(), 6);
}

#[test]
fn what_is_written_otherwise_is_the_same() {
    let keys = keys();
    for (one, other) in [("http://a/x", "HTTP://A:80/x"), ("https://a", "https://a:443/")] {
        assert_eq!(of(&keys, (one, None, &[])), of(&keys, (other, None, &[])));
    }
    assert_eq!(
        keys.group(&of(&keys, ("http://A/x", None, &[])).1, "g"),
        keys.group(&of(&keys, ("http://a/y", None, &[])).1, "g")
    );
}

proptest! {
    /// However long the pieces are that a digest is fed with.
    #[test]
    fn a_digest_is_that_of_all_bytes(texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5)) {
        let keys = keys();
        let whole: Vec<u8> = texts.iter().flat_map(|text| {
            [&(text.len() as u64).to_le_bytes()[..], text].concat()
        }).collect();
        let pieces = keys.digest(|digest| texts.iter().for_each(|text| digest.text(text)));
        let lower = keys.digest(|digest| texts.iter().for_each(|text| digest.lower(text)));
        let hash = |bytes: &[u8]| keys.hashing.each_ref().map(|hashing| {
            use std::hash::{BuildHasher, Hasher};
            let mut hasher = hashing.build_hasher();
            hasher.write(bytes);
            hasher.finish()
        });
        let split = |digest: u128| [(digest >> 64) as u64, digest as u64];
        prop_assert_eq!(split(pieces), hash(&whole));
        let lowered: Vec<u8> = texts.iter().flat_map(|text| {
            [&(text.len() as u64).to_le_bytes()[..], &text.to_ascii_lowercase()].concat()
        }).collect();
        prop_assert_eq!(split(lower), hash(&lowered));
    }
}
