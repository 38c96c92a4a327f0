use super::*;

fn stripe() -> SignatureVerifier {
    SignatureFormat::stripe().verifier(["s"]).unwrap()
}

/// A valid value of `stripe-signature` for the body `{}`, in its two elements.
fn elements(seconds: u64) -> (String, String) {
    let headers = signed(&SignatureFormat::stripe(), "s", b"{}", at(seconds));
    let (timestamp, signature) = headers["stripe-signature"].to_str().unwrap().split_once(',').unwrap();
    (timestamp.to_owned(), signature.to_owned())
}

fn with(value: &str) -> Option<FaultKind> {
    kind(verify(&stripe(), &headers([("stripe-signature", value.as_bytes())]), b"{}", at(NOW)))
}

#[test]
fn the_order_of_elements_and_spaces_after_a_separator_do_not_matter() {
    let (t, v) = elements(NOW);
    for value in [format!("{t},{v}"), format!("{v},{t}"), format!("{t}, {v}"), format!("{t},v1=00,x=y,{v},,")]
    {
        assert_eq!(with(&value), None, "{value}");
    }
}

#[test]
fn what_is_there_twice_is_refused() {
    let (t, v) = elements(NOW);
    assert_eq!(with(&format!("{t},{t},{v}")), Some(FaultKind::Twice));
    let value = format!("{t},{v}");
    let twice = headers([("stripe-signature", value.as_bytes()), ("stripe-signature", value.as_bytes())]);
    assert_eq!(kind(verify(&stripe(), &twice, b"{}", at(NOW))), Some(FaultKind::Twice));
    let format = SignatureFormat::standard_webhooks();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut headers = signed(&format, SECRET, b"{}", at(NOW));
        headers.append(name.parse::<HeaderName>().unwrap(), headers[name].clone());
        let verifier = format.clone().verifier([SECRET]).unwrap();
        assert_eq!(kind(verify(&verifier, &headers, b"{}", at(NOW))), Some(FaultKind::Twice), "{name}");
    }
}

#[test]
fn sixteen_signatures_are_read_known_or_not_and_no_more() {
    let (t, v) = elements(NOW);
    for other in ["v1=00", "v9=zz"] {
        let others = |count: usize| vec![other; count].join(",");
        assert_eq!(with(&format!("{t},{},{v}", others(15))), None, "{other}");
        assert_eq!(with(&format!("{t},{},{v}", others(16))), Some(FaultKind::TooMany), "{other}");
    }
}

#[test]
fn a_field_of_four_kib_is_read_and_no_more() {
    let (t, v) = elements(NOW);
    let padded = |length: usize| {
        let start = format!("{t},{v},");
        format!("{start}{}", "x".repeat(length - start.len()))
    };
    assert_eq!(with(&padded(4096)), None);
    assert_eq!(with(&padded(4097)), Some(FaultKind::TooLong));
}

#[test]
fn versions_that_are_not_known_are_passed_over_and_none_else_is_a_fault() {
    let (t, v) = elements(NOW);
    assert_eq!(with(&format!("{t},v2=zz,{v}")), None);
    for value in [
        format!("{t},v2=00"),
        t.clone(),
        String::new(),
        format!("{t},v1=zz"),
        format!("{t},v1={}", "0".repeat(63)),
    ] {
        assert_eq!(with(&value), Some(FaultKind::NoKnownSignature), "{value}");
    }
    // Of another length than the MAC: just another one.
    for digits in [0, 2, 62, 66] {
        assert_eq!(with(&format!("{t},v1={}", "0".repeat(digits))), Some(FaultKind::NoMatch), "{digits}");
    }
    assert_eq!(kind(verify(&stripe(), &HeaderMap::new(), b"{}", at(NOW))), Some(FaultKind::NoSignature));
}

#[test]
fn another_spelling_of_a_signature_is_none() {
    let (t, v) = elements(NOW);
    assert_eq!(
        with(&format!("{t},v1={}", v["v1=".len()..].to_uppercase())),
        Some(FaultKind::NoKnownSignature)
    );
    let format = SignatureFormat::shopify();
    let value = signed(&format, "s", b"{}", at(NOW))["x-shopify-hmac-sha256"].clone();
    let value = value.to_str().unwrap();
    let verifier = format.verifier(["s"]).unwrap();
    let without_padding = value.trim_end_matches('=');
    assert_ne!(value, without_padding);
    for other in [without_padding.to_owned(), format!("{value}="), format!(" {value}")] {
        let headers = headers([("x-shopify-hmac-sha256", other.as_bytes())]);
        assert!(verify(&verifier, &headers, b"{}", at(NOW)).is_err(), "{other}");
    }
}

#[test]
fn the_window_of_a_timestamp_is_five_minutes_both_ways_to_the_second() {
    for (signed_at, expected) in [
        (NOW, None),
        (NOW - 300, None),
        (NOW - 301, Some(FaultKind::TooOld)),
        (NOW + 300, None),
        (NOW + 301, Some(FaultKind::TooNew)),
        (NOW + 31_536_000, Some(FaultKind::TooNew)),
    ] {
        let (t, v) = elements(signed_at);
        assert_eq!(with(&format!("{t},{v}")), expected, "{signed_at}");
    }
}

#[test]
fn the_window_can_be_another_one() {
    let verifier = SignatureFormat::stripe().tolerance(Duration::from_secs(1)).verifier(["s"]).unwrap();
    for (signed_at, is_known) in [(NOW - 1, true), (NOW - 2, false), (NOW + 1, true), (NOW + 2, false)] {
        let (t, v) = elements(signed_at);
        let headers = headers([("stripe-signature", format!("{t},{v}").as_bytes())]);
        assert_eq!(verify(&verifier, &headers, b"{}", at(NOW)).is_ok(), is_known, "{signed_at}");
    }
    let endless = SignatureFormat::stripe().tolerance(Duration::MAX).verifier(["s"]).unwrap();
    let (t, v) = elements(0);
    let headers = headers([("stripe-signature", format!("{t},{v}").as_bytes())]);
    assert!(verify(&endless, &headers, b"{}", at(NOW)).is_ok());
}

