//! API keys, and where they stand.

use proptest::prelude::*;

use super::*;

const HEADER: HeaderName = HeaderName::from_static("x-api-key");

/// In every place.
fn anywhere() -> ApiKeys {
    let keys = ApiKeys::new(principals()).or_at(Place::query("key").unwrap());
    keys.or_at(Place::cookie("key").unwrap())
}

#[tokio::test]
async fn a_key_is_known_wherever_it_may_stand() {
    for (target, fields) in [
        ("/", &[("x-api-key", "k3y")][..]),
        ("/?key=k3y", &[]),
        ("/?a=1&k%65y=%6b3y&b", &[]),
        ("/", &[("cookie", "key=k3y")]),
        ("/", &[("cookie", "a=1;key = k3y ; b"), ("cookie", "keys=2")]),
    ] {
        assert_eq!(who(&anywhere(), get(target, fields)).await, Ok("billing".into()), "{target} {fields:?}");
    }
    let named = ApiKeys::at(Place::header(HeaderName::from_static("apikey")), principals());
    assert_eq!(who(&named, get("/", &[("apikey", "k3y")])).await, Ok("billing".into()));
}

#[tokio::test]
async fn elsewhere_a_key_is_none() {
    let missing = Err((401, "ApiKey realm=\"api\"".into()));
    for (target, fields) in [
        ("/", &[][..]),
        ("/?key=k3y", &[]),
        ("/", &[("cookie", "key=k3y")]),
        ("/", &[("authorization", "ApiKey k3y")]),
    ] {
        let request = get(target, fields);
        let denied = ask(&VerifyLayer::new(ApiKeys::new(principals())), request).await.unwrap_err();
        assert_eq!(*denied.denial(), Denial::Missing, "{target} {fields:?}");
        assert_eq!(who(&ApiKeys::new(principals()), get(target, fields)).await, missing);
    }
    for (target, fields) in [("/?Key=k3y&keys=k3y", &[][..]), ("/", &[("cookie", "Key=k3y; \"key\"=k3y")])] {
        assert_eq!(who(&anywhere(), get(target, fields)).await, missing, "{target} {fields:?}");
    }
    let in_cookie = ApiKeys::at(Place::cookie("key").unwrap(), principals());
    assert_eq!(who(&in_cookie, get("/?key=k3y", &[("x-api-key", "k3y")])).await, missing);
}

#[tokio::test]
async fn a_key_that_nobody_has_is_refused() {
    for key in ["k3z", "K3Y", "k3", "k3yy", "billing", "\u{ff}"] {
        let refused = ask(&VerifyLayer::new(anywhere()), get("/", &[("x-api-key", key)])).await.unwrap_err();
        assert_eq!(*refused.denial(), Denial::Refused, "{key}");
    }
    let plain = "4e738ca5563c06cfd0018299933d58db1dd8bf97f6973dc99bf6cdc64b5550bd";
    let keys = ApiKeys::new(Principals::new([(SecretDigest::from_hex(plain).unwrap(), "x")]));
    assert_eq!(status(who(&keys, get("/", &[("x-api-key", plain)])).await), 401, "the digest is not the key");
    assert_eq!(status(who(&keys, get("/", &[("x-api-key", "s3cr3t")])).await), 200);
}

