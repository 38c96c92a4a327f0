//! What each scheme puts on a request.

use super::*;

/// Target, and fields by name in their order.
async fn put_on(
    authorizer: impl Authorizer,
    uri: &str,
    fields: &[(&'static str, &'static str)],
) -> (String, Vec<String>) {
    let mut request = request(uri);
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let head = sent(&AuthLayer::new(here(), authorizer), request).await;
    let lines = head.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
    (head.uri.to_string(), lines.collect())
}

#[tokio::test]
async fn an_api_key_stands_in_its_field_alone() {
    let (uri, fields) =
        put_on(ApiKey::new("k3y").unwrap(), HERE, &[("x-api-key", "mine"), ("x-api-key", "two"), ("x", "1")])
            .await;
    assert_eq!((&*uri, fields), (HERE, vec!["x-api-key: k3y".into(), "x: 1".into()]));
    let named = ApiKey::header(HeaderName::from_static("apikey"), "k3y").unwrap();
    assert_eq!(put_on(named, HERE, &[]).await.1, ["apikey: k3y"]);
    for bad in ["", "a\nb", "a\0"] {
        assert!(ApiKey::new(bad).is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn in_a_query_it_stands_last_and_once_and_the_rest_stays_as_it_was() {
    for (query, expected) in [
        ("", "?key=a%2Bb%26c"),
        ("?", "?&key=a%2Bb%26c"),
        ("?x=%41&&y=+%20", "?x=%41&&y=+%20&key=a%2Bb%26c"),
        ("?key=1&x=2&key&k%65y=3&keys=4&Key=5", "?x=2&keys=4&Key=5&key=a%2Bb%26c"),
    ] {
        let key = ApiKey::query("key", "a+b&c").unwrap();
        let (uri, fields) = put_on(key, &format!("https://api.example.com/p%41th{query}"), &[]).await;
        assert_eq!((uri, fields), (format!("https://api.example.com/p%41th{expected}"), vec![]), "{query}");
    }
    let key = ApiKey::query("an ä", "k").unwrap();
    let uri = "https://api.example.com?an+%C3%A4=1&x";
    assert_eq!(put_on(key, uri, &[]).await.0, "https://api.example.com/?x&an%20%C3%A4=k");
    assert!(ApiKey::query("", "k").is_err() && ApiKey::query("k", "").is_err());
}

#[tokio::test]
async fn where_a_redirect_repeats_it_the_key_itself_does_not_go_elsewhere() {
    for (query, expected) in [
        ("?key=a%2Bb&x=1&key=a+b&key=a%20b", "?x=1&key=a%20b"),
        ("?k%65y=%61%2bb", ""),
        ("?key=another&a%2Bb", "?key=another&a%2Bb"),
        ("", ""),
    ] {
        let layer = AuthLayer::new(here(), ApiKey::query("key", "a+b").unwrap());
        let head = sent(&layer, request(&format!("https://evil.example/{query}"))).await;
        assert_eq!(head.uri.to_string(), format!("https://evil.example/{expected}"), "{query}");
    }
}

#[tokio::test]
async fn in_a_cookie_it_stands_beside_the_others() {
    let key = || ApiKey::cookie("sid", "k3y").unwrap();
    for (cookies, expected) in [
        (&[][..], "sid=k3y"),
        (&["a=1; b=2"], "a=1; b=2; sid=k3y"),
        (&["a=1;;sid=old ;sid", "b=2"], "a=1; b=2; sid=k3y"),
    ] {
        let fields: Vec<_> = cookies.iter().map(|cookie| ("cookie", *cookie)).collect();
        assert_eq!(put_on(key(), HERE, &fields).await.1, [format!("cookie: {expected}")]);
    }
    let layer = AuthLayer::new(here(), key());
    assert!(sent(&layer, request(HERE)).await.headers[COOKIE].is_sensitive());
    for (name, value) in [("a b", "k"), ("", "k"), ("a", ""), ("a", "k;"), ("a", "k\"")] {
        assert!(ApiKey::cookie(name, value).is_err(), "{name:?} {value:?}");
    }
}

#[tokio::test]
async fn basic_is_base64_of_utf_8() {
    for (user, password, expected) in [
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test", "123£", "Basic dGVzdDoxMjPCow=="),
        ("key", "", "Basic a2V5Og=="),
        ("", "a:b", "Basic OmE6Yg=="),
    ] {
        let basic = Basic::new(user, password).unwrap();
        let (_, fields) = put_on(basic, HERE, &[("authorization", "Bearer mine")]).await;
        assert_eq!(fields, [format!("authorization: {expected}")]);
    }
    for (user, password) in [("a:b", "c"), ("a\n", "c"), ("a", "c\u{7f}"), ("a\u{85}", "")] {
        assert!(Basic::new(user, password).is_err(), "{user:?} {password:?}");
    }
}

#[tokio::test]
async fn a_bearer_token_is_one_by_its_grammar() {
    let token = "mF_9.B5f-4.1JqM~+/==";
    assert_eq!(
        put_on(Bearer::new(token).unwrap(), HERE, &[]).await.1,
        [format!("authorization: Bearer {token}")]
    );
    for bad in ["", "=", "a b", "a=b", "a\n", "ä", "a,b", "\"a\""] {
        assert!(Bearer::new(bad).is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn what_is_put_on_a_request_is_sensitive() {
    let basic = sent(&AuthLayer::new(here(), Basic::new("a", "b").unwrap()), request(HERE)).await;
    let bearer = sent(&AuthLayer::new(here(), Bearer::new("b").unwrap()), request(HERE)).await;
    let key = sent(&AuthLayer::new(here(), ApiKey::new("b").unwrap()), request(HERE)).await;
    for (head, name) in [(basic, "authorization"), (bearer, "authorization"), (key, "x-api-key")] {
        assert!(head.headers[name].is_sensitive(), "{name}");
    }
}

#[test]
fn what_is_put_on_a_request_comes_off_again_and_nothing_else() {
    let fields = [("authorization", "Bearer mine"), ("x-api-key", "mine"), ("cookie", "a=1; key=2")];
    let strip = |authorizer: &dyn Authorizer| {
        let mut request = request("https://api.example.com/?a&key=1&&b");
        for (name, value) in fields {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let mut uri = request.uri().clone();
        authorizer.strip(&mut uri, request.headers_mut());
        let lines: Vec<_> = request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
            .collect();
        format!("{uri} {}", lines.join(" "))
    };
    let uri = "https://api.example.com/?a&key=1&&b";
    let bearer = Bearer::new("t").unwrap();
    assert_eq!(strip(&bearer), format!("{uri} cookie=a=1; key=2 x-api-key=mine"));
    assert_eq!(
        strip(&ApiKey::new("k").unwrap()),
        format!("{uri} authorization=Bearer mine cookie=a=1; key=2")
    );
    assert_eq!(
        strip(&ApiKey::cookie("key", "k").unwrap()),
        format!("{uri} authorization=Bearer mine x-api-key=mine cookie=a=1")
    );
    assert_eq!(
        strip(&ApiKey::cookie("none", "k").unwrap()),
        format!("{uri} authorization=Bearer mine x-api-key=mine cookie=a=1; key=2")
    );
    let all = "authorization=Bearer mine x-api-key=mine cookie=a=1; key=2";
    assert_eq!(strip(&ApiKey::query("key", "k").unwrap()), format!("https://api.example.com/?a&&b {all}"));
    assert_eq!(strip(&ApiKey::query("none", "k").unwrap()), format!("{uri} {all}"));
}

#[tokio::test]
async fn a_request_without_room_for_a_key_is_refused_as_it_was() {
    let layer = AuthLayer::new(here(), ApiKey::query("key", "k".repeat(100)).unwrap());
    let uri = format!("https://api.example.com/?{}", "x".repeat(65_480));
    let error = refused(&layer, &uri).await;
    let text =
        "no credential for `https://api.example.com`: the head of a request has no room left for an API key";
    assert_eq!(error.to_string(), text);
    assert_eq!(sent(&layer.or_without(), request(&uri)).await.uri, *uri);
}
