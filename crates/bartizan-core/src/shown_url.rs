use std::fmt::Write;

use http::Uri;

/// A URL as it may be shown in errors, logs and spans: without user information, and with `value` for each value of its query.
///
/// Which names stand for secrets nobody knows, so all values are taken out.
///
/// ```
/// use bartizan_core::shown_url;
///
/// let uri = "https://me:pw@api.example.com/users?token=s3cr3t".parse()?;
/// assert_eq!(shown_url(&uri, ".."), "https://api.example.com/users?token=..");
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
pub fn shown_url(uri: &Uri, value: &str) -> String {
    let mut shown = String::new();
    if let Some(scheme) = uri.scheme_str() {
        let _ = write!(shown, "{scheme}://");
    }
    if let Some(authority) = uri.authority() {
        shown.push_str(host_and_port(authority.as_str()));
    }
    shown.push_str(without_password(uri.path()));
    if let Some(query) = uri.query() {
        push_query(&mut shown, query, value);
    }
    shown
}

/// A text of somebody else's, in which each URL is shown as [`shown_url`] would show it, with `..` for the values.
pub fn shown_urls_in(mut text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    while let Some((before, after)) = text.split_once("://") {
        let _ = write!(shown, "{before}://");
        let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '`');
        let end = after.find(is_end).unwrap_or(after.len());
        // Belongs to the sentence, unless a secret ends so, which tells nothing.
        let url = after[..end].trim_end_matches([')', ']', '\'', ',', '.', ';', ':']);
        push_url(&mut shown, url);
        text = &after[url.len()..];
    }
    shown.push_str(text);
    shown
}

/// A URL from its authority on.
fn push_url(shown: &mut String, url: &str) {
    let (url, fragment) = split_before(url, '#');
    let (hierarchy, query) = split_before(url, '?');
    let (authority, path) = split_before(hierarchy, '/');
    if authority.contains('@') {
        shown.push_str(host_and_port(authority));
        shown.push_str(path);
    } else {
        // A password may have a slash in it.
        shown.push_str(without_password(hierarchy));
    }
    if let Some(query) = query.strip_prefix('?') {
        push_query(shown, query, "..");
    }
    if !fragment.is_empty() {
        shown.push_str("#..");
    }
}

fn push_query(shown: &mut String, query: &str, value: &str) {
    for (nth, pair) in query.split('&').enumerate() {
        shown.push(if nth == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, _)) => {
                let _ = write!(shown, "{name}={value}");
            }
            // A bare word may be a value as well as a name.
            None if pair.is_empty() => {}
            None => shown.push_str(value),
        }
    }
}

fn split_before(text: &str, separator: char) -> (&str, &str) {
    text.split_at(text.find(separator).unwrap_or(text.len()))
}

/// Host and port of an authority, without its user information.
pub fn host_and_port(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host_and_port)| host_and_port)
}

/// A path that reads like `//user:password@host`, or `/user:password@host`, was meant for an authority.
fn without_password(path: &str) -> &str {
    match path.rsplit_once('@') {
        Some((before, after)) if before.contains(':') => after,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_values_are_not_shown() {
        for (uri, shown) in [
            ("https://api.example.com/users", "https://api.example.com/users"),
            (
                "https://me:pw@api.example.com:8443/a?token=s3cret&page=2",
                "https://api.example.com:8443/a?token=..&page=..",
            ),
            ("/a?s3cret", "/a?.."),
            ("/a?x=1=2&&y=", "/a?x=..&&y=.."),
            ("*", "*"),
            ("//me:s3cret@api.example.com/a", "api.example.com/a"),
            ("/me:s3cret@api.example.com/a", "api.example.com/a"),
            ("/users/@me", "/users/@me"),
            ("/users:batch", "/users:batch"),
        ] {
            assert_eq!(shown_url(&uri.parse().unwrap(), ".."), shown);
        }
    }

    #[test]
    fn urls_in_a_text_are_shown_as_they_may_be() {
        for (text, shown) in [
            ("no URL at all: a/b?c", "no URL at all: a/b?c"),
            (
                "for url (https://me:pw@h.example:1/a?token=s3cret)",
                "for url (https://h.example:1/a?token=..)",
            ),
            ("`http://h/?s3cret`, and http://me@h/#s3cret.", "`http://h/?..`, and http://h/#..."),
            ("http://h/a?u=http://x:pw@y/&v=s3cret ends", "http://h/a?u=..&v=.. ends"),
            ("https://me:p/w@h.example/a", "https://h.example/a"),
            ("https://[::1]:8/a, https://[::1]", "https://[::1]:8/a, https://[::1]"),
            ("https://h/users/@me", "https://h/users/@me"),
            ("://", "://"),
        ] {
            assert_eq!(shown_urls_in(text), shown);
        }
    }
}
