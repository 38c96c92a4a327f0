//! What a client prefers (RFC 9110 section 12.5): `Accept`, `Accept-Charset`, `Accept-Encoding` and `Accept-Language`.

use http::HeaderName;
use http::header::{ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE};

use super::members::{Argument, argument, token};

/// So many members are put in order. What lists more is compared as it is written.
const MOST: usize = 64;

/// One form for all values of a field that ask the same, by the field's own specification: the order of members, the case of names, how a
/// weight is written and saying a thing twice mean nothing. `None` if the field is none of the four, is malformed, or gives one thing two
/// weights.
pub(super) fn meaning(name: &HeaderName, value: &[u8]) -> Option<Box<[u8]>> {
    let kind = Kind::of(name)?;
    let mut members = Vec::new();
    let mut rest = value;
    while let Some(start) = rest.iter().position(|byte| !matches!(byte, b',' | b' ' | b'\t')) {
        let (member, after) = kind.member(&rest[start..])?;
        if members.len() == MOST {
            return None;
        }
        members.push(member);
        rest = after;
    }
    members.sort_unstable();
    members.dedup();
    if members.windows(2).any(|two| two[0].range == two[1].range) {
        return None;
    }
    let mut form = Vec::with_capacity(value.len());
    for member in members {
        form.extend_from_slice(if form.is_empty() { b"" } else { b"," });
        member.write(&mut form);
    }
    Some(form.into_boxed_slice())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Media ranges, with parameters.
    Media,
    /// Charsets, or content codings.
    Token,
    Language,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    /// In lower case as far as that says the same.
    range: Vec<u8>,
    /// In thousandths.
    weight: u16,
}

impl Kind {
    fn of(name: &HeaderName) -> Option<Self> {
        Some(match *name {
            ACCEPT => Self::Media,
            ACCEPT_CHARSET | ACCEPT_ENCODING => Self::Token,
            ACCEPT_LANGUAGE => Self::Language,
            _ => return None,
        })
    }

    /// The member at the start of `text`, and what follows it: nothing, or a comma.
    fn member(self, text: &[u8]) -> Option<(Member, &[u8])> {
        let (range, mut rest) = self.range(text)?;
        let mut range = range.to_ascii_lowercase();
        let mut weight = None;
        loop {
            rest = rest.trim_ascii_start();
            let Some(after) = rest.strip_prefix(b";") else { break };
            rest = after.trim_ascii_start();
            if self == Self::Media && matches!(rest.first(), None | Some(b';' | b',')) {
                continue;
            }
            let (name, after) = token(rest);
            let (argument, after) = argument(after);
            rest = after;
            if name.eq_ignore_ascii_case(b"q") {
                let Argument::Token(digits) = argument else { return None };
                if weight.replace(thousandths(digits)?).is_some() {
                    return None;
                }
            } else if self == Self::Media {
                parameter(name, argument, &mut range)?;
            } else {
                return None;
            }
        }
        matches!(rest.first(), None | Some(b','))
            .then(|| (Member { range, weight: weight.unwrap_or(1000) }, rest))
    }

    fn range(self, text: &[u8]) -> Option<(&[u8], &[u8])> {
        let (first, rest) = token(text);
        if self == Self::Media {
            let (subtype, rest) = token(rest.strip_prefix(b"/")?);
            let is_range = !first.is_empty() && !subtype.is_empty() && (first != b"*" || subtype == b"*");
            return is_range.then(|| (&text[..text.len() - rest.len()], rest));
        }
        let is_range = !first.is_empty() && (self == Self::Token || is_language_range(first));
        is_range.then_some((first, rest))
    }
}

impl Member {
    fn write(&self, form: &mut Vec<u8>) {
        form.extend_from_slice(&self.range);
        if self.weight < 1000 {
            form.extend_from_slice(format!(";q=0.{:03}", self.weight).as_bytes());
        }
    }
}

/// A token says what the same text in quotes says (RFC 9110 section 5.6.6). Whether the case of a value matters is known of charsets alone.
fn parameter(name: &[u8], value: Argument<'_>, range: &mut Vec<u8>) -> Option<()> {
    let is_charset = name.eq_ignore_ascii_case(b"charset");
    let value = value.text().filter(|_| !name.is_empty())?;
    range.push(b';');
    range.extend(name.iter().map(u8::to_ascii_lowercase));
    range.extend_from_slice(b"=\"");
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            range.push(b'\\');
        }
        range.push(if is_charset { byte.to_ascii_lowercase() } else { byte });
    }
    range.push(b'"');
    Some(())
}

