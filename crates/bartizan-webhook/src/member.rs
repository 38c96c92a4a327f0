//! Members of JSON that are found without building all of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The text or the number at that JSON pointer (RFC 6901), through objects only.
///
/// A member that stands there twice counts as the last one, as most parsers have it.
pub(crate) fn member(json: &[u8], pointer: &str) -> Option<String> {
    let mut at: &RawValue = serde_json::from_slice(json).ok()?;
    for name in pointer.strip_prefix('/')?.split('/') {
        let name = unescaped(name);
        let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(at.get()).ok()?;
        at = members.get(&*name)?;
    }
    let text = at.get();
    if text.starts_with('"') {
        return serde_json::from_str(text).ok();
    }
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then(|| text.to_owned())
}

fn unescaped(name: &str) -> Cow<'_, str> {
    if name.contains('~') { name.replace("~1", "/").replace("~0", "~").into() } else { name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_are_found() {
        let json = br#"{"id":"evt_1","data":{"a/b":{"m~n":-7}},"n":null,"id2":"\u00e9","l":["x"]}"#;
        let found = |pointer: &str| member(json, pointer);
        assert_eq!(found("/id").as_deref(), Some("evt_1"));
        assert_eq!(found("/data/a~1b/m~0n").as_deref(), Some("-7"));
        assert_eq!(found("/id2").as_deref(), Some("é"));
        for pointer in ["", "id", "/", "/n", "/data", "/l", "/l/0", "/id/x", "/missing"] {
            assert_eq!(found(pointer), None, "{pointer}");
        }
    }

    #[test]
    fn the_last_of_two_members_counts() {
        assert_eq!(member(br#"{"id":"a","id":"b"}"#, "/id").as_deref(), Some("b"));
    }

    #[test]
    fn no_bytes_panic() {
        let deep = [b"{\"a\":".repeat(100_000), b"1".to_vec(), b"}".repeat(100_000)].concat();
        let cases: [&[u8]; 5] = [b"", b"{", b"\xff\xfe", b"{\"id\":\"\xff\"}", &deep];
        for json in cases {
            assert_eq!(member(json, "/id"), None);
        }
    }
}
