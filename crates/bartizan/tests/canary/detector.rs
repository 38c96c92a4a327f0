//! Finds a secret in a text, however it is written.

use std::sync::LazyLock;

/// A secret that is not marked as sensitive. What follows the first part says where it was put.
pub(crate) fn plain(place: &str) -> String {
    format!("{PLAIN}~~~~{place}")
}

/// A secret in a header value that is marked as sensitive.
pub(crate) fn marked(place: &str) -> String {
    format!("{MARKED}~~~~{place}")
}

/// Whether `text` has a secret of [`plain`], in any writing.
pub(crate) fn has_plain(text: &str) -> bool {
    static NEEDLE: LazyLock<Needle> = LazyLock::new(|| Needle::new(PLAIN));
    NEEDLE.find(text).is_some()
}

/// Whether `text` has a secret of [`marked`], in any writing.
pub(crate) fn has_marked(text: &str) -> bool {
    static NEEDLE: LazyLock<Needle> = LazyLock::new(|| Needle::new(MARKED));
    NEEDLE.find(text).is_some()
}

// So much of a secret says that it is one: it may be cut off further on.
const PLAIN: &str = "canary-s3cret";
const MARKED: &str = "canary-m4rked";

/// A secret in all its writings.
struct Needle {
    lower: String,
    hex: String,
    list: String,
    base64: [String; 3],
}

impl Needle {
    fn new(secret: &str) -> Self {
        Self {
            lower: secret.to_ascii_lowercase(),
            hex: secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
            list: format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).to_owned(),
            base64: [0, 1, 2].map(|alignment| base64(secret.as_bytes(), alignment)),
        }
    }

    /// How the secret is written in `text`, if it is in there.
    fn find(&self, text: &str) -> Option<&'static str> {
        let lower = text.to_ascii_lowercase();
        let digits = standard_base64(text);
        if lower.contains(&self.lower) {
            Some("as it is")
        } else if lower.contains(&self.hex) {
            Some("hex")
        } else if text.contains(&self.list) {
            Some("list of bytes")
        } else if self.base64.iter().any(|base64| digits.contains(base64)) {
            Some("base64")
        } else if text.contains('%') {
            // Escapes may be escaped once more, where a URL stands in a URL.
            let decoded = percent_decoded(text);
            (decoded != text).then(|| self.find(&decoded)).flatten().map(|_| "percent-encoded")
        } else {
            None
        }
    }
}

/// The digits of `secret` that do not depend on what stands around it, `alignment` bytes after a group's start.
fn base64(secret: &[u8], alignment: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = secret.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let first = (6 - 8 * alignment % 6) % 6;
    let digits = bits[first..].chunks_exact(6);
    let value = |bits: &[u8]| bits.iter().fold(0, |value, bit| value << 1 | bit);
    digits.map(|bits| char::from(DIGITS[usize::from(value(bits))])).collect()
}

/// The URL-safe digits replaced by those of the standard alphabet.
fn standard_base64(text: &str) -> String {
    text.replace('-', "+").replace('_', "/")
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = bytes.get(at + 1..at + 3).filter(|_| byte == b'%');
        let digits = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => (decoded.push(value), at += 3).1,
            None => (decoded.push(byte), at += 1).1,
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Each encoding of what has the secret in its midst is found, and what has only a part of it is not.
#[test]
fn every_writing_is_found() {
    // Its tildes make a `+` or a `-` of base64, and their escape in a form.
    let secret = "canary~~~s3cret";
    assert!((0..3).any(|alignment| base64(secret.as_bytes(), alignment).contains('+')));
    let escaped: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let lower_hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut texts = vec![
        ("as it is", secret.to_owned()),
        ("as it is", secret.to_uppercase()),
        ("hex", lower_hex.to_uppercase()),
        ("hex", lower_hex),
        ("list of bytes", format!("{:?}", secret.as_bytes())),
        ("percent-encoded", escaped.replace('%', "%25")),
        ("percent-encoded", escaped.to_lowercase()),
        ("percent-encoded", escaped),
        ("percent-encoded", serde_json::json!(secret.replace('~', "%7E")).to_string()),
    ];
    for alignment in 0..3 {
        // By hand, so that the search is not held against itself.
        let digits = ["Y2FuYXJ5fn5+czNjcmV0", "eGNhbmFyeX5+fnMzY3JldA", "eHhjYW5hcnl+fn5zM2NyZXQ"][alignment];
        texts.push(("base64", digits.to_owned()));
        texts.push(("base64", digits.replace('+', "-").replace('/', "_")));
    }
    let needle = Needle::new(secret);
    for (writing, text) in texts {
        assert_eq!(needle.find(&text), Some(writing), "{text}");
        assert_eq!(needle.find(&format!("Basic {text} and more")), Some(writing), "{text}");
    }
    for text in ["", "%", "%7", "%zz", "canary", "canary~~~s3cre", "Y2FuYXJ5", "\u{fffd}%e2%82"] {
        assert_eq!(needle.find(text), None, "{text}");
    }
}
