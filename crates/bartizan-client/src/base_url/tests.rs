use bartizan_core::Origin;
use percent_encoding::percent_decode;
use proptest::prelude::*;

use super::*;

const BASES: [&str; 4] =
    ["https://api.example.com/v1", "https://api.example.com", "http://[::1]:8080/a%20b/c", "http://h/v/"];

fn base(url: &str) -> BaseUrl {
    BaseUrl::new(url).unwrap()
}

fn error(url: &str) -> String {
    BaseUrl::new(url).unwrap_err().to_string()
}

fn joined(base_url: &str, reference: &str) -> Result<String, String> {
    base(base_url).join(reference).map(|uri| uri.to_string()).map_err(|error| error.to_string())
}

#[test]
fn what_is_joined() {
    for (reference, expected) in [
        ("users", "/v1/users"),
        ("/users", "/v1/users"),
        ("users/", "/v1/users/"),
        ("/users/1", "/v1/users/1"),
        ("/users?x=1", "/v1/users?x=1"),
        ("users?x=1&y=/../", "/v1/users?x=1&y=/../"),
        ("users?next=https://other.example/", "/v1/users?next=https://other.example/"),
        ("", "/v1"),
        ("?q=1", "/v1?q=1"),
        ("?", "/v1?"),
        ("/", "/v1/"),
        ("/?q=1", "/v1/?q=1"),
        ("/a//b", "/v1/a//b"),
        ("a//", "/v1/a//"),
        ("/a/b%2Fc", "/v1/a/b%2Fc"),
        ("/a%2fb", "/v1/a%2fb"),
        ("/%2f%2Fevil.example", "/v1/%2f%2Fevil.example"),
        ("/a%5cb", "/v1/a%5cb"),
        ("/a%20b%C3%A9", "/v1/a%20b%C3%A9"),
        ("/100%25", "/v1/100%25"),
        ("/a%252fb", "/v1/a%252fb"),
        ("/users/@me", "/v1/users/@me"),
        ("/@evil.example", "/v1/@evil.example"),
        ("/user@evil.example", "/v1/user@evil.example"),
        ("/users:batch", "/v1/users:batch"),
        ("users/1:archive", "/v1/users/1:archive"),
        ("a/b://c", "/v1/a/b://c"),
        ("/http://other.example/", "/v1/http://other.example/"),
        ("/;a=1", "/v1/;a=1"),
        ("/a;b/c;d=..", "/v1/a;b/c;d=.."),
        ("/...", "/v1/..."),
        ("/.well-known/x", "/v1/.well-known/x"),
        ("/..a/a../.a", "/v1/..a/a../.a"),
        ("/a.b", "/v1/a.b"),
        ("a.b", "/v1/a.b"),
        ("/%2e%2e%2e", "/v1/%2e%2e%2e"),
        ("/*", "/v1/*"),
        ("**", "/v1/**"),
        ("%2A", "/v1/%2A"),
        ("/a?b?c", "/v1/a?b?c"),
        ("/a?filter[x]={y}|'z'^&z=50%", "/v1/a?filter[x]={y}|'z'^&z=50%"),
        ("/a'b!$&()*+,=~_-", "/v1/a'b!$&()*+,=~_-"),
        ("/-", "/v1/-"),
    ] {
        let whole = format!("https://api.example.com{expected}");
        assert_eq!(joined("https://api.example.com/v1", reference), Ok(whole.clone()), "{reference:?}");
        assert_eq!(joined("https://api.example.com/v1/", reference), Ok(whole), "{reference:?}");
        let at_root = expected.strip_prefix("/v1").unwrap();
        let slash = if at_root.starts_with('/') { "" } else { "/" };
        let whole = format!("http://h:8080{slash}{at_root}");
        assert_eq!(joined("http://h:8080", reference), Ok(whole), "{reference:?}");
    }
}

#[test]
fn an_absolute_uri_below_the_base_is_the_same() {
    for reference in [
        "https://api.example.com/v1",
        "https://api.example.com/v1/",
        "https://api.example.com/v1/users?x=1",
        "https://api.example.com/v1?x=1",
        "https://API.Example.com/v1/users",
        "https://api.example.com:443/v1/users",
        "https://api.example.com:/v1/users",
        "https://api.example.com/v1//a",
        "https://api.example.com/v1/a%2Fb",
    ] {
        assert_eq!(joined("https://api.example.com/v1", reference), Ok(reference.to_owned()));
    }
    assert_eq!(joined("https://h", "HTTPS://h").unwrap(), "https://h/");
    assert_eq!(joined("https://h", "https://h?q").unwrap(), "https://h/?q");
    assert_eq!(joined("https://h:443", "https://h/x").unwrap(), "https://h/x");
    assert_eq!(joined("http://[::1]:80", "http://[::1]/x").unwrap(), "http://[::1]/x");
}

