//! What `Location` and `Content-Location` name.

use bartizan_core::Origin;
use http::Uri;
use http::uri::PathAndQuery;

/// The target that a reference means (RFC 3986 section 5.2), if it is one of the same origin as `base` (RFC 9111 section 4.4).
pub(crate) fn same_origin(base: &Uri, reference: &[u8]) -> Option<Uri> {
    let reference = std::str::from_utf8(reference).ok()?;
    let reference = reference.split('#').next().unwrap_or_default();
    if let Some(rest) = reference.strip_prefix("//") {
        let scheme = base.scheme_str()?;
        return absolute(base, &format!("{scheme}://{rest}"));
    }
    if let Some((scheme, _)) = reference.split_once(':')
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    {
        return absolute(base, reference);
    }
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (reference, None),
    };
    let path = match path {
        "" => base.path().to_owned(),
        path if path.starts_with('/') => without_dots(path),
        path => {
            let folder = base.path().rfind('/').map_or("/", |last| &base.path()[..=last]);
            without_dots(&format!("{folder}{path}"))
        }
    };
    let query = query.or_else(|| base.query().filter(|_| reference.is_empty()));
    let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let mut parts = base.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

fn absolute(base: &Uri, named: &str) -> Option<Uri> {
    let named = Uri::try_from(named).ok()?;
    if Origin::of(base).ok()? != Origin::of(&named).ok()? {
        return None;
    }
    let mut parts = named.into_parts();
    let target = parts.path_and_query.take()?;
    let path = without_dots(target.path());
    let target = target.query().map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

/// RFC 3986 section 5.2.4, of a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        let is_last = index + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_as_rfc_3986_does() {
        // Section 5.4.1 and 5.4.2, as far as they stay at one origin.
        let base = "http://a/b/c/d;p?q".parse().unwrap();
        for (reference, expected) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            ("#s", "/b/c/d;p?q"),
            ("g#s", "/b/c/g"),
            (";x", "/b/c/;x"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("./", "/b/c/"),
            ("..", "/b/"),
            ("../", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../g", "/g"),
            ("../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            ("..g", "/b/c/..g"),
            ("./g/.", "/b/c/g/"),
            ("g;x=1/../y", "/b/c/y"),
            ("g?y/../x", "/b/c/g?y/../x"),
            ("//A:80/x/../y?z", "/y?z"),
            ("HTTP://a/./x", "/x"),
        ] {
            let target = same_origin(&base, reference.as_bytes());
            let target = target.as_ref().and_then(|uri| uri.path_and_query()).map(|target| target.as_str());
            assert_eq!(target, Some(expected), "{reference:?}");
        }
    }

    #[test]
    fn what_is_elsewhere_or_no_reference_names_nothing() {
        let base = "http://a/b".parse().unwrap();
        for reference in [
            &b"//g"[..],
            b"http://b/",
            b"https://a/",
            b"http://a:81/",
            b"mailto:x@a",
            b"a b",
            b"\xff",
            b"g:h",
        ] {
            assert_eq!(same_origin(&base, reference), None, "{reference:?}");
        }
        let base = "/b/c".parse().unwrap();
        assert_eq!(same_origin(&base, b"d").unwrap(), "/b/d");
        assert_eq!(same_origin(&base, b"//b/d"), None);
    }
}
