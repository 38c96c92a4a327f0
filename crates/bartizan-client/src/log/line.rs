//! An error and its sources as one line that may be shown.

use std::error::Error;

use http::Uri;
use percent_encoding::percent_decode_str;

/// How deep a chain of sources is followed: an error may name itself.
const MAX_DEPTH: usize = 16;

/// How many characters are kept.
const MAX_CHARS: usize = 512;

/// Shorter pieces are no secrets, and stand in too many words.
const SHORTEST_SECRET: usize = 4;

/// `outer: inner: innermost`, without what is secret in `uri`.
pub(super) fn line(error: &(dyn Error + 'static), uri: &Uri) -> String {
    let mut line = String::new();
    for error in std::iter::successors(Some(error), |&error| error.source()).take(MAX_DEPTH) {
        let text = error.to_string();
        let first = text.trim_start().lines().next().unwrap_or_default().trim_end();
        // Some write their source themselves.
        let is_there = line.strip_suffix(first).is_some_and(|rest| rest.is_empty() || rest.ends_with(": "));
        if first.is_empty() || is_there {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(first);
    }
    shown(&redacted(line, uri))
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

/// Control characters escaped, and cut where it gets too long.
fn shown(line: &str) -> String {
    let mut shown = String::with_capacity(line.len().min(MAX_CHARS));
    for (count, c) in line.chars().enumerate() {
        if count == MAX_CHARS {
            shown.push_str("..");
            break;
        }
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
