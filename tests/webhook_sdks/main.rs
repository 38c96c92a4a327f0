//! Webhooks beside what senders give to their users: the npm packages of Standard Webhooks, Svix, Stripe and GitHub, and for senders without one the recipe
//! of their docs over Node's own crypto. They sign and we verify, and the other way round.

#![allow(missing_docs)]

mod bodies;
mod differences;
mod ours;
mod sdks;

use bartizan_webhook::SignatureFormat;

use bodies::bodies;
use ours::now;
use sdks::Sdks;

/// A sender: his library, our table, and two keys of his.
struct Sender {
    sdk: &'static str,
    format: fn() -> SignatureFormat,
    keys: [&'static str; 2],
    has_timestamp: bool,
}

const SECRETS: [&str; 2] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_plJ3nmyCDGBKInavdOK15jsl"];
const TEXTS: [&str; 2] = ["It's a Secret to Everybody", "é and 日本"];
/// Private keys with their public halves.
const PAIRS: [&str; 2] = [
    "e976ff742707a4f79adb53d2d4df5563f3595bbdb708473becde2b242b9b31b7d52880e28f61caa4c2a48a82e55f4751a92289a78009ea9f6532270c16ce8abe",
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
];

impl Sender {
    /// What he gives out to verify by: of a pair the public half.
    fn given<'a>(&self, key: &'a str) -> &'a str {
        if PAIRS.contains(&key) { &key[64..] } else { key }
    }
}

fn senders() -> [Sender; 7] {
    let sender = |sdk, format, keys, has_timestamp| Sender { sdk, format, keys, has_timestamp };
    [
        sender("standardwebhooks", SignatureFormat::standard_webhooks, SECRETS, true),
        sender("svix", SignatureFormat::svix, SECRETS, true),
        sender("stripe", SignatureFormat::stripe, SECRETS, true),
        sender("octokit", SignatureFormat::github, TEXTS, false),
        sender("slack", SignatureFormat::slack, TEXTS, true),
        sender("shopify", SignatureFormat::shopify, TEXTS, false),
        sender("discord", SignatureFormat::discord, PAIRS, true),
    ]
}

const BODIES: usize = 300;

#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn what_they_sign_we_verify_and_nothing_else() {
    let mut sdks = Sdks::start();
    for sender in senders() {
        let Sender { sdk, format, keys: [key, other], .. } = sender;
        let (given, other) = (sender.given(key), sender.given(other));
        for body in bodies(BODIES) {
            let headers = sdks.sign(sdk, key, now(), &body).expect("it is signed");
            assert_eq!(ours::verify(format(), &[given], &headers, &body).expect(sdk), body, "{sdk}");
            assert_eq!(ours::verify(format(), &[other], &headers, &body), Err("no_match"), "{sdk}");
            let mut tampered = body.clone();
            tampered[0] ^= 1;
            assert_eq!(ours::verify(format(), &[given], &headers, &tampered), Err("no_match"), "{sdk}");
        }
    }
}

#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn what_we_sign_they_verify_and_nothing_else() {
    let mut sdks = Sdks::start();
    for Sender { sdk, format, keys: [key, other], .. } in senders() {
        for body in bodies(BODIES) {
            let headers = ours::sign(format(), &[key], now(), &body);
            assert_eq!(sdks.verify(sdk, key, &headers, &body), Ok(()), "{sdk}");
            assert!(sdks.verify(sdk, other, &headers, &body).is_err(), "{sdk}");
            let mut tampered = body.clone();
            tampered[0] ^= 1;
            assert!(sdks.verify(sdk, key, &headers, &tampered).is_err(), "{sdk}");
        }
    }
}

#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn what_is_late_is_refused_by_both() {
    let mut sdks = Sdks::start();
    for Sender { sdk, format, keys: [key, _], .. } in
        senders().into_iter().filter(|sender| sender.has_timestamp)
    {
        let (body, late) = (br#"{"id":"evt_1"}"#, now() - 400);
        let theirs = sdks.sign(sdk, key, late, body).expect("it is signed");
        let ours = ours::sign(format(), &[key], late, body);
        for headers in [theirs, ours] {
            assert_eq!(ours::verify(format(), &[key], &headers, body), Err("too_old"), "{sdk}");
            assert!(sdks.verify(sdk, key, &headers, body).is_err(), "{sdk}");
        }
    }
}

#[test]
#[ignore = "needs the senders' libraries: cargo xtask test"]
fn while_keys_are_changed_both_are_known() {
    let mut sdks = Sdks::start();
    let body = br#"{"id":"evt_1"}"#;
    for Sender { sdk, format, keys, .. } in senders() {
        for key in keys {
            let headers = sdks.sign(sdk, key, now(), body).expect("it is signed");
            assert!(ours::verify(format(), &keys, &headers, body).is_ok(), "{sdk}");
        }
    }
    // Senders whose field has room for several signatures.
    for Sender { sdk, format, keys: [old, new], .. } in senders().into_iter().take(3) {
        let headers = ours::sign(format(), &[new, old], now(), body);
        for key in [old, new] {
            assert_eq!(sdks.verify(sdk, key, &headers, body), Ok(()), "{sdk}");
        }
        let third = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        assert!(sdks.verify(sdk, third, &headers, body).is_err(), "{sdk}");
    }
}