/// RFC 4647 section 2.1.
fn is_language_range(range: &[u8]) -> bool {
    let mut subtags = range.split(|byte| *byte == b'-');
    let is_short = |subtag: &[u8]| (1..=8).contains(&subtag.len());
    let primary = subtags.next().unwrap_or_default();
    range == b"*"
        || is_short(primary)
            && primary.iter().all(u8::is_ascii_alphabetic)
            && subtags.all(|subtag| is_short(subtag) && subtag.iter().all(u8::is_ascii_alphanumeric))
}

/// RFC 9110 section 12.4.2.
fn thousandths(weight: &[u8]) -> Option<u16> {
    let (whole, digits) = match weight {
        [b'0', digits @ ..] => (0, digits),
        [b'1', digits @ ..] => (1000, digits),
        _ => return None,
    };
    let digits = match digits {
        [] => digits,
        [b'.', digits @ ..] if digits.len() <= 3 => digits,
        _ => return None,
    };
    let mut fraction = 0;
    for place in 0..3 {
        let digit = digits.get(place).copied().unwrap_or(b'0');
        if !digit.is_ascii_digit() {
            return None;
        }
        fraction = fraction * 10 + u16::from(digit - b'0');
    }
    (whole == 0 || fraction == 0).then_some(whole + fraction)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(name: &HeaderName, value: &str) -> Option<String> {
        meaning(name, value.as_bytes()).map(|form| String::from_utf8(form.into_vec()).expect("as put in"))
    }

    #[test]
    fn what_asks_the_same_has_one_form() {
        for (name, value, expected) in [
            (ACCEPT_LANGUAGE, "eN, De", "de,en"),
            (ACCEPT_LANGUAGE, "da, en-GB;q=0.8, en;q=0.7", "da,en;q=0.700,en-gb;q=0.800"),
            (ACCEPT_LANGUAGE, "*;q=0.001,zh-Hant-TW", "*;q=0.001,zh-hant-tw"),
            (ACCEPT_LANGUAGE, "de ; Q=0.50,, en\t;q=1.000 ,", "de;q=0.500,en"),
            (ACCEPT_LANGUAGE, "en, en;q=1, EN;q=1.0", "en"),
            (ACCEPT_LANGUAGE, "", ""),
            (ACCEPT_LANGUAGE, ", ,", ""),
            (ACCEPT_ENCODING, "gzip;q=1., BR;q=0., *;q=0", "*;q=0.000,br;q=0.000,gzip"),
            (ACCEPT_ENCODING, "x-gzip", "x-gzip"),
            (ACCEPT_CHARSET, "UTF-8, ISO-8859-5;q=0.1", "iso-8859-5;q=0.100,utf-8"),
            (ACCEPT, "Text/HTML;Level=A, */*;q=0.1, text/*", "*/*;q=0.100,text/*,text/html;level=\"A\""),
            (ACCEPT, "text/html;CHARSET=UTF-8", "text/html;charset=\"utf-8\""),
            (ACCEPT, "text/html; charset=\"utf-8\"", "text/html;charset=\"utf-8\""),
            (ACCEPT, "a/b;x=\"1\\,\\\"\", c/d", "a/b;x=\"1,\\\"\",c/d"),
            (ACCEPT, "a/b;q=0.5;x=y;;", "a/b;x=\"y\";q=0.500"),
            (ACCEPT, "a/b;x=1;y=2, a/b;y=2;x=1", "a/b;x=\"1\";y=\"2\",a/b;y=\"2\";x=\"1\""),
        ] {
            assert_eq!(read(&name, value).as_deref(), Some(expected), "{name}: {value}");
        }
    }

    #[test]
    fn what_is_malformed_or_contradicts_itself_has_none() {
        for (name, value) in [
            (ACCEPT_LANGUAGE, "en_GB"),
            (ACCEPT_LANGUAGE, "e1"),
            (ACCEPT_LANGUAGE, "en-"),
            (ACCEPT_LANGUAGE, "-en"),
            (ACCEPT_LANGUAGE, "abcdefghi"),
            (ACCEPT_LANGUAGE, "en-abcdefghi"),
            (ACCEPT_LANGUAGE, "en-*"),
            (ACCEPT_LANGUAGE, "en de"),
            (ACCEPT_LANGUAGE, "en;"),
            (ACCEPT_LANGUAGE, "en;level=1"),
            (ACCEPT_LANGUAGE, "en;q"),
            (ACCEPT_LANGUAGE, "en;q=\"1\""),
            (ACCEPT_LANGUAGE, "en;q=.5"),
            (ACCEPT_LANGUAGE, "en;q=2"),
            (ACCEPT_LANGUAGE, "en;q=1.001"),
            (ACCEPT_LANGUAGE, "en;q=0.1234"),
            (ACCEPT_LANGUAGE, "en;q=0.0000"),
            (ACCEPT_LANGUAGE, "en;q=05"),
            (ACCEPT_LANGUAGE, "en;q=0.x"),
            (ACCEPT_LANGUAGE, "en;q=-1"),
            (ACCEPT_LANGUAGE, "en;q =1"),
            (ACCEPT_LANGUAGE, "en;q=1;q=1"),
            (ACCEPT_LANGUAGE, "en;q=0.5, en"),
            (ACCEPT_LANGUAGE, ";q=1"),
            (ACCEPT_ENCODING, "gzip;x=1"),
            (ACCEPT_ENCODING, "gzip/br"),
            (ACCEPT_CHARSET, "\"utf-8\""),
            (ACCEPT, "html"),
            (ACCEPT, "/html"),
            (ACCEPT, "text/"),
            (ACCEPT, "*/html"),
            (ACCEPT, "*"),
            (ACCEPT, "text /html"),
            (ACCEPT, "text/html;level"),
            (ACCEPT, "text/html;=1"),
            (ACCEPT, "text/html;x=\"1"),
            (ACCEPT, "text/html;x=\"1\"2"),
            (ACCEPT, "text/html x"),
            (HeaderName::from_static("foo"), "en, de"),
            (http::header::ACCEPT_RANGES, "bytes"),
        ] {
            assert_eq!(read(&name, value), None, "{name}: {value}");
        }
    }

    #[test]
    fn as_many_members_as_are_put_in_order_have_a_form_and_one_more_has_none() {
        let list = |members: usize| vec!["en"; members].join(",");
        assert_eq!(read(&ACCEPT_LANGUAGE, &list(64)).as_deref(), Some("en"));
        assert_eq!(read(&ACCEPT_LANGUAGE, &list(65)), None);
    }

    /// A member, in two ways to write it.
    fn member() -> impl Strategy<Value = (&'static str, u16, [String; 2])> {
        let range = prop::sample::select(&["de", "en", "en-gb", "*"][..]);
        (range, 0..=3_u16, any::<[(bool, usize, bool); 2]>()).prop_map(|(range, weight, ways)| {
            let write = |(upper, zeros, spaced): (bool, usize, bool)| {
                let range = if upper { range.to_uppercase() } else { range.to_owned() };
                let space = if spaced { " " } else { "" };
                let zeros = &"00"[..zeros % 3];
                match weight {
                    3 if zeros.is_empty() => range,
                    3 => format!("{range}{space};{space}q=1.{zeros}"),
                    weight => format!("{range};{space}q=0.{weight}{zeros}"),
                }
            };
            (range, weight, ways.map(write))
        })
    }

    fn members() -> impl Strategy<Value = Vec<(&'static str, u16, [String; 2])>> {
        prop::collection::vec(member(), 0..5)
    }

    proptest! {
        #[test]
        fn two_values_have_one_form_if_they_give_the_same_things_the_same_weights(
            (one, other) in members().prop_flat_map(|members| {
                (Just(members.clone()), prop_oneof![Just(members).prop_shuffle(), self::members()])
            }),
        ) {
            let set = |members: &[(&'static str, u16, [String; 2])]| {
                let mut set: Vec<_> = members.iter().map(|(range, weight, _)| (*range, *weight)).collect();
                set.sort_unstable();
                set.dedup();
                let contradicts = set.windows(2).any(|two| two[0].0 == two[1].0);
                (!contradicts).then_some(set)
            };
            let form = |members: &[(_, _, [String; 2])], way: usize| {
                let written: Vec<_> = members.iter().map(|(_, _, ways)| &*ways[way]).collect();
                read(&ACCEPT_LANGUAGE, &written.join(","))
            };
            let (first, second) = (form(&one, 0), form(&other, 1));
            prop_assert_eq!(first.is_some(), set(&one).is_some());
            prop_assert_eq!(second.is_some(), set(&other).is_some());
            prop_assert_eq!(first == second, set(&one) == set(&other));
        }

        #[test]
        fn the_form_of_a_form_is_itself(
            name in prop::sample::select(&[ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE][..]),
            value in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..30),
                prop::collection::vec(prop::sample::select(&b"aA*/;q=01.,\" \\-"[..]), 0..30),
                "([a*]/[bB*](;[xq]=[\"]?[01][\"]?){0,2}[, ]*){0,3}".prop_map(String::into_bytes),
            ],
        ) {
            if let Some(form) = meaning(&name, &value) {
                prop_assert_eq!(meaning(&name, &form), Some(form));
            }
        }
    }
}