const DOTS: &str = "dot segment";
const ELSEWHERE: &str = "not below the base URL `https://api.example.com/v1`";
const USER: &str = "user information";
const HOST: &str = "one slash in place of";
const AMBIGUOUS: &str = "begin it with `/`";
const PERCENT: &str = "no escape";

#[test]
fn what_is_refused() {
    for (reference, reason) in [
        ("..", DOTS),
        (".", DOTS),
        ("/..", DOTS),
        ("/.", DOTS),
        ("../x", DOTS),
        ("./x", DOTS),
        ("/../x?q", DOTS),
        ("a/../../b", DOTS),
        ("/a/../../b", DOTS),
        ("/a/./b", DOTS),
        ("/a/..", DOTS),
        ("/a/..?x=1", DOTS),
        ("%2e%2e", DOTS),
        ("%2E%2E/", DOTS),
        ("/%2e", DOTS),
        ("/.%2E/a", DOTS),
        ("/%2e./a", DOTS),
        ("..%2f", DOTS),
        ("..%2Fa", DOTS),
        ("/a%2f..%2fb", DOTS),
        ("%2f..", DOTS),
        ("/a%2F%2e%2e", DOTS),
        ("/a%2f.%2fb", DOTS),
        ("..%5c", DOTS),
        ("/a%5C..%5Cb", DOTS),
        ("%5c..", DOTS),
        ("%252e%252e", DOTS),
        ("/%252E%252e/a", DOTS),
        ("/..%252f", DOTS),
        ("/%25252e%2e", DOTS),
        ("/%25%32%65%25%32%65", DOTS),
        ("/%252%65.", DOTS),
        ("/..;/a", DOTS),
        ("/..;x=1/a", DOTS),
        ("/..%3b/a", DOTS),
        ("/.;/a", DOTS),
        ("/..%00/a", DOTS),
        ("https://api.example.com/v1/../x", DOTS),
        ("https://api.example.com/v1/%2e%2e/x", DOTS),
        ("https://api.example.com/v1/..%2fx", DOTS),
        ("https://api.example.com/../v1", DOTS),
        ("http://other/", ELSEWHERE),
        ("http://api.example.com/v1/x", ELSEWHERE),
        ("https://api.example.com:80/v1/x", ELSEWHERE),
        ("https://api.example.com:99999/v1/x", ELSEWHERE),
        ("https://api.example.com:+443/v1/x", ELSEWHERE),
        ("https://api.example.com.evil.example/v1/x", ELSEWHERE),
        ("https://api.example.com./v1/x", ELSEWHERE),
        ("https://evil.example/v1/x", ELSEWHERE),
        ("https://api.example.com", ELSEWHERE),
        ("https://api.example.com/v2", ELSEWHERE),
        ("https://api.example.com/v10", ELSEWHERE),
        ("https://api.example.com//v1/x", ELSEWHERE),
        ("https://api.example.com/V1/x", ELSEWHERE),
        ("https://api.example.com/%761/x", ELSEWHERE),
        ("ftp://api.example.com/v1/x", ELSEWHERE),
        ("https://me@api.example.com/v1/x", USER),
        ("https://api.example.com:443@evil.example/v1/x", USER),
        ("https://evil.example@api.example.com/v1/x", USER),
        ("//evil", HOST),
        ("//evil/x", HOST),
        ("///evil", HOST),
        ("//", HOST),
        ("//api.example.com/v1/x", HOST),
        ("//x://y", HOST),
        ("/\\evil", "`%5C`"),
        ("\\evil", "`%5C`"),
        ("\\\\evil", "`%5C`"),
        ("/a\\..\\b", "`%5C`"),
        ("https://api.example.com\\@evil/v1", "`%5C`"),
        ("https://api.example.com/v1\\x", "`%5C`"),
        ("/a b", "`%20`"),
        (" ", "`%20`"),
        ("/a\r\nHost: evil", "`%0D`"),
        ("/a?b\n", "`%0A`"),
        ("/\0", "`%00`"),
        ("/\u{7f}", "`%7F`"),
        ("/é", "`%C3%A9`"),
        ("é", "`%C3%A9`"),
        ("/a?é", "`%C3%A9`"),
        ("/．．/x", "`%EF%BC%8E`"),
        ("/<", "`%3C`"),
        ("/a?\"", "`%22`"),
        ("a.b:80", AMBIGUOUS),
        ("a:b", AMBIGUOUS),
        ("mailto:x", AMBIGUOUS),
        ("https:users", AMBIGUOUS),
        ("https:/users", AMBIGUOUS),
        (":80", AMBIGUOUS),
        ("[::1]", AMBIGUOUS),
        ("@evil", AMBIGUOUS),
        ("user@evil", AMBIGUOUS),
        ("a:b@evil/x", AMBIGUOUS),
        ("*", "whole server"),
        ("*?x", "whole server"),
        ("#", "fragment"),
        ("/a#b", "fragment"),
        ("/a?b#c", "fragment"),
        ("https://api.example.com/v1#x", "fragment"),
        ("/%zz", PERCENT),
        ("/a%", PERCENT),
        ("/%%32%65%%32%65", PERCENT),
        ("https://api.example.com/v1/%2", PERCENT),
        ("https://", "no valid URI"),
        ("https:///v1/x", "no valid URI"),
        ("://x", ELSEWHERE),
    ] {
        let error = joined("https://api.example.com/v1", reference).unwrap_err();
        assert!(error.contains(reason), "{reference:?}: {error}");
    }
}

