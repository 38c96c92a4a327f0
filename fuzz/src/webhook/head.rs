use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use bartizan_webhook::{Algorithm, Encoding, FaultKind, SignatureFormat};
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

use super::{Ends, NOW, at};

/// A sender: his table, and what of a request his signature covers.
struct Case {
    ends: Ends,
    signature: &'static str,
    timestamp: Option<&'static str>,
    id: Option<&'static str>,
    signs_id: bool,
    signs_field: bool,
    signs_time: bool,
}

const FIELD: &str = "x-a";

thread_local! {
    /// By the line that chooses it.
    static CASES: RefCell<HashMap<[u8; 6], Option<Rc<Case>>>> = RefCell::default();
}

/// The first line chooses a sender; id, field and body of what he signs follow, a line each. Then comes what arrives: id, field, body, timestamp and signature, as
/// [`changed`] reads it. It verifies if nothing has changed, and only if nothing has changed that is signed.
pub fn webhook_head(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let Some(case) =
        CASES.with(|cases| cases.borrow_mut().entry(chosen(line())).or_insert_with_key(case).clone())
    else {
        return;
    };
    let (id, field, body) = (line(), line(), line());
    let mut headers = HeaderMap::new();
    for (name, value) in [(case.id, id), (Some(FIELD), field)] {
        let Ok(value) = HeaderValue::from_bytes(value) else { return };
        name.map(|name| headers.insert(name, value));
    }
    if let Err(error) = case.ends.signer.sign(&mut headers, body, at(NOW)) {
        assert_eq!(error.fault().kind(), FaultKind::Ambiguous);
        return;
    }
    let sent = headers.clone();
    for name in [case.id, Some(FIELD)] {
        let change = line();
        if let Some(name) = name
            && edit(&mut headers, name, change).is_none()
        {
            return;
        }
    }
    let arrived = changed(body, line());
    let arrived = arrived.first().map(Vec::as_slice).unwrap_or_default();
    for name in [case.timestamp, Some(case.signature)] {
        let change = line();
        if let Some(name) = name
            && edit(&mut headers, name, change).is_none()
        {
            return;
        }
    }
    let is_same = headers == sent && arrived == body;
    match case.ends.verify(&headers, arrived, 1 + data.len() % 40) {
        Ok(proof) => {
            assert_eq!(arrived, body);
            let covered = [(case.id, case.signs_id), (Some(FIELD), case.signs_field), (case.timestamp, true)];
            for (name, _) in covered.into_iter().filter(|(_, is_signed)| *is_signed) {
                let Some(name) = name else { continue };
                assert!(headers.get_all(name).iter().eq([&sent[name]]), "{name}: {headers:?} of {sent:?}");
            }
            assert_eq!(proof.signed_at, case.signs_time.then(|| at(NOW)));
            if let Some(id) = proof.event_id.filter(|_| case.id.is_some()) {
                assert_eq!(id.is_signed(), case.signs_id);
            }
        }
        Err(fault) => {
            let is_text = std::str::from_utf8(id).is_ok();
            assert!(!is_same || fault.kind() == FaultKind::NotText && !is_text, "{fault}");
        }
    }
}

/// `None` for what may not stand in a field: it does not arrive.
fn edit(headers: &mut HeaderMap, name: &'static str, change: &[u8]) -> Option<()> {
    let former = headers.remove(name)?;
    for value in changed(former.as_bytes(), change) {
        headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(&value).ok()?);
    }
    Some(())
}

/// What becomes of a value: by default it stays. `-` takes it away, `2` puts it there twice, `<` cuts so many bytes off as the next one has for its code, `^` changes
/// one bit, `>` and text put text behind it, `(` and text before it, `=` and text take its place.
fn changed(former: &[u8], change: &[u8]) -> Vec<Vec<u8>> {
    let (kind, text) = change.split_first().unwrap_or((&b' ', &[]));
    match kind {
        b'-' => vec![],
        b'2' => vec![former.to_vec(); 2],
        b'<' => {
            let cut = usize::from(text.first().copied().unwrap_or_default());
            vec![former[..former.len().saturating_sub(cut)].to_vec()]
        }
        b'^' => {
            let at = usize::from(text.first().copied().unwrap_or_default());
            let bit = text.get(1).map_or(0, |bit| bit % 8);
            let mut value = former.to_vec();
            let length = value.len().max(1);
            if let Some(byte) = value.get_mut(at % length) {
                *byte ^= 1 << bit;
            }
            vec![value]
        }
        b'>' => vec![[former, text].concat()],
        b'(' => vec![[text, former].concat()],
        b'=' => vec![text.to_vec()],
        _ => vec![former.to_vec()],
    }
}

