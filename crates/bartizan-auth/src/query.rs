//! A key that stands in the query of a target.

use http::Uri;
use http::uri::PathAndQuery;
use percent_encoding::{percent_decode, percent_decode_str};

use crate::InvalidCredential;

/// Whether a parameter may have this name.
pub(crate) fn check_parameter(name: &str) -> Result<(), InvalidCredential> {
    if name.is_empty() {
        return Err(InvalidCredential::new("the name of a parameter", "is empty"));
    }
    Ok(())
}

/// Each as it stands there.
pub(crate) fn parameters(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().into_iter().flat_map(|query| query.split('&'))
}

/// Whether a parameter has this name, however it is encoded.
pub(crate) fn is_named(parameter: &str, name: &str) -> bool {
    means(parameter.split('=').next().unwrap_or_default(), name)
}

/// With `+` for a space, as forms have it, or without.
pub(crate) fn means(encoded: &str, text: &str) -> bool {
    percent_decode_str(encoded).eq(text.bytes()) || form_decoded(encoded.as_bytes()).eq(text.bytes())
}

fn form_decoded(encoded: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let words = encoded.split(|byte| *byte == b'+').enumerate();
    words.flat_map(|(nth, word)| (nth > 0).then_some(b' ').into_iter().chain(percent_decode(word)))
}

/// The other parameters stay byte for byte where they are. `None`, and nothing is changed, if the target becomes too long.
pub(crate) fn set_query(uri: &mut Uri, is_replaced: impl Fn(&str) -> bool, pair: Option<&str>) -> Option<()> {
    if pair.is_none() && !parameters(uri).any(&is_replaced) {
        return Some(());
    }
    let others = parameters(uri).filter(|given| !is_replaced(given));
    let kept = others.chain(pair).collect::<Vec<_>>().join("&");
    let path = if uri.path().is_empty() { "/" } else { uri.path() };
    let target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{kept}") };
    let path_and_query = PathAndQuery::try_from(target).ok()?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query);
    *uri = Uri::from_parts(parts).ok()?;
    Some(())
}