#[test]
fn no_character_is_refused_without_its_name() {
    for character in '\0'..='\u{ff}' {
        for reference in [format!("/{character}"), format!("/?{character}"), format!("a{character}b")] {
            let error = joined("https://h", &reference).err().unwrap_or_default();
            assert!(!error.contains("no valid URI"), "{reference}: {error}");
        }
    }
}

#[test]
fn a_uri_that_looks_like_a_host_on_the_wire_is_refused() {
    for reference in ["//evil", "https://h//evil"] {
        let error = joined("https://h", reference).unwrap_err();
        assert!(error.contains(HOST), "{reference}: {error}");
    }
    let error = base("https://h").join_uri(&"//evil.example/x".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains(HOST), "{error}");
}

#[test]
fn a_uri_means_what_its_text_means() {
    for (uri, expected) in [
        ("users", "https://h/v/users"),
        ("/users", "https://h/v/users"),
        ("/", "https://h/v/"),
        ("https://h/v/x", "https://h/v/x"),
    ] {
        assert_eq!(base("https://h/v").join_uri(&uri.parse().unwrap()).unwrap(), expected);
    }
    for uri in ["a.b:80", "user@evil", "*", "..", "//evil", "https://other/v/", "/..", "/é", "/\\evil"] {
        let uri: Uri = uri.parse().unwrap();
        assert_eq!(base("https://h/v").join_uri(&uri), base("https://h/v").join(&uri.to_string()), "{uri}");
        assert!(base("https://h").join_uri(&uri).is_err(), "{uri}");
    }
    let mut only_a_query = Parts::default();
    only_a_query.path_and_query = Some("?x=1".parse().unwrap());
    let only_a_query = Uri::from_parts(only_a_query).unwrap();
    assert_eq!(base("https://h/v").join_uri(&only_a_query).unwrap(), "https://h/v?x=1");
    assert_eq!(base("https://h").join_uri(&only_a_query).unwrap(), "https://h/?x=1");
}

#[test]
fn a_host_in_brackets_ends_at_the_bracket() {
    assert!(joined("https://[::1]", "https://[::1]/x").is_ok());
    for reference in ["https://[::1]evil.example/x", "https://[::1]443/x", "https://[::1]@evil.example/x"] {
        assert!(joined("https://[::1]", reference).is_err(), "{reference}");
    }
}

