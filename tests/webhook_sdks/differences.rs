//! Where a sender's library takes what we refuse, or the other way round. Each difference has its reason here; a new version of a library may end one.

use bartizan_webhook::SignatureFormat;
use http::{HeaderMap, HeaderValue};

use crate::SECRETS;
use crate::ours::{self, now};
use crate::sdks::Sdks;

const BODY: &[u8] = br#"{"id":"evt_1"}"#;
const KEY: &str = SECRETS[0];

fn edited(headers: &HeaderMap, name: &'static str, change: impl FnOnce(&str) -> String) -> HeaderMap {
    let mut headers = headers.clone();
    let value = change(headers[name].to_str().expect("a text"));
    headers.insert(name, HeaderValue::try_from(value).expect("a field"));
    headers
}

/// GitHub's refuses a body that is not there, before it looks at the signature. The others and we take it as any other.
#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn an_empty_body_is_a_body() {
    let mut sdks = Sdks::start();
    for (sdk, format, takes) in [
        ("octokit", SignatureFormat::github(), false),
        ("stripe", SignatureFormat::stripe(), true),
        ("standardwebhooks", SignatureFormat::standard_webhooks(), true),
        ("svix", SignatureFormat::svix(), true),
    ] {
        let headers = ours::sign(format.clone(), &[KEY], now(), b"");
        assert_eq!(sdks.verify(sdk, KEY, &headers, b"").is_ok(), takes, "{sdk}");
        assert!(ours::verify(format, &[KEY], &headers, b"").is_ok(), "{sdk}");
    }
}

/// The libraries work on text, and put U+FFFD for what is no UTF-8: a signature of the bytes is another one for them, and one of theirs fits many bodies. Ours
/// is over the bytes.
#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn bytes_that_are_no_text_are_signed_as_they_are() {
    let mut sdks = Sdks::start();
    for (sdk, format) in [
        ("standardwebhooks", SignatureFormat::standard_webhooks()),
        ("svix", SignatureFormat::svix()),
        ("stripe", SignatureFormat::stripe()),
        ("octokit", SignatureFormat::github()),
    ] {
        let theirs = sdks.sign(sdk, KEY, now(), b"\xff").expect("it is signed");
        assert_eq!(sdks.verify(sdk, KEY, &theirs, b"\xfe"), Ok(()), "{sdk} takes another body");
        assert_eq!(ours::verify(format.clone(), &[KEY], &theirs, b"\xff"), Err("no_match"), "{sdk}");
        let ours = ours::sign(format.clone(), &[KEY], now(), b"\xff");
        assert!(ours::verify(format, &[KEY], &ours, b"\xff").is_ok(), "{sdk}");
    }
}

/// Stripe's drops a byte order mark from the bytes before it makes the MAC. Ours is over the bytes.
#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn a_byte_order_mark_is_part_of_the_body() {
    let mut sdks = Sdks::start();
    let body = b"\xef\xbb\xbf{}";
    let headers = ours::sign(SignatureFormat::stripe(), &[KEY], now(), body);
    assert!(ours::verify(SignatureFormat::stripe(), &[KEY], &headers, body).is_ok());
    assert!(sdks.verify("stripe", KEY, &headers, body).is_err());
    assert_eq!(
        sdks.verify("stripe", KEY, &headers, b"\xef\xbb\xbf\xef\xbb\xbf{}"),
        Ok(()),
        "of two it drops one"
    );
}

/// Stripe's has no limit for what is to come: a request that was signed for tomorrow can be sent until then.
#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn what_is_signed_for_the_future_is_refused() {
    let mut sdks = Sdks::start();
    for (sdk, format, takes) in [
        ("stripe", SignatureFormat::stripe(), true),
        ("standardwebhooks", SignatureFormat::standard_webhooks(), false),
        ("svix", SignatureFormat::svix(), false),
    ] {
        let headers = sdks.sign(sdk, KEY, now() + 86_400, BODY).expect("it is signed");
        assert_eq!(sdks.verify(sdk, KEY, &headers, BODY).is_ok(), takes, "{sdk}");
        assert_eq!(ours::verify(format, &[KEY], &headers, BODY), Err("too_new"), "{sdk}");
    }
}

/// The libraries read as much of a timestamp as is a number, and make the MAC over that. We take digits only, and the MAC is over the field's own bytes.
#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn a_timestamp_is_digits_and_is_signed_as_it_stands() {
    let mut sdks = Sdks::start();
    let headers = sdks.sign("standardwebhooks", KEY, now(), BODY).expect("it is signed");
    for (change, why) in
        [("{}.5", "no_number"), ("{} and more", "no_number"), ("+{}", "no_number"), ("0{}", "no_match")]
    {
        let edited = edited(&headers, "webhook-timestamp", |seconds| change.replace("{}", seconds));
        assert_eq!(sdks.verify("standardwebhooks", KEY, &edited, BODY), Ok(()), "{change}");
        assert_eq!(
            ours::verify(SignatureFormat::standard_webhooks(), &[KEY], &edited, BODY),
            Err(why),
            "{change}"
        );
    }
    let headers = sdks.sign("stripe", KEY, now(), BODY).expect("it is signed");
    let edited = edited(&headers, "stripe-signature", |value| value.replace(",v1", "x,v1"));
    assert_eq!(sdks.verify("stripe", KEY, &edited, BODY), Ok(()));
    assert_eq!(ours::verify(SignatureFormat::stripe(), &[KEY], &edited, BODY), Err("no_number"));
}

/// Of two timestamps Stripe's takes the last one. Somebody in between may have taken the first.
#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn two_timestamps_are_none() {
    let mut sdks = Sdks::start();
    let headers = sdks.sign("stripe", KEY, now(), BODY).expect("it is signed");
    let edited = edited(&headers, "stripe-signature", |value| format!("t=1,{value}"));
    assert_eq!(sdks.verify("stripe", KEY, &edited, BODY), Ok(()));
    assert_eq!(ours::verify(SignatureFormat::stripe(), &[KEY], &edited, BODY), Err("twice"));
}

/// The libraries have no limit. With ours a request costs the same whoever sends it.
#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn more_than_sixteen_signatures_are_refused() {
    let mut sdks = Sdks::start();
    let headers = sdks.sign("standardwebhooks", KEY, now(), BODY).expect("it is signed");
    for (others, expected) in [(15, Ok(())), (16, Err("too_many"))] {
        let edited =
            edited(&headers, "webhook-signature", |value| format!("{}{value}", "v1,AAAA ".repeat(others)));
        assert_eq!(sdks.verify("standardwebhooks", KEY, &edited, BODY), Ok(()), "{others}");
        let ours = ours::verify(SignatureFormat::standard_webhooks(), &[KEY], &edited, BODY);
        assert_eq!(ours.map(drop), expected, "{others}");
    }
}

/// The library takes what stands between the first two commas for the signature. Ours is all that follows the version.
#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn nothing_follows_a_signature() {
    let mut sdks = Sdks::start();
    let headers = sdks.sign("standardwebhooks", KEY, now(), BODY).expect("it is signed");
    let edited = edited(&headers, "webhook-signature", |value| format!("{value},and more"));
    assert_eq!(sdks.verify("standardwebhooks", KEY, &edited, BODY), Ok(()));
    let ours = ours::verify(SignatureFormat::standard_webhooks(), &[KEY], &edited, BODY);
    assert_eq!(ours, Err("no_known_signature"));
}
