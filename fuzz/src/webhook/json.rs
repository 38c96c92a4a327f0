use bartizan_webhook::SignatureFormat;
use http::HeaderMap;
use serde_json::Value;

use super::{Ends, NOW, at};

/// The first line is a pointer, and the rest a body that is signed. The id is what a second reader finds there, who builds all of the JSON.
pub fn webhook_json(data: &[u8]) {
    let (pointer, body) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (&b"/id"[..], data),
    };
    let Ok(pointer) = std::str::from_utf8(pointer) else { return };
    let ends = Ends::of(&SignatureFormat::new("fuzz", "x-s").id_in_body(pointer), "key")
        .expect("any pointer will do");
    let mut headers = HeaderMap::new();
    ends.signer.sign(&mut headers, body, at(NOW)).expect("nothing but the body is signed");
    let proof = ends.verify(&headers, body, 64).expect("it was signed");
    let id = proof.event_id.as_ref().map(|id| id.as_str());
    assert!(proof.event_id.as_ref().is_none_or(|id| id.is_signed()));
    // What it gives up, for its depth or its numbers, it does not speak of.
    let Ok(json) = serde_json::from_slice::<Value>(body) else { return };
    match found(&json, pointer) {
        Some(Value::String(text)) => assert_eq!(id, Some(&**text)),
        Some(number @ Value::Number(_)) => {
            let text = id.expect("a number is an id");
            assert_eq!(serde_json::from_str::<Value>(text).ok().as_ref(), Some(number), "{text}");
        }
        _ => assert_eq!(id, None),
    }
}

/// RFC 6901, through objects only.
fn found<'a>(json: &'a Value, pointer: &str) -> Option<&'a Value> {
    let mut names = pointer.split('/');
    if names.next() != Some("") {
        return None;
    }
    let names: Vec<String> = names.map(unescaped).collect();
    if names.is_empty() {
        return None;
    }
    names.iter().try_fold(json, |at, name| at.as_object()?.get(name))
}

/// One character after the other, as section 4 warns. What follows a tilde and is neither 0 nor 1 stays as it is.
fn unescaped(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name.chars().peekable();
    while let Some(next) = rest.next() {
        let escaped = match (next, rest.peek()) {
            ('~', Some('0')) => Some('~'),
            ('~', Some('1')) => Some('/'),
            _ => None,
        };
        if escaped.is_some() {
            rest.next();
        }
        text.push(escaped.unwrap_or(next));
    }
    text
}