#[test]
fn the_longest_uri_is_what_http_can_hold() {
    let base = base("https://h/v");
    let fits = "a".repeat(MAX_LENGTH - "https://h/v/".len());
    assert_eq!(base.join(&fits).unwrap().to_string().len(), MAX_LENGTH);
    for too_long in [fits + "a", "a".repeat(70_000)] {
        let error = base.join(&too_long).unwrap_err().to_string();
        assert!(error.contains("65534 bytes") && error.len() < 400, "{error}");
    }
    let at_root: Uri = format!("/{}", "a".repeat(MAX_LENGTH - 1)).parse().unwrap();
    assert!(BaseUrl::new("https://h").unwrap().join_uri(&at_root).is_err());
}

#[test]
fn a_slash_at_the_end_makes_no_difference() {
    assert_eq!(base("https://h/v/"), base("https://h/v"));
    assert_eq!(base("https://h/"), base("https://h"));
    assert_eq!(base("HTTPS://H/v").to_string(), "https://H/v");
    assert_eq!(format!("{:?}", base("https://h/v/")), "BaseUrl(https://h/v)");
    assert_eq!("http://h:80".parse::<BaseUrl>().unwrap().to_string(), "http://h:80");
}

#[test]
fn a_base_url_that_is_none_is_refused_with_the_fix() {
    for (url, expected) in [
        ("", "the base URL `` has no scheme; begin it with `https://`"),
        ("/v1", "the base URL `/v1` has no scheme; begin it with `https://`"),
        ("api.example.com", "the base URL `api.example.com` has no scheme; begin it with `https://`"),
        ("//h/v1", "the base URL `//h/v1` has no scheme; begin it with `https://`"),
        ("https:/h", "the base URL `https:/h` has no scheme; begin it with `https://`"),
        ("ftp://h", "the base URL `ftp://h` has a scheme other than `https` and `http`; use one of these"),
        ("wss://h", "the base URL `wss://h` has a scheme other than `https` and `http`; use one of these"),
        ("https://", "the base URL `https://` names no valid host; write it as `https://api.example.com/v1`"),
        (
            "https:///v1",
            "the base URL `https:///v1` names no valid host; write it as `https://api.example.com/v1`",
        ),
        (
            "https://:80/",
            "the base URL `https://:80/` names no valid host; write it as `https://api.example.com/v1`",
        ),
        (
            "https://a:b:1",
            "the base URL `https://..` names no valid host; write it as `https://api.example.com/v1`",
        ),
        (
            "https://h:99999",
            "the base URL `https://h:99999` has a port that is none; use a number up to 65535, or leave it out",
        ),
        (
            "https://h:+80",
            "the base URL `https://..` has a port that is none; use a number up to 65535, or leave it out",
        ),
        (
            "https://[::1]x/",
            "the base URL `https://[::1]x/` has a port that is none; use a number up to 65535, or leave it out",
        ),
        (
            "https://me:s3cret@h/v1",
            "the base URL `https://..@h/v1` has user information; leave it out, and send credentials by an auth layer \
             or a header",
        ),
        (
            "https://h/v1?key=s3cret",
            "the base URL `https://h/v1?..` has a query; leave it out, each request has its own",
        ),
        ("https://h?", "the base URL `https://h?..` has a query; leave it out, each request has its own"),
        (
            "https://h/v1#s3cret",
            "the base URL `https://h/v1#..` has a fragment, which is not sent; leave out `#` and what follows",
        ),
        (
            "https://h//v1",
            "the base URL `https://h//v1` has an empty path segment; write one slash in place of `//`",
        ),
        (
            "https://h/v1//",
            "the base URL `https://h/v1//` has an empty path segment; write one slash in place of `//`",
        ),
        (
            "https://h/a/../v1",
            "the base URL `https://h/a/../v1` has the dot segment `..`; write the path that is meant without it",
        ),
        (
            "https://h/%2E",
            "the base URL `https://h/%2E` has the dot segment `%2E`; write the path that is meant without it",
        ),
        (
            "https://h/v1\n",
            "the base URL `https://h/v1\\n` has `\\n` at position 12; write it as `%0A`, or leave it out",
        ),
        (
            "https://h\\v1",
            "the base URL `https://h\\\\v1` has `\\\\` at position 9; write it as `%5C`, or leave it out",
        ),
        (
            "https://h/é",
            "the base URL `https://h/é` has `é` at position 10; write it as `%C3%A9`, or leave it out",
        ),
        (
            "https://h/50%",
            "the base URL `https://h/50%` has a `%` at position 3 of its path that is no escape; write `%25` for a \
             percent sign",
        ),
    ] {
        assert_eq!(error(url), expected);
    }
}