#[test]
fn a_timestamp_is_digits_and_what_no_number_holds_is_far_ahead() {
    let (_, v) = elements(NOW);
    for (t, expected) in [
        ("-9223372036854775808", FaultKind::NoNumber),
        ("+1614265330", FaultKind::NoNumber),
        ("1614265330.0", FaultKind::NoNumber),
        ("0x60", FaultKind::NoNumber),
        ("", FaultKind::NoNumber),
        ("1e9", FaultKind::NoNumber),
        ("١٦", FaultKind::NoNumber),
        ("9223372036854775807", FaultKind::TooNew),
        ("18446744073709551615", FaultKind::TooNew),
        ("99999999999999999999999999999999999999", FaultKind::TooNew),
        ("0", FaultKind::TooOld),
    ] {
        assert_eq!(with(&format!("t={t},{v}")), Some(expected), "{t}");
    }
    assert_eq!(with(&v), Some(FaultKind::NoTimestamp));
    // No date is that late, however wide the window.
    let endless = SignatureFormat::stripe().tolerance(Duration::MAX).verifier(["s"]).unwrap();
    let late = headers([("stripe-signature", format!("t=18446744073709551615,{v}").as_bytes())]);
    assert_eq!(kind(verify(&endless, &late, b"{}", at(NOW))), Some(FaultKind::TooNew));
}

#[test]
fn leading_zeros_are_part_of_what_is_signed() {
    let (t, v) = elements(NOW);
    assert_eq!(with(&format!("t=0{},{v}", &t[2..])), Some(FaultKind::NoMatch));
}

#[test]
fn a_clock_before_1970_is_no_reason_to_panic() {
    let (t, v) = elements(0);
    let headers = headers([("stripe-signature", format!("{t},{v}").as_bytes())]);
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    assert!(verify(&stripe(), &headers, b"{}", before).is_ok());
}

#[test]
fn every_key_that_has_not_ended_is_tried() {
    let (t, v) = elements(NOW);
    let headers = headers([("stripe-signature", format!("{t},{v}").as_bytes())]);
    let ring = |ends: u64| {
        let keys = [Key::new("other").id("a"), Key::new("s").id("b").not_after(at(ends))];
        SignatureFormat::stripe().verifier(keys).unwrap()
    };
    let proof = verify(&ring(NOW), &headers, b"{}", at(NOW)).unwrap();
    assert_eq!(proof.key_id.as_deref(), Some("b"));
    assert_eq!(kind(verify(&ring(NOW - 1), &headers, b"{}", at(NOW))), Some(FaultKind::NoMatch));
    let ended = SignatureFormat::stripe().verifier([Key::new("s").not_after(at(NOW - 1))]).unwrap();
    assert_eq!(kind(verify(&ended, &headers, b"{}", at(NOW))), Some(FaultKind::NoKey));
}

#[test]
fn an_id_that_is_not_signed_says_so() {
    let format = SignatureFormat::github();
    let headers = signed(&format, "s", b"{}", at(NOW));
    let proof = verify(&format.verifier(["s"]).unwrap(), &headers, b"{}", at(NOW)).unwrap();
    assert_eq!(proof.event_id, Some(EventId::new("msg_1", false)));
}

#[test]
fn an_id_that_is_no_text_is_a_fault() {
    let format = SignatureFormat::github();
    let mut headers = signed(&format, "s", b"{}", at(NOW));
    headers.insert("x-github-delivery", HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(
        kind(verify(&format.verifier(["s"]).unwrap(), &headers, b"{}", at(NOW))),
        Some(FaultKind::NotText)
    );
}

#[test]
fn a_key_of_another_version_than_all_signatures_does_not_match() {
    let pair = signing::presets()[2].1;
    let format = SignatureFormat::standard_webhooks();
    let headers = signed(&format, SECRET, b"{}", at(NOW));
    assert_eq!(
        kind(verify(&format.verifier([pair]).unwrap(), &headers, b"{}", at(NOW))),
        Some(FaultKind::NoMatch)
    );
}

#[test]
fn an_id_cannot_give_its_end_to_the_timestamp() {
    let format = SignatureFormat::standard_webhooks();
    let verifier = format.clone().verifier([SECRET]).unwrap();
    let mut headers = signed(&format, SECRET, b"{}", at(NOW));
    headers.insert("webhook-id", HeaderValue::from_static("msg_1.7"));
    assert_eq!(kind(verify(&verifier, &headers, b"{}", at(NOW))), Some(FaultKind::Ambiguous));
}

proptest::proptest! {
    #[test]
    fn no_fields_panic(fields in proptest::collection::vec((0_usize..12, proptest::collection::vec(0x20_u8..0xff, 0..80)), 0..6)) {
        let names = [
            "x-webhook-signature", "webhook-id", "webhook-timestamp", "webhook-signature", "stripe-signature",
            "x-hub-signature-256", "x-github-delivery", "x-slack-signature", "x-slack-request-timestamp",
            "x-shopify-hmac-sha256", "x-signature-ed25519", "x-signature-timestamp",
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in &fields {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(names[*name], value);
            }
        }
        for (format, key) in signing::presets() {
            assert!(verify(&format.verifier([key]).unwrap(), &headers, b"{}", at(NOW)).is_err());
        }
    }
}
