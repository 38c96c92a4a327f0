use super::*;

fn error(result: Result<SignatureVerifier, InvalidFormat>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn keys_that_cannot_be_are_refused_by_name() {
    let none: [&str; 0] = [];
    let standard = SignatureFormat::standard_webhooks;
    for (result, expected) in [
        (
            SignatureFormat::github().verifier(none),
            "the ring of keys of the signature format \"github\" is empty",
        ),
        (
            SignatureFormat::github().verifier([""]),
            "the key \"1\" of the signature format \"github\" is empty",
        ),
        (
            SignatureFormat::github().verifier(["a", "b\n"]),
            "the key \"2\" of the signature format \"github\" begins or ends with white space",
        ),
        (
            SignatureFormat::github().verifier([Key::new("a").id("x"), Key::new("b").id("x")]),
            "the key \"x\" of the signature format \"github\" has the id of another one",
        ),
        (
            standard().verifier(["whsec_"]),
            "the key \"1\" of the signature format \"standard-webhooks\" is empty",
        ),
        (
            standard().verifier(["whsec_!"]),
            "the key \"1\" of the signature format \"standard-webhooks\" is not base64",
        ),
        (
            standard().verifier(["sk_abcd"]),
            "the key \"1\" of the signature format \"standard-webhooks\" begins with none of `whsec_`, `whpk_` and `whsk_`",
        ),
        (
            standard().verifier(["whpk_AAAA"]),
            "the key \"1\" of the signature format \"standard-webhooks\" has not the 32 bytes of a public key of Ed25519",
        ),
        (
            standard().verifier(["whsk_AAAA"]),
            "the key \"1\" of the signature format \"standard-webhooks\" has neither 32 nor 64 bytes, as a private key of Ed25519",
        ),
        (
            SignatureFormat::discord().verifier(["xyz"]),
            "the key \"1\" of the signature format \"discord\" is not hexadecimal",
        ),
        (
            // The neutral element: it verifies a signature for every message.
            SignatureFormat::discord().verifier([format!("01{}", "00".repeat(31))]),
            "the key \"1\" of the signature format \"discord\" is a weak key of Ed25519, under which one signature fits many messages",
        ),
    ] {
        assert_eq!(error(result), expected);
    }
}

#[test]
fn a_secret_may_lack_its_prefix() {
    let headers = signed(&SignatureFormat::standard_webhooks(), SECRET, b"{}", at(NOW));
    let bare = SECRET.strip_prefix("whsec_").unwrap();
    let verifier = SignatureFormat::standard_webhooks().verifier([bare]).unwrap();
    assert!(verify(&verifier, &headers, b"{}", at(NOW)).is_ok());
}

#[test]
fn tables_that_mean_nothing_are_refused() {
    let new = || SignatureFormat::new("t", "x-sig");
    for (format, expected) in [
        (
            SignatureFormat::new("t", "x sig"),
            "the header field \"x sig\" of the signature format \"t\" is no name of one",
        ),
        (new().signed("{id}"), "the template \"{id}\" of the signature format \"t\" has no {body}"),
        (
            new().signed("{id}{body}"),
            "the template of the signature format \"t\" has an id that stands in no header field",
        ),
        (
            new().signed("{id}{body}").id_in_body("/id"),
            "the template of the signature format \"t\" has an id that stands in no header field",
        ),
        (
            new().signed("{timestamp}{body}"),
            "the template of the signature format \"t\" has a timestamp that stands nowhere",
        ),
        (
            new().timestamp_field("x-t"),
            "the template of the signature format \"t\" does not sign the timestamp",
        ),
        (
            new().timestamp_field("x-t").timestamp_element("t=").separator(',').signed("{timestamp}{body}"),
            "the timestamp of the signature format \"t\" stands in two places",
        ),
        (
            new().timestamp_element("t=").signed("{timestamp}{body}"),
            "the timestamp of the signature format \"t\" stands among signatures that nothing separates",
        ),
        (new().separator('é'), "the separator 'é' of the signature format \"t\" is no visible ASCII"),
        (new().separator('='), "the separator '=' of the signature format \"t\" may stand in a signature"),
        (new().separator('a'), "the separator 'a' of the signature format \"t\" may stand in a signature"),
        (new().separator('+'), "the separator '+' of the signature format \"t\" may stand in a signature"),
        (new().separator('/'), "the separator '/' of the signature format \"t\" may stand in a signature"),
        (
            new().signed("{header:X-Sig}{body}"),
            "the template of the signature format \"t\" has the signature itself",
        ),
        (
            new().timestamp_field("x-sig").signed("{timestamp}{body}"),
            "the timestamp of the signature format \"t\" stands in the place of the signature",
        ),
        (
            new().id_field("x-sig"),
            "the id of the signature format \"t\" stands in the place of the signature or of the timestamp",
        ),
        (
            new().id_field("x-t").timestamp_field("x-t").signed("{timestamp}{body}"),
            "the id of the signature format \"t\" stands in the place of the signature or of the timestamp",
        ),
    ] {
        assert_eq!(error(format.verifier(["a"])), expected);
    }
}

#[test]
fn prefixes_that_would_not_be_told_apart_are_refused() {
    let with = |prefixes: &[&str]| {
        let versions = prefixes.iter().zip([Algorithm::HmacSha256, Algorithm::HmacSha1]);
        let format = versions.fold(SignatureFormat::new("t", "x-sig"), |format, (prefix, algorithm)| {
            format.version(*prefix, algorithm)
        });
        format.separator(',')
    };
    let timed =
        |format: SignatureFormat, prefix| format.timestamp_element(prefix).signed("{timestamp}.{body}");
    for (format, prefix, why) in [
        (with(&["v1,"]), "v1,", "holds the separator"),
        (timed(with(&["v1="]), "t,"), "t,", "holds the separator"),
        (with(&["é"]), "é", "is no visible ASCII"),
        (with(&["v\n"]), "v\n", "is no visible ASCII"),
        (with(&[" v1="]), " v1=", "is no visible ASCII"),
        (with(&["v", "v1"]), "v1", "may also be read as another one and the begin of a signature"),
        (with(&["v1", "v"]), "v1", "may also be read as another one and the begin of a signature"),
        (with(&["v1=", "v1="]), "v1=", "may also be read as another one and the begin of a signature"),
        (timed(with(&[""]), "t"), "t", "may also be read as another one and the begin of a signature"),
        (timed(with(&["v1="]), ""), "v1=", "may also be read as another one and the begin of a signature"),
    ] {
        let expected = format!("the prefix {prefix:?} of the signature format \"t\" {why}");
        assert_eq!(error(format.verifier(["a"])), expected);
    }
}

#[test]
fn a_prefix_that_begins_as_another_one_is_found_where_no_signature_can() {
    for versions in [["", "v1="], ["v1=", ""]] {
        for signing in versions {
            let new = || SignatureFormat::new("t", "x-sig");
            let sender = new().version(signing, Algorithm::HmacSha256);
            let headers = signed(&sender, "k", b"{}", at(NOW));
            let both =
                versions.iter().fold(new(), |format, prefix| format.version(*prefix, Algorithm::HmacSha256));
            assert!(
                verify(&both.verifier(["k"]).unwrap(), &headers, b"{}", at(NOW)).is_ok(),
                "{versions:?} {signing}"
            );
        }
    }
}

#[test]
fn signers_need_keys_that_sign_and_room_for_all() {
    let error = |result: Result<Signer, InvalidFormat>| result.unwrap_err().to_string();
    assert_eq!(
        error(SignatureFormat::github().signer(["a", "b"])),
        "the ring of keys of the signature format \"github\" has several, and nothing separates signatures"
    );
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    assert_eq!(
        error(SignatureFormat::standard_webhooks().signer([public])),
        "the key \"1\" of the signature format \"standard-webhooks\" is public, and signs nothing"
    );
}

#[test]
fn nothing_prints_a_secret() {
    let format = SignatureFormat::standard_webhooks();
    let keys = || [Key::new(SECRET).id("2026")];
    let verifier = format.clone().verifier(keys()).unwrap();
    let signer = format.clone().signer(keys()).unwrap();
    for shown in [format!("{:?}", keys()), format!("{verifier:?}"), format!("{signer:?}")] {
        assert!(!shown.contains("MfKQ") && shown.contains("2026"), "{shown}");
    }
}