#[test]
fn errors_show_no_credential_and_no_query() {
    for text in [
        "https://me:s3cret@h/v1",
        "https://s3cret@h/v1",
        "https://me:s3cret@h@h/v1",
        "https://me:s/s3cret@h/v1",
        "https://me:s?s3cret@h/v1",
        "https://me:s3cret?s@h/v1",
        "https://s3cret?s@h",
        "https://me:s3cret#s@h/v1",
        "https://h/v1?key=s3cret",
        "https://h/v1?key=x@s3cret",
        "https://h/v1#s3cret",
        "me:s3cret@h",
        "//me:s3cret@h/",
        "me:s3cret@h?x#y",
        "https:/me:s3cret@h/",
        "ftp://me:s3cret@h/",
        "https://me:s3cret\n@h/",
    ] {
        let invalid = BaseUrl::new(text).unwrap_err();
        assert!(!format!("{invalid} {invalid:?}").contains("s3cret"), "{text}: {invalid} {invalid:?}");
        let base = base("https://base.example");
        let invalid = base.join(text).unwrap_err();
        assert!(!format!("{invalid} {invalid:?}").contains("s3cret"), "{text}: {invalid} {invalid:?}");
        if let Some(invalid) = text.parse::<Uri>().ok().map(|uri| base.join_uri(&uri).unwrap_err()) {
            assert!(!format!("{invalid} {invalid:?}").contains("s3cret"), "{text}: {invalid} {invalid:?}");
        }
    }
    let error = base("https://h").join("/users/../@me?key=s3cret").unwrap_err();
    assert_eq!(error.reference(), "/users/../@me?..");
    for (given, shown) in [
        ("https://me:s3cret@h/v1?x", "https://..@h/v1?.."),
        ("https://h/v1?mail=me@h", "https://h/v1?.."),
        ("https://[::1]:80/v1?x", "https://[::1]:80/v1?.."),
    ] {
        assert_eq!(BaseUrl::new(given).unwrap_err().url(), shown);
    }
}

/// Text that is likely to hit what the checks are about.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        ".",
        "..",
        "/",
        "//",
        "\\",
        "%",
        "%2e",
        "%2E",
        "%2f",
        "%2F",
        "%5c",
        "%25",
        "%252e",
        "%32",
        "%65",
        "2e",
        "25",
        "%00",
        "%3b",
        ";",
        "a",
        "v1",
        "@",
        ":",
        "?",
        "#",
        "*",
        "https://",
        "http://",
        "api.example.com",
        "h",
        "evil",
        "[::1]",
        ":8080",
        "/a%20b/c",
        "/v",
        "é",
        " ",
        "&",
        "=",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Whether any segment is a dot segment, by the plainest code there is for it.
fn has_dots(path: &[u8]) -> bool {
    let segments = path.split(|byte| matches!(byte, b'/' | b'\\'));
    let mut without_parameters =
        segments.map(|segment| segment.split(|byte| *byte == b';').next().unwrap_or_default());
    without_parameters.any(|segment| matches!(segment, b"." | b".."))
}

fn lies_below(uri: &Uri, base_url: &str) -> Result<(), TestCaseError> {
    let base_uri: Uri = base_url.parse().unwrap();
    prop_assert_eq!(Origin::of(uri).unwrap(), Origin::of(&base_uri).unwrap());
    prop_assert!(!uri.authority().unwrap().as_str().contains('@'));
    let base_path = base_uri.path().trim_end_matches('/');
    let path = uri.path();
    prop_assert!(path == base_path || path.starts_with(&format!("{base_path}/")), "{path}");
    prop_assert!(!path.starts_with("//") && !path.contains('\\') && path.is_ascii(), "{path}");
    let mut decoded = path.as_bytes().to_vec();
    for depth in 0..4 {
        prop_assert!(!has_dots(&decoded), "{path} decoded {depth} times");
        decoded = percent_decode(&decoded).collect();
    }
    // And it is a URI that reads back as itself.
    prop_assert_eq!(&uri.to_string().parse::<Uri>().unwrap(), uri);
    Ok(())
}

fn stays_below(reference: &str) -> Result<(), TestCaseError> {
    for base_url in BASES {
        let base = base(base_url);
        let result = base.join(reference);
        if let Ok(uri) = &result {
            lies_below(uri, base_url)?;
        }
        // A fragment is gone from a `Uri`.
        if let Some(uri) = reference.parse::<Uri>().ok().filter(|_| !reference.contains('#')) {
            prop_assert_eq!(base.join_uri(&uri).ok(), result.ok());
        }
    }
    Ok(())
}

