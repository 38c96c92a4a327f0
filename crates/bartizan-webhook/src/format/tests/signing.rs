use super::*;

/// Each preset with a key that signs and verifies.
pub(super) fn presets() -> Vec<(SignatureFormat, &'static str)> {
    const PAIR: &str =
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    const HEX: &str = "e976ff742707a4f79adb53d2d4df5563f3595bbdb708473becde2b242b9b31b7\
                       d52880e28f61caa4c2a48a82e55f4751a92289a78009ea9f6532270c16ce8abe";
    vec![
        (SignatureFormat::x_webhook_signature(), "s3cret"),
        (SignatureFormat::standard_webhooks(), SECRET),
        (SignatureFormat::standard_webhooks(), PAIR),
        (SignatureFormat::svix(), SECRET),
        (SignatureFormat::stripe(), SECRET),
        (SignatureFormat::github(), "s3cret"),
        (SignatureFormat::slack(), "8f742231b10e8888abcd99yyyzzz85a5"),
        (SignatureFormat::shopify(), "s3cret"),
        (SignatureFormat::discord(), HEX),
        (SignatureFormat::new("sha1", "x-a").version("sha1=", Algorithm::HmacSha1), "s3cret"),
        (
            SignatureFormat::new("upper", "x-a")
                .version("", Algorithm::HmacSha512)
                .encoding(Encoding::HexUpper),
            "s3cret",
        ),
    ]
}

#[test]
fn what_is_signed_is_known() {
    for (format, key) in presets() {
        let headers = signed(&format, key, b"{}", at(NOW));
        let verifier = format.verifier([key]).unwrap();
        verify(&verifier, &headers, b"{}", at(NOW))
            .unwrap_or_else(|fault| panic!("{}: {fault}", verifier.name()));
        assert_eq!(kind(verify(&verifier, &headers, b"{ }", at(NOW))), Some(FaultKind::NoMatch));
    }
}

#[test]
fn signatures_are_those_that_others_publish() {
    for vector in vectors::vectors().iter().filter(|vector| vector["valid"] == true) {
        let text = |name: &str| vector[name].as_str().unwrap();
        let format = match (text("scheme"), text("id")) {
            ("standard-webhooks", "std-v1-a" | "std-v1-b") => SignatureFormat::standard_webhooks(),
            ("github", _) => SignatureFormat::github(),
            ("slack", _) => SignatureFormat::slack(),
            _ => continue,
        };
        let fields = vector["headers"].as_object().unwrap();
        let expected =
            headers(fields.iter().map(|(name, value)| (&**name, value.as_str().unwrap().as_bytes())));
        let mut made = expected.clone();
        made.remove(&format.field);
        let now = at(vector["now"].as_u64().unwrap_or(NOW));
        format.signer([text("secret")]).unwrap().sign(&mut made, text("body").as_bytes(), now).unwrap();
        assert_eq!(made, expected, "{}", text("id"));
    }
}

#[test]
fn all_keys_that_have_not_ended_sign() {
    let signer = SignatureFormat::stripe().signer([
        Key::new("new"),
        Key::new("old").id("old").not_after(at(NOW)),
        Key::new("gone").id("gone").not_after(at(NOW - 1)),
    ]);
    let mut headers = HeaderMap::new();
    signer.unwrap().sign(&mut headers, b"{}", at(NOW)).unwrap();
    let value = headers["stripe-signature"].to_str().unwrap();
    assert_eq!(value.matches(",v1=").count(), 2, "{value}");
    for (key, is_known) in [("new", true), ("old", true), ("gone", false)] {
        let verifier = SignatureFormat::stripe().verifier([key]).unwrap();
        assert_eq!(verify(&verifier, &headers, b"{}", at(NOW)).is_ok(), is_known, "{key}");
    }
}

#[test]
fn a_signature_is_made_anew_in_the_place_of_the_former() {
    let format = SignatureFormat::standard_webhooks();
    let mut headers = signed(&format, SECRET, b"{}", at(NOW));
    let former = headers.clone();
    format.clone().signer([SECRET]).unwrap().sign(&mut headers, b"{}", at(NOW + 1)).unwrap();
    assert_eq!(headers.len(), 3);
    assert_eq!(headers["webhook-id"], former["webhook-id"]);
    assert_ne!(headers["webhook-signature"], former["webhook-signature"]);
    assert_eq!(headers["webhook-timestamp"], (NOW + 1).to_string());
}

#[test]
fn what_cannot_be_signed_says_why() {
    let signer = SignatureFormat::standard_webhooks().signer([SECRET]).unwrap();
    let error = signer.sign(&mut HeaderMap::new(), b"", at(NOW)).unwrap_err();
    assert_eq!(error.fault().kind(), FaultKind::NoId);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the id is not there");
    assert_eq!(error.to_string(), r#"the request cannot be signed as "standard-webhooks" has it"#);
    let ended = SignatureFormat::github().signer([Key::new("a").not_after(at(NOW - 1))]).unwrap();
    let error = ended.sign(&mut HeaderMap::new(), b"", at(NOW)).unwrap_err();
    assert_eq!(error.fault().kind(), FaultKind::NoKey);
    let mut headers = headers([("webhook-id", &b"a.b"[..])]);
    assert_eq!(signer.sign(&mut headers, b"", at(NOW)).unwrap_err().fault().kind(), FaultKind::Ambiguous);
}

#[test]
fn a_secret_is_the_key_of_each_algorithm_of_the_table() {
    let new = || SignatureFormat::new("t", "x-sig");
    let both = new().version("sha1=", Algorithm::HmacSha1).version("sha512=", Algorithm::HmacSha512);
    let verifier = both.verifier(["k"]).unwrap();
    for (prefix, algorithm) in [("sha1=", Algorithm::HmacSha1), ("sha512=", Algorithm::HmacSha512)] {
        let headers = signed(&new().version(prefix, algorithm), "k", b"{}", at(NOW));
        assert!(verify(&verifier, &headers, b"{}", at(NOW)).is_ok(), "{prefix}");
    }
}
