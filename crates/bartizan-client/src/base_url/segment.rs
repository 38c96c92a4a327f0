use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::check;

/// All but what RFC 3986 section 2.3 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How much of a refused text the error shows.
const SHOWN: usize = 100;

/// A text from outside, such as an id, as one segment of a path: percent-encoded, so that nothing in it has a meaning.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let stack = tower::service_fn(async |_: Request<Full<Bytes>>| Ok::<_, std::io::Error>(Response::new(Full::<Bytes>::default())));
/// use bartizan_client::{Client, segment};
///
/// # let client = Client::new(stack);
/// let id = "a/b?c"; // from outside
/// let request = client.get(format!("users/{}/posts", segment(id)?)).build()?;
/// assert_eq!(request.uri(), "/users/a%2Fb%3Fc/posts");
///
/// assert!(segment("../admin").is_err());
/// # Ok(()) }
/// ```
///
/// What it gives stays one segment under every base URL, and is the text again once it is decoded. Plain text is not copied.
///
/// # Errors
/// When the text is empty, so that the target would be the whole collection, or has a dot segment in it, which no
/// encoding hides from servers that decode before they resolve: what [`BaseUrl::join`](super::BaseUrl::join) refuses.
pub fn segment(text: &str) -> Result<Cow<'_, str>, InvalidSegment> {
    let encoded = Cow::from(utf8_percent_encode(text, RESERVED));
    if text.is_empty() || check::path(&encoded).is_some() {
        return Err(InvalidSegment { text: text.chars().take(SHOWN).collect() });
    }
    Ok(encoded)
}

/// A text that cannot be a segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSegment {
    text: String,
}

impl fmt::Display for InvalidSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() {
            return f.write_str("an empty text as a segment of a path would ask for what is above it; check for it before the call");
        }
        let text = self.text.escape_debug();
        write!(
            f,
            "the text `{text}` as a segment of a path would lead elsewhere, for it has a dot segment; check for it before the call"
        )
    }
}

impl Error for InvalidSegment {}