#[tokio::test]
async fn an_empty_key_is_nobodys_even_if_its_digest_is_known() {
    let keys = ApiKeys::new(Principals::new([(SecretDigest::of(""), "an empty setting")]));
    let keys = keys.or_at(Place::query("key").unwrap()).or_at(Place::cookie("key").unwrap());
    for (target, fields) in [
        ("/", &[("x-api-key", "")][..]),
        ("/?key", &[]),
        ("/?key=", &[]),
        ("/", &[("cookie", "key=")]),
        ("/", &[("cookie", "key")]),
    ] {
        assert_eq!(status(who(&keys, get(target, fields)).await), 401, "{target} {fields:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_there_twice_is_a_bad_request() {
    let in_field = ("x-api-key", "k3y");
    for (target, fields) in [
        ("/", &[in_field, in_field][..]),
        ("/", &[in_field, ("x-api-key", "other")]),
        ("/?key=k3y", &[in_field]),
        ("/?key=", &[in_field]),
        ("/?key=k3y&a&ke%79=k3y", &[]),
        ("/", &[("cookie", "key=k3y; key=k3y")]),
        ("/", &[("cookie", "key=k3y"), ("cookie", "key=other")]),
        ("/?key=k3y", &[("cookie", "key=k3y")]),
    ] {
        let answer = who(&anywhere(), get(target, fields)).await;
        assert_eq!(answer, Err((400, "ApiKey realm=\"api\"".into())), "{target} {fields:?}");
    }
    let same = ApiKeys::new(principals()).or_at(Place::header(HEADER));
    assert_eq!(status(who(&same, get("/", &[in_field])).await), 200, "one place that was named twice");
}

#[tokio::test]
async fn what_is_set_counts_for_all_clones_from_the_next_request_on() {
    let principals = principals();
    let keys = ApiKeys::new(principals.clone());
    let mut service = VerifyLayer::new(keys.clone()).respond().layer(App::default());
    for (known, key, expected) in [("k3y", "k3y", 200), ("n3w", "k3y", 401), ("n3w", "n3w", 200)] {
        principals.clone().set([(SecretDigest::of(known), "billing")]);
        let request = get("/", &[("x-api-key", key)]);
        assert_eq!(service.ready().await.unwrap().call(request).await.unwrap().status(), expected);
    }
}

#[tokio::test]
async fn of_two_who_have_the_same_secret_the_last_counts() {
    let principals = Principals::new(["first", "last"].map(|name| (SecretDigest::of("k3y"), name)));
    assert_eq!(who(&ApiKeys::new(principals), get("/", &[("x-api-key", "k3y")])).await, Ok("last".into()));
}

#[test]
fn digests_are_spread_so_that_a_look_up_takes_no_longer_among_many() {
    let hashing = std::hash::RandomState::default();
    let hash = |nth: u32| std::hash::BuildHasher::hash_one(&hashing, SecretDigest::of(nth.to_string()));
    let spread: std::collections::HashSet<u64> = (0..1000).map(hash).collect();
    assert_eq!(spread.len(), 1000);
}

#[tokio::test]
async fn the_key_is_taken_out_and_the_rest_stays_as_it_was() {
    let other = ("x", "1");
    for (target, fields, expected, left) in [
        ("/?key=1", &[("x-api-key", "k3y"), other][..], "/?key=1", vec!["x: 1"]),
        ("/p%41th?a=%41&key=k3y&&b=+", &[other], "/p%41th?a=%41&&b=+", vec!["x: 1"]),
        ("http://a.example?key=k3y", &[], "http://a.example/", vec![]),
        ("/", &[("cookie", "a=1; key=k3y"), ("cookie", "b"), other], "/", vec!["cookie: a=1; b", "x: 1"]),
        ("/", &[("cookie", "key=k3y")], "/", vec![]),
    ] {
        let keys = if target.ends_with("key=1") { ApiKeys::new(principals()) } else { anywhere() };
        let layer = VerifyLayer::new(keys);
        let head = ask(&layer, get(target, fields)).await.unwrap();
        assert_eq!(written(&head), (expected.into(), left.into_iter().map(str::to_owned).collect()));

        let kept = ask(&layer.keep_credential(), get(target, fields)).await.unwrap();
        let request = get(target, fields).into_parts().0;
        assert_eq!(written(&kept), written(&request));
    }
}

#[tokio::test]
async fn a_key_has_any_bytes_and_in_a_query_a_plus_is_one() {
    let odd = "b+/=\u{e9}";
    for (target, fields) in [
        ("/", &[("x-api-key", odd)][..]),
        ("/?key=b+/=%C3%A9", &[]),
        ("/?key=b%2B%2F%3D%c3%a9", &[]),
        ("/", &[("cookie", &*format!("key={odd}"))]),
    ] {
        assert_eq!(who(&anywhere(), get(target, fields)).await, Ok("odd".into()), "{target} {fields:?}");
    }
}

#[tokio::test]
async fn ten_thousand_cookies_are_read_once() {
    let many: String = (0..10_000).map(|nth| format!("c{nth}=k3y; ")).collect();
    let among = format!("{many}key=k3y");
    assert_eq!(status(who(&anywhere(), get("/", &[("cookie", &many)])).await), 401);
    assert_eq!(status(who(&anywhere(), get("/", &[("cookie", &among)])).await), 200);
    let lines = vec![("cookie", "c=k3y"); 10_000];
    assert_eq!(status(who(&anywhere(), get("/", &lines)).await), 401);
}

#[test]
fn what_is_no_place_and_no_digest_is_refused() {
    assert!(Place::query("").is_err() && Place::query("a b").is_ok());
    for name in ["", "a b", "a;b", "a=b"] {
        assert!(Place::cookie(name).is_err(), "{name:?}");
    }
    let digits = "4E738ca5563c06cfd0018299933d58db1dd8bf97f6973dc99bf6cdc64b5550BD";
    assert_eq!(SecretDigest::from_hex(digits).unwrap(), SecretDigest::of("s3cr3t"));
    for bad in ["", &digits[1..], &format!("{digits}0"), &digits.replace('E', "G"), &"é".repeat(32)] {
        assert!(SecretDigest::from_hex(bad).is_err(), "{bad:?}");
    }
    let pair = SecretDigest::of_user("user", "pass:word").unwrap();
    assert_eq!(pair, SecretDigest::of("user:pass:word"));
    assert_ne!(pair, SecretDigest::of("user:password"));
    assert!(SecretDigest::of_user("us:er", "password").is_err());
}

fn presented(place: &Place, head: &Parts) -> Vec<SecretDigest> {
    let request = RequestHead::new(&head.method, &head.uri, &head.headers, &head.extensions, None);
    let mut all = Vec::new();
    place.each(&request, |key| all.push(key.digest()));
    all
}

proptest! {
    #[test]
    fn no_cookies_panic_and_each_is_found_that_was_written(
        noise in prop::collection::vec(any::<u8>(), 0..80),
        before in prop::collection::vec("[a-z]{1,3}=[!-:<-~]{0,5}", 0..5),
        key in "[!-:<-~]{1,9}",
        after in prop::collection::vec("[a-z]{1,3}=[!-:<-~]{0,5}", 0..5),
        space in "[ \t]{0,2}",
    ) {
        let place = Place::cookie("key").unwrap();
        let (mut head, ()) = Request::new(()).into_parts();
        if let Ok(value) = HeaderValue::from_bytes(&noise) {
            head.headers.insert(COOKIE, value);
            presented(&place, &head);
        }
        let others = before.iter().chain(&after).filter(|pair| pair.starts_with("key=")).count();
        let pairs: Vec<_> = before.into_iter().chain([format!("key={key}")]).chain(after).collect();
        head.headers.insert(COOKIE, pairs.join(&format!("{space};{space}")).parse().unwrap());
        let found = presented(&place, &head);
        prop_assert_eq!(found.len(), 1 + others);
        prop_assert!(found.contains(&SecretDigest::of(key)));
        place.take_out(&mut head.uri, &mut head.headers);
        prop_assert!(presented(&place, &head).is_empty());
    }

    #[test]
    fn no_query_panics_and_what_a_client_writes_is_found(
        noise in "[!-;=?-~]{0,80}",
        name in "\\PC{1,5}",
        key in "\\PC{1,9}",
    ) {
        let place = Place::query(&name).unwrap();
        let (mut head, ()) = Request::new(()).into_parts();
        if let Ok(uri) = format!("/?{}", noise.replace('#', "")).parse() {
            head.uri = uri;
            presented(&place, &head);
        }
        let others = presented(&place, &head).len();
        prop_assume!(others == 0);
        let client = crate::ApiKey::query(&name, key.as_str()).unwrap();
        crate::Authorizer::authorize(&client, &mut head).unwrap();
        prop_assert_eq!(presented(&place, &head), vec![SecretDigest::of(key)]);
        place.take_out(&mut head.uri, &mut head.headers);
        prop_assert!(presented(&place, &head).is_empty());
    }
}
