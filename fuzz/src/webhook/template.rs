use bartizan_webhook::{FaultKind, SignatureFormat};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Ends, NOW, at};

/// Three lines are a template, an id and a field; the rest is the body. What is signed is what a second reader makes of the template.
pub fn webhook_template(data: &[u8]) {
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (Ok(template), id, field, body) = (std::str::from_utf8(line()), line(), line(), line()) else {
        return;
    };
    let (Ok(id), Ok(field)) = (HeaderValue::from_bytes(id), HeaderValue::from_bytes(field)) else { return };
    let parts = parts(template);
    let mut format = SignatureFormat::new("fuzz", "x-s").signed(template).id_field("x-id");
    if parts.as_ref().is_some_and(|parts| parts.contains(&Part::Timestamp)) {
        format = format.timestamp_field("x-t");
    }
    let ends = Ends::of(&format, "key");
    assert_eq!(ends.is_some(), parts.is_some(), "{template:?}");
    let (Some(ends), Some(parts)) = (ends, parts) else { return };
    let mut headers = HeaderMap::from_iter([
        (HeaderName::from_static("x-id"), id.clone()),
        (HeaderName::from_static("x-a"), field.clone()),
    ]);
    if let Err(error) = ends.signer.sign(&mut headers, body, at(NOW)) {
        let knows_all = parts
            .iter()
            .all(|part| !matches!(part, Part::Field(name) if !["x-a", "x-id"].contains(&&**name)));
        let kind = error.fault().kind();
        assert!(kind == FaultKind::Ambiguous || kind == FaultKind::NoSignedField && !knows_all, "{error:?}");
        return;
    }
    let timestamp = NOW.to_string();
    let message: Vec<u8> = parts
        .iter()
        .flat_map(|part| match part {
            Part::Text(text) => text.as_bytes(),
            Part::Id => id.as_bytes(),
            Part::Timestamp => timestamp.as_bytes(),
            Part::Body => body,
            Part::Field(name) if name == "x-id" => id.as_bytes(),
            Part::Field(_) => field.as_bytes(),
        })
        .copied()
        .collect();
    let mut of_the_message = HeaderMap::new();
    let plain = SignatureFormat::x_webhook_signature().signer(["key"]).expect("a key");
    plain.sign(&mut of_the_message, &message, at(NOW)).expect("a body is all it takes");
    assert_eq!(headers["x-s"], of_the_message["x-webhook-signature"], "{template:?}");
    match ends.verify(&headers, body, 7) {
        Ok(proof) => {
            let event_id = proof.event_id.expect("there is a field");
            assert_eq!(event_id.as_str().as_bytes(), id.as_bytes());
        }
        Err(fault) => {
            assert_eq!(
                (fault.kind(), std::str::from_utf8(id.as_bytes()).is_err()),
                (FaultKind::NotText, true)
            );
        }
    }
}

#[derive(PartialEq)]
enum Part {
    Text(String),
    Id,
    Timestamp,
    Body,
    Field(String),
}

/// Cut at each brace.
fn parts(template: &str) -> Option<Vec<Part>> {
    let mut pieces = template.split('{');
    let mut parts = vec![Part::Text(pieces.next().unwrap_or_default().to_owned())];
    for piece in pieces {
        let (name, text) = piece.split_once('}')?;
        parts.push(match name {
            "id" => Part::Id,
            "timestamp" => Part::Timestamp,
            "body" => Part::Body,
            _ => {
                let name = name.strip_prefix("header:")?;
                let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
                // Where the signature will be.
                if name == "x-s" {
                    return None;
                }
                Part::Field(name.to_string())
            }
        });
        parts.push(Part::Text(text.to_owned()));
    }
    (parts.iter().filter(|part| **part == Part::Body).count() == 1).then_some(parts)
}
