use std::error::Error;
use std::fmt;
use std::sync::Arc;

use bartizan_core::{Header, InvalidHeader};
use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How a request says which version of the API it speaks, checked.
///
/// ```
/// use bartizan_client::version::ApiVersion;
///
/// ApiVersion::header("x-api-version", "2026-01-01")?;
/// ApiVersion::media_type("application/vnd.example.v2+json")?;
/// ApiVersion::query("api-version", "2")?;
/// ApiVersion::path("/v2")?;
///
/// assert_eq!(
///     ApiVersion::path("v2/").unwrap_err().to_string(),
///     "`v2/` is no path prefix: it has to begin with a slash and to end without one; use one such as `/v2`"
/// );
/// # Ok::<(), bartizan_client::version::InvalidVersion>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiVersion {
    pub(super) place: Place,
}

/// Where the version stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Header(Header),
    MediaType(MediaType),
    Query { name: Arc<str>, encoded: Arc<str> },
    Path(Arc<str>),
}

/// A media type, and the ranges that are wider: `application/json` for `application/vnd.example.v2+json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MediaType {
    pub(super) value: HeaderValue,
    pub(super) wider: Arc<[String]>,
}

impl ApiVersion {
    /// By a header field of its own, such as `x-api-version: 2026-01-01`.
    ///
    /// # Errors
    /// A name or value that no header may have, or an empty value.
    pub fn header(name: &str, value: &str) -> Result<Self, InvalidVersion> {
        if value.trim().is_empty() {
            return Err(InvalidVersion(Fault::Empty { place: "header", name: name.to_owned() }));
        }
        let header = Header::new(name, value).map_err(|error| InvalidVersion(Fault::Header(error)))?;
        Ok(Self { place: Place::Header(header) })
    }

    /// By the media type that is asked for, such as `accept: application/vnd.example.v2+json`. Parameters may follow it.
    ///
    /// # Errors
    /// What is not one media type, wildcards included.
    pub fn media_type(media_type: &str) -> Result<Self, InvalidVersion> {
        let fault = || InvalidVersion(Fault::MediaType(media_type.to_owned()));
        let essence = media_type.split(';').next().unwrap_or_default().trim_end();
        let (kind, subtype) = essence.split_once('/').ok_or_else(fault)?;
        let is_token = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&b))
        };
        if !is_token(kind) || !is_token(subtype) || media_type.contains(',') {
            return Err(fault());
        }
        let value = HeaderValue::from_str(media_type).map_err(|_| fault())?;
        let mut wider = vec!["*/*".to_owned(), format!("{kind}/*")];
        wider.extend(subtype.rsplit_once('+').map(|(_, suffix)| format!("{kind}/{suffix}")));
        Ok(Self { place: Place::MediaType(MediaType { value, wider: wider.into() }) })
    }

    /// By a query parameter, such as `?api-version=2`. Name and value are given as they are meant, and encoded here.
    ///
    /// # Errors
    /// An empty name or value.
    pub fn query(name: &str, value: &str) -> Result<Self, InvalidVersion> {
        if name.is_empty() || value.is_empty() {
            return Err(InvalidVersion(Fault::Empty { place: "query parameter", name: name.to_owned() }));
        }
        let encode = |text| utf8_percent_encode(text, ENCODED);
        let encoded = format!("{}={}", encode(name), encode(value)).into();
        Ok(Self { place: Place::Query { name: name.into(), encoded } })
    }

    /// By a prefix of the path, such as `/v2`, already encoded where that is needed.
    ///
    /// # Errors
    /// What does not begin with a slash, ends with one, has an empty segment, one of dots, or a character that no path
    /// may have.
    pub fn path(prefix: &str) -> Result<Self, InvalidVersion> {
        let fault = |why| InvalidVersion(Fault::Path { prefix: prefix.to_owned(), why });
        let Some(segments) = prefix.strip_prefix('/').filter(|_| !prefix.ends_with('/')) else {
            return Err(fault("it has to begin with a slash and to end without one"));
        };
        if segments.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(fault("it has a segment that is empty or only dots"));
        }
        if !is_path(segments) {
            return Err(fault("it has a character that has to be percent-encoded"));
        }
        Ok(Self { place: Place::Path(prefix.into()) })
    }
}

/// RFC 3986 section 2.3: all but the unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// RFC 3986 section 3.3: `pchar`, and the slashes between.
fn is_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, &byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte),
    })
}

/// A version that cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidVersion(Fault);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    Header(InvalidHeader),
    Empty { place: &'static str, name: String },
    MediaType(String),
    Path { prefix: String, why: &'static str },
}

impl fmt::Display for InvalidVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Fault::Header(error) => error.fmt(f),
            Fault::Empty { place, name } => {
                let name = name.escape_debug();
                write!(f, "the version in {place} `{name}` lacks a name or a value; give both, such as `2`")
            }
            Fault::MediaType(text) => write!(
                f,
                "`{}` is not one media type; use one such as `application/vnd.example.v2+json`",
                text.escape_debug()
            ),
            Fault::Path { prefix, why } => {
                write!(f, "`{}` is no path prefix: {why}; use one such as `/v2`", prefix.escape_debug())
            }
        }
    }
}

impl Error for InvalidVersion {}
