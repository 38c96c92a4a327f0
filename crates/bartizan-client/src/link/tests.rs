use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn headers<const N: usize>(fields: [&[u8]; N]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append(LINK, HeaderValue::from_bytes(field).unwrap());
    }
    headers
}

/// `target rel`, for each link of the field.
fn read(field: &str) -> Vec<String> {
    let headers = headers([field.as_bytes()]);
    links(&headers)
        .map(|link| format!("{} {}", link.target(), link.param("rel").unwrap_or_default()))
        .collect()
}

#[test]
fn well_formed_fields() {
    let table: &[(&str, &[&str])] = &[
        ("", &[]),
        ("</a>", &["/a "]),
        ("<>; rel=self", &[" self"]),
        ("</a>; rel=next", &["/a next"]),
        ("</a>;rel=\"next\",</b>;rel=\"prev\"", &["/a next", "/b prev"]),
        (" </a> ; rel = next , </b> ; rel = \"prev\" ", &["/a next", "/b prev"]),
        ("\t</a>\t;\trel\t=\tnext\t", &["/a next"]),
        ("</a>; REL=next", &["/a next"]),
        ("</a?x=1,2;y=\"3\">; rel=next", &["/a?x=1,2;y=\"3\" next"]),
        ("</a>; title=\"one, two\"; rel=next, </b>; rel=prev", &["/a next", "/b prev"]),
        ("</a>; title=\"</x>; rel=no\"; rel=next", &["/a next"]),
        (r#"</a>; title="a \" b, \\"; rel=next"#, &["/a next"]),
        (r#"</a>; rel="ne\xt""#, &["/a next"]),
        ("</a>; rel=\"\"", &["/a "]),
        ("</a>; flag; rel=next", &["/a next"]),
        ("</a>;; rel=next;", &["/a next"]),
        (",, </a>; rel=next,,</b>,", &["/a next", "/b "]),
        ("</a>; rel=https://example.com/rels/x", &["/a https://example.com/rels/x"]),
        ("</a>; rel=next; rel=prev", &["/a next"]),
        ("</a>; title*=UTF-8''%e2%82%ac; rel=next", &["/a next"]),
    ];
    for (field, expected) in table {
        assert_eq!(read(field), *expected, "{field}");
    }
}

#[test]
fn a_malformed_link_is_left_out_and_the_next_is_read() {
    for malformed in [
        "junk",
        "/a; rel=next",
        "\"quoted, </x>; rel=no\"",
        "</a",
        "</a; rel=next",
        "<",
        "</a> junk",
        "</a>; rel=\"next\" junk",
        "</a>; =x",
        "</a>; \"x\"=y",
        "</a> junk; title=\"x, </x>; rel=no\"",
        "</a>; rel=\"next",
        "</a>; title=\"ends in a backslash\\",
        "\\\"",
        ">",
    ] {
        assert_eq!(read(&format!("{malformed}, </good>; rel=next")), ["/good next"], "{malformed}");
        assert_eq!(read(&format!("</good>; rel=next, {malformed}")), ["/good next"], "{malformed}");
    }
}

#[test]
fn links_of_several_fields_keep_their_order() {
    let headers = headers([b"</a>, </b>".as_slice(), b"</c".as_slice(), b"</d>".as_slice()]);
    let targets: Vec<&str> = links(&headers).map(|link| link.target()).collect();
    assert_eq!(targets, ["/a", "/b", "/d"]);
}

#[test]
fn what_is_not_utf_8_is_left_out() {
    let headers = headers([b"</\xff>; rel=next, </b>; title=\"\xff\"; rel=next".as_slice()]);
    let all: Vec<Link<'_>> = links(&headers).collect();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].target(), all[0].param("title")), ("/b", None));
    assert!(all[0].has_rel("next"));
}

#[test]
fn a_link_of_another_context_is_left_out() {
    assert_eq!(
        read("</a>; rel=next; anchor=\"/other\", </b>; Anchor=\"#part\", </c>; rel=next"),
        ["/c next"]
    );
}

#[test]
fn one_link_may_have_several_relation_types() {
    let headers = headers([b"</a>; rel=\"start  NEXT https://example.com/Rel\"; rel=last".as_slice()]);
    let link = links(&headers).next().unwrap();
    for (relation, expected) in [
        ("next", true),
        ("Start", true),
        ("https://example.com/rel", true),
        ("last", false),
        ("nex", false),
        ("", false),
    ] {
        assert_eq!(link.has_rel(relation), expected, "{relation}");
    }
}

#[test]
fn parameters_are_borrowed_unless_escaped() {
    let headers = headers([br#"</a>; Title="plain"; media="a \"b\""; type=x; flag"#.as_slice()]);
    let link = links(&headers).next().unwrap();
    assert!(matches!(link.param("title"), Some(Cow::Borrowed("plain"))));
    assert_eq!(link.param("MEDIA").as_deref(), Some("a \"b\""));
    assert_eq!(link.param("type").as_deref(), Some("x"));
    assert_eq!(link.param("flag").as_deref(), Some(""));
    assert_eq!(link.param("rel"), None);
}

#[test]
fn long_hostile_fields_end() {
    for piece in ["<", "\"", "x\\\",", "</a>;b=\"\\\",", ",", ";", "<,", "</a>;", "</a>;b=\"", "\\"] {
        let _ = read(&piece.repeat(64 * 1024 / piece.len()));
    }
}

fn written(links: &[(String, Vec<(String, String)>)]) -> String {
    let link = |(target, params): &(String, Vec<(String, String)>)| {
        let param = |(name, value): &(String, String)| {
            format!("; {name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
        };
        format!("<{target}>{}", params.iter().map(param).collect::<String>())
    };
    links.iter().map(link).collect::<Vec<_>>().join(", ")
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_an_end(field in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(field) = HeaderValue::from_bytes(&field) {
            let headers = HeaderMap::from_iter([(LINK, field)]);
            for link in links(&headers) {
                let _ = (link.has_rel("next"), link.param("title"));
            }
        }
    }

    #[test]
    fn any_punctuation_is_read_to_an_end(field in r#"[<>;,="\\a \t]{0,60}"#) {
        let openings = field.matches('<').count();
        prop_assert!(read(&field).len() <= openings);
    }

    #[test]
    fn what_was_written_is_read(
        all in proptest::collection::vec(
            ("[!-;=?-~]{0,12}", proptest::collection::vec(("[b-z]{1,6}", "[ -~é]{0,10}"), 0..4)),
            0..5,
        )
    ) {
        let headers = headers([written(&all).as_bytes()]);
        let read: Vec<Link<'_>> = links(&headers).collect();
        prop_assert_eq!(read.len(), all.len());
        for (link, (target, params)) in read.iter().zip(&all) {
            prop_assert_eq!(link.target(), target.as_str());
            for (name, _) in params {
                let first = params.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
                let value = link.param(name);
                prop_assert_eq!(value.as_deref(), first);
            }
        }
    }

    #[test]
    fn a_good_link_after_anything_unquoted_is_read(before in "[^\"\\p{C}]{0,40}") {
        let read = read(&format!("{before}, </good>; rel=next"));
        prop_assert_eq!(read.last().map(String::as_str), Some("/good next"));
    }
}
