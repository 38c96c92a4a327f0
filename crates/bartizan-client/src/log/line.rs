//! The line of an error, without what is secret in the request's URI.

use std::error::Error;

use bartizan_core::{error_chain, shown_line};
use http::Uri;
use percent_encoding::percent_decode_str;

/// Shorter pieces are no secrets, and stand in too many words.
const SHORTEST_SECRET: usize = 4;

/// `outer: inner: innermost`, where no value of the query stands, not even outside of a URL.
pub(super) fn line(error: &(dyn Error + 'static), uri: &Uri) -> String {
    shown_line(&redacted(error_chain(error), uri))
}

fn redacted(mut line: String, uri: &Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    if !query.is_empty() {
        line = line.replace(&format!("?{query}"), "?..");
    }
    if !user.is_empty() {
        line = line.replace(&format!("{user}@"), "..@");
    }
    let values = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    let raw: Vec<&str> = [query, user].into_iter().chain(values).chain(user.split(':')).collect();
    let decoded = raw.iter().map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    let mut secrets: Vec<String> = decoded.chain(raw.iter().map(|&text| text.to_owned())).collect();
    secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
    // The longest first: what is left of it would not be found by a part of it.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.iter().fold(line, |line, secret| line.replace(secret.as_str(), ".."))
}
