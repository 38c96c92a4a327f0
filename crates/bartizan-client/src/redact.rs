//! URLs as they may be shown: in errors, in logs.

use std::fmt::Write;

use http::Uri;

/// The URL without user information, and with `..` for each value of its query.
pub(crate) fn url(uri: &Uri) -> String {
    let mut shown = String::new();
    if let Some(scheme) = uri.scheme_str() {
        let _ = write!(shown, "{scheme}://");
    }
    if let Some(authority) = uri.authority() {
        shown.push_str(host_and_port(authority.as_str()));
    }
    shown.push_str(without_password(uri.path()));
    for (nth, pair) in uri.query().into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if nth == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, _)) => {
                let _ = write!(shown, "{name}=..");
            }
            // A bare word may be a value as well as a name.
            None if pair.is_empty() => {}
            None => shown.push_str(".."),
        }
    }
    shown
}

/// An authority without its user information.
pub(crate) fn host_and_port(authority: &str) -> &str {
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
            assert_eq!(url(&uri.parse().unwrap()), shown);
        }
    }
}