/// The same for all that choose one case.
fn chosen(line: &[u8]) -> [u8; 6] {
    let letter = |nth: usize, many: u8| line.get(nth).copied().unwrap_or_default() % many;
    match line.first() {
        Some(preset @ (b'w' | b's' | b'a' | b'v' | b'p' | b'g' | b'l' | b'y' | b'd')) => {
            [*preset, 0, 0, 0, 0, 0]
        }
        _ => [0, letter(1, 3), letter(2, 3), letter(3, 16), letter(4, 10), letter(5, 5)],
    }
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PAIR: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const HEX: &str = "e976ff742707a4f79adb53d2d4df5563f3595bbdb708473becde2b242b9b31b7\
                   d52880e28f61caa4c2a48a82e55f4751a92289a78009ea9f6532270c16ce8abe";

/// By a letter; all else is a table that the further letters make.
fn case(chosen: &[u8; 6]) -> Option<Rc<Case>> {
    let unsigned_time = |ends, signature, id| Case {
        ends,
        signature,
        timestamp: None,
        id,
        signs_id: false,
        signs_field: false,
        signs_time: false,
    };
    let standard = |format: SignatureFormat, key, [id, timestamp, signature]: [&'static str; 3]| {
        Some(Case {
            ends: Ends::of(&format, key)?,
            signature,
            timestamp: Some(timestamp),
            id: Some(id),
            signs_id: true,
            signs_field: false,
            signs_time: true,
        })
    };
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let with_time = |format, key, signature, timestamp| {
        Some(Case { timestamp, signs_time: true, ..unsigned_time(Ends::of(&format, key)?, signature, None) })
    };
    let case = match chosen[0] {
        b'w' => unsigned_time(
            Ends::of(&SignatureFormat::x_webhook_signature(), "s3cret")?,
            "x-webhook-signature",
            None,
        ),
        b's' => standard(SignatureFormat::standard_webhooks(), SECRET, names)?,
        b'a' => standard(SignatureFormat::standard_webhooks(), PAIR, names)?,
        b'v' => standard(SignatureFormat::svix(), SECRET, ["svix-id", "svix-timestamp", "svix-signature"])?,
        b'p' => with_time(SignatureFormat::stripe(), SECRET, "stripe-signature", None)?,
        b'g' => unsigned_time(
            Ends::of(&SignatureFormat::github(), "s3cret")?,
            "x-hub-signature-256",
            Some("x-github-delivery"),
        ),
        b'l' => {
            let timestamp = Some("x-slack-request-timestamp");
            with_time(SignatureFormat::slack(), "s3cret", "x-slack-signature", timestamp)?
        }
        b'y' => unsigned_time(
            Ends::of(&SignatureFormat::shopify(), "s3cret")?,
            "x-shopify-hmac-sha256",
            Some("x-shopify-event-id"),
        ),
        b'd' => {
            let timestamp = Some("x-signature-timestamp");
            with_time(SignatureFormat::discord(), HEX, "x-signature-ed25519", timestamp)?
        }
        _ => table(&chosen[1..])?,
    };
    Some(Rc::new(case))
}

/// Nothing in them can be cut at another place.
const TEMPLATES: [&str; 10] = [
    "{body}",
    "{timestamp}.{body}",
    "{timestamp}{body}",
    "{id}.{timestamp}.{body}",
    "{id}::{header:x-a}::{body}",
    "{body}.{id}",
    "{body}::{header:x-a}::{timestamp}",
    "v0:{header:x-a}:{body}:{id}:end",
    "https://a.example/{body}",
    "{id}aab{header:x-a}aab{body}aab{timestamp}",
];

fn table(letters: &[u8]) -> Option<Case> {
    let [algorithm, encoding, elements, template, prefix] = letters else { return None };
    let template = TEMPLATES[usize::from(*template) % TEMPLATES.len()];
    let signs = |part: &str| template.contains(part);
    let signs_time = signs("{timestamp}");
    let algorithm = match algorithm % 3 {
        0 => Algorithm::HmacSha1,
        1 => Algorithm::HmacSha256,
        _ => Algorithm::HmacSha512,
    };
    let encoding = match encoding % 3 {
        0 => Encoding::Hex,
        1 => Encoding::HexUpper,
        _ => Encoding::Base64,
    };
    let mut format =
        SignatureFormat::new("table", "x-s").encoding(encoding).signed(template).id_field("x-id");
    let prefix = ["", "sha=", "v1,", "t", "="][usize::from(*prefix) % 5];
    format = format.version(prefix, algorithm);
    let is_among = elements % 2 == 1;
    if elements % 4 > 0 {
        format = format.separator([',', ' ', ';', '.'][usize::from(elements / 4) % 4]);
    }
    if signs_time {
        format = if is_among { format.timestamp_element("t=") } else { format.timestamp_field("x-t") };
    }
    Some(Case {
        ends: Ends::of(&format, "key")?,
        signature: "x-s",
        timestamp: (signs_time && !is_among).then_some("x-t"),
        id: Some("x-id"),
        signs_id: signs("{id}"),
        signs_field: signs("{header:x-a}"),
        signs_time,
    })
}
