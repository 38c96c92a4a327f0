//! A key that stands in a cookie.

use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::InvalidCredential;

/// Whether a cookie may have this name.
pub(crate) fn check_name(name: &str) -> Result<(), InvalidCredential> {
    // Names of fields are tokens as well.
    if name.parse::<HeaderName>().is_err() {
        return Err(InvalidCredential::new("the name of a cookie", "is no token"));
    }
    Ok(())
}

/// Those of all lines, in their order.
pub(crate) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    lines.flat_map(|line| line.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii)
}

/// Whether a cookie has this name, which is not encoded.
pub(crate) fn is_named(cookie: &[u8], name: &str) -> bool {
    let given = cookie.split(|byte| *byte == b'=').next().unwrap_or_default();
    given.trim_ascii() == name.as_bytes()
}

/// All lines become one, with the other cookies in their order (RFC 6265 section 5.4). `None`, and nothing is changed, if there is no room.
pub(crate) fn set_cookie(headers: &mut HeaderMap, name: &str, pair: Option<&str>) -> Option<()> {
    if pair.is_none() && !cookies(headers).any(|cookie| is_named(cookie, name)) {
        return Some(());
    }
    let others = cookies(headers).filter(|cookie| !cookie.is_empty() && !is_named(cookie, name));
    let cookies: Vec<&[u8]> = others.chain(pair.map(str::as_bytes)).collect();
    if cookies.is_empty() {
        headers.remove(COOKIE);
        return Some(());
    }
    let mut value =
        HeaderValue::from_bytes(&cookies.join(&b"; "[..])).expect("parts of fields, and octets of a cookie");
    value.set_sensitive(true);
    headers.try_insert(COOKIE, value).ok()?;
    Some(())
}
