//! How fields of strangers are read.

use std::str;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Algorithm, Elements, Encoding};
use crate::{Fault, FaultKind};

/// A field may have that many bytes: 16 signatures of 176 hexadecimal digits and some words.
pub(super) const LONGEST: usize = 4096;
/// There may be that many signatures, known ones or not: each may cost one for each key.
const MOST: usize = 16;

/// What the signature field says, decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Signatures<'a> {
    pub(super) found: Vec<(Algorithm, Vec<u8>)>,
    pub(super) timestamp: Option<&'a [u8]>,
}

/// The one field of that name. Two of them may be read one way here and the other way elsewhere.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Fault> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(FaultKind::Twice.into());
    }
    if first.is_some_and(|value| value.len() > LONGEST) {
        return Err(FaultKind::TooLong.into());
    }
    Ok(first)
}

/// Signatures of versions that are not known are passed over, since a sender may add some.
pub(super) fn signatures<'a>(value: &'a [u8], elements: &Elements) -> Result<Signatures<'a>, Fault> {
    let mut read = Signatures::default();
    let mut count = 0;
    let separator = elements.separator.map(|separator| separator as u8);
    for element in value.split(|byte| Some(*byte) == separator) {
        let element = if separator.is_some() { element.trim_ascii() } else { element };
        if let Some(prefix) = &elements.timestamp
            && let Some(timestamp) = element.strip_prefix(prefix.as_bytes())
        {
            if read.timestamp.replace(timestamp).is_some() {
                return Err(FaultKind::Twice.into());
            }
            continue;
        }
        count += 1;
        if count > MOST {
            return Err(FaultKind::TooMany.into());
        }
        read.found.extend(elements.versions.iter().find_map(|version| {
            let text = element.strip_prefix(version.prefix.as_bytes())?;
            Some((version.algorithm, decode(text, elements.encoding)?))
        }));
    }
    if read.found.is_empty() { Err(FaultKind::NoKnownSignature.into()) } else { Ok(read) }
}

/// The one way to write it: no other spelling of a signature is taken for it.
fn decode(text: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    let is_other_case = match encoding {
        Encoding::Hex => u8::is_ascii_uppercase,
        Encoding::HexUpper => u8::is_ascii_lowercase,
        Encoding::Base64 => return STANDARD.decode(text).ok(),
    };
    if text.iter().any(is_other_case) { None } else { hex::decode(text).ok() }
}

pub(super) fn encode(signature: &[u8], encoding: Encoding) -> String {
    match encoding {
        Encoding::Hex => hex::encode(signature),
        Encoding::HexUpper => hex::encode_upper(signature),
        Encoding::Base64 => STANDARD.encode(signature),
    }
}

/// Seconds since 1970 in digits, nothing else. What no number can hold is the largest there is.
pub(super) fn seconds(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(digits.iter().fold(0, add))
}

/// Text of a field that is kept.
pub(super) fn text(value: &HeaderValue) -> Result<&str, Fault> {
    str::from_utf8(value.as_bytes()).map_err(|_| FaultKind::NotText.into())
}