#[test]
fn a_text_is_one_segment_or_refused() {
    for (text, expected) in [
        ("alice", Some("alice")),
        ("a/b", Some("a%2Fb")),
        ("/", Some("%2F")),
        ("a?b=c#d", Some("a%3Fb%3Dc%23d")),
        ("50%", Some("50%25")),
        ("a%2Fb", Some("a%252Fb")),
        ("a b", Some("a%20b")),
        ("a:b@c", Some("a%3Ab%40c")),
        ("a\\b", Some("a%5Cb")),
        ("*", Some("%2A")),
        ("a;b", Some("a%3Bb")),
        ("é\n", Some("%C3%A9%0A")),
        ("https://evil.example/", Some("https%3A%2F%2Fevil.example%2F")),
        ("a.b", Some("a.b")),
        ("...", Some("...")),
        ("..a", Some("..a")),
        ("-._~", Some("-._~")),
        ("", None),
        (".", None),
        ("..", None),
        ("../a", None),
        ("a/..", None),
        ("..\\a", None),
        ("..;a", None),
        ("%2e%2E", None),
        ("%252e", None),
    ] {
        assert_eq!(segment(text).ok().as_deref(), expected, "{text}");
    }
    assert!(matches!(segment("alice"), Ok(std::borrow::Cow::Borrowed("alice"))), "not copied");
    for (text, said) in [("", "an empty text"), ("../a\n", "the text `../a\\n`")] {
        let message = segment(text).unwrap_err().to_string();
        assert!(message.starts_with(&format!("{said} as a segment of a path would ")), "{message}");
    }
    let long = segment(&"/..".repeat(50)).unwrap_err().to_string();
    assert!(long.contains(&format!("`{}/`", "/..".repeat(33))), "{long}");
}

/// That a text, once encoded, is one segment more under each base, which is the text.
fn is_one_segment(text: &str) -> Result<(), TestCaseError> {
    let Ok(encoded) = segment(text) else {
        let may_be_dots = text.is_empty() || text.contains('.') || text.contains('%');
        prop_assert!(may_be_dots, "refused without a reason");
        return Ok(());
    };
    for base_url in BASES {
        for reference in [encoded.to_string(), format!("/{encoded}")] {
            let uri = base(base_url).join(&reference).unwrap();
            lies_below(&uri, base_url)?;
            let above = base(base_url).to_string();
            let last = uri.to_string().strip_prefix(&format!("{above}/")).map(str::to_owned).unwrap();
            prop_assert!(!last.contains(['/', '?', '#']));
            let decoded = percent_decode(last.as_bytes()).decode_utf8().unwrap();
            prop_assert_eq!(decoded, text);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_one_segment(text in any::<String>()) {
        is_one_segment(&text)?;
    }

    #[test]
    fn any_nasty_text_is_one_segment(text in nasty()) {
        is_one_segment(&text)?;
    }

    #[test]
    fn no_text_leads_out_of_the_base(reference in any::<String>()) {
        stays_below(&reference)?;
    }

    #[test]
    fn no_nasty_text_leads_out_of_the_base(reference in nasty()) {
        stays_below(&reference)?;
    }

    #[test]
    fn no_nasty_uri_below_leads_out_of_the_base(rest in nasty(), base in prop::sample::select(&BASES[..])) {
        stays_below(&format!("{base}{rest}"))?;
    }

    #[test]
    fn no_text_makes_a_base_with_more_than_origin_and_path(rest in nasty()) {
        if let Ok(base) = BaseUrl::new(&format!("https://{rest}")) {
            let uri: Uri = base.to_string().parse().unwrap();
            lies_below(&uri, &base.to_string())?;
            prop_assert!(uri.query().is_none());
            prop_assert_eq!(base.join("").unwrap(), uri);
        }
    }

    #[test]
    fn what_is_plain_is_joined_as_it_is(segments in prop::collection::vec("[a-z0-9_~-]{1,8}", 1..5)) {
        let path = segments.join("/");
        let uri = base("https://h/v1").join(&path).unwrap();
        prop_assert_eq!(uri.to_string(), format!("https://h/v1/{path}"));
    }
}
