use std::error::Error;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

/// A header field that has been checked: a name and a value that may be sent.
///
/// ```
/// use bartizan_core::Header;
///
/// let header = Header::new("x-api-version", "2026-01-01")?;
/// let refused = Header::new("x-note", "two\nlines").unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "the value of header `x-note` has the byte 0x0a at position 3, which no header value may hold; \
///      remove or encode it"
/// );
/// # Ok::<(), bartizan_core::InvalidHeader>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    name: HeaderName,
    value: HeaderValue,
}

impl Header {
    /// Checks `name` and `value` (RFC 9110 sections 5.1 and 5.5).
    ///
    /// # Errors
    /// Names the field and the first byte that may not stand there. The value itself is not shown: it may be a secret.
    pub fn new(name: &str, value: &str) -> Result<Self, InvalidHeader> {
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| InvalidHeader { name: name.to_owned(), fault: Fault::Name })?;
        match HeaderValue::from_str(value) {
            Ok(value) => Ok(Self { name: parsed, value }),
            Err(_) => Err(InvalidHeader { name: name.to_owned(), fault: first_bad_byte(value) }),
        }
    }

    /// Marks the value as a secret, which by default it is not: `Debug` does not print it and HTTP/2 does not index it.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.value.set_sensitive(true);
        self
    }

    /// The name, lower case.
    pub fn name(&self) -> &HeaderName {
        &self.name
    }

    /// The value.
    pub fn value(&self) -> &HeaderValue {
        &self.value
    }

    /// Sets the field in `headers`, in place of any of that name.
    pub fn set(&self, headers: &mut HeaderMap) {
        headers.insert(self.name.clone(), self.value.clone());
    }
}

/// A header name or value that cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidHeader {
    name: String,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Name,
    Value { position: usize, byte: u8 },
}

fn first_bad_byte(value: &str) -> Fault {
    // RFC 9110 section 5.5: visible characters, obs-text, space and tab.
    let allowed = |byte: u8| byte == b'\t' || (byte >= 0x20 && byte != 0x7f);
    let (position, byte) =
        value.bytes().enumerate().find(|&(_, byte)| !allowed(byte)).unwrap_or((value.len(), 0));
    Fault::Value { position, byte }
}

impl InvalidHeader {
    /// The name as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Fault::Name => write!(
                f,
                "`{}` is no header name; use letters, digits and hyphens, such as `x-api-key`",
                self.name.escape_debug()
            ),
            Fault::Value { position, byte } => write!(
                f,
                "the value of header `{}` has the byte 0x{byte:02x} at position {position}, which no header value \
                 may hold; remove or encode it",
                self.name
            ),
        }
    }
}

impl Error for InvalidHeader {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_judged_as_http_does() {
        for byte in 0..=127_u8 {
            let value = format!("ab{}", char::from(byte));
            let refused = Header::new("x-a", &value).is_err();
            assert_eq!(refused, HeaderValue::from_str(&value).is_err(), "{byte:#x}");
            if refused {
                assert_eq!(first_bad_byte(&value), Fault::Value { position: 2, byte });
            }
        }
    }

    #[test]
    fn it_takes_the_place_of_all_of_its_name() {
        let mut headers = HeaderMap::new();
        headers.append("x-a", HeaderValue::from_static("1"));
        headers.append("x-a", HeaderValue::from_static("2"));
        Header::new("X-A", "3").unwrap().set(&mut headers);
        assert_eq!(headers.get_all("x-a").iter().collect::<Vec<_>>(), ["3"]);
    }

    #[test]
    fn a_bad_name_is_shown_escaped() {
        let error = Header::new("x api\r\n", "v").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`x api\\r\\n` is no header name; use letters, digits and hyphens, such as `x-api-key`"
        );
        assert_eq!(error.name(), "x api\r\n");
        assert!(Header::new("", "v").is_err());
    }

    #[test]
    fn no_error_shows_the_value() {
        let error = Header::new("authorization", "Bearer s3cret\n").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
        let header = Header::new("authorization", "Bearer s3cret").unwrap().sensitive();
        assert!(!format!("{header:?}").contains("s3cret"));
    }
}
