//! Fields as plain strings, and the few grammars of RFC 9110 section 5.6 that a cache has to read.

/// Name in lower case and value of each line, in order.
pub type Fields = Vec<(String, String)>;

pub fn lines<'a>(fields: &'a Fields, name: &'a str) -> impl Iterator<Item = &'a str> {
    fields.iter().filter(move |line| line.0 == name).map(|line| line.1.as_str())
}

pub fn has(fields: &Fields, name: &str) -> bool {
    lines(fields, name).next().is_some()
}

/// Of a field that may stand once: its only line.
pub fn single<'a>(fields: &'a Fields, name: &'a str) -> Option<&'a str> {
    let mut lines = lines(fields, name);
    lines.next().filter(|_| lines.next().is_none())
}

/// The members of one line. Commas within quotes part nothing; a quote that nothing closes is a letter like others.
pub fn members(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    let bytes = line.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = closing_quote(bytes, at).unwrap_or(at),
            b',' => {
                parts.push(line[start..at].trim_matches([' ', '\t']));
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(line[start..].trim_matches([' ', '\t']));
    parts
}

fn closing_quote(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_tchar)
}

fn is_tchar(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter)
}

#[derive(Clone, Debug)]
pub struct Directive {
    pub name: String,
    /// What follows the name, if it is an argument by the grammar.
    pub argument: Option<String>,
    pub is_well_formed: bool,
}

/// `token [ "=" ( token / quoted-string ) ]`. What begins with a token has a name, whatever follows it.
pub fn directives(fields: &Fields, field: &str) -> Vec<Directive> {
    lines(fields, field).flat_map(members).filter_map(directive).collect()
}

fn directive(member: &str) -> Option<Directive> {
    let end = member.find(|letter| !is_tchar(letter)).unwrap_or(member.len());
    let (name, rest) = member.split_at(end);
    if name.is_empty() {
        return None;
    }
    let argument = rest.strip_prefix('=').and_then(argument);
    let is_well_formed = rest.is_empty() || argument.is_some();
    Some(Directive { name: name.to_ascii_lowercase(), argument, is_well_formed })
}

fn argument(text: &str) -> Option<String> {
    if is_token(text) {
        return Some(text.to_string());
    }
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') || closing_quote(bytes, 0)? != bytes.len() - 1 {
        return None;
    }
    let mut unquoted = String::new();
    let mut letters = text[1..text.len() - 1].chars();
    while let Some(letter) = letters.next() {
        unquoted.push(if letter == '\\' { letters.next()? } else { letter });
    }
    Some(unquoted)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seconds {
    /// It is there, and says nothing that could be understood.
    Invalid,
    Are(i64),
}

/// Of several the strictest, which is the least.
pub fn seconds(directives: &[Directive], name: &str) -> Option<Seconds> {
    directives
        .iter()
        .filter(|directive| directive.name == name)
        .map(|found| delta(found.argument.as_deref()))
        .min()
}

fn delta(argument: Option<&str>) -> Seconds {
    match argument {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Seconds::Are(digits.parse().unwrap_or(i64::MAX).min(1 << 31))
        }
        _ => Seconds::Invalid,
    }
}

/// What `no-cache` and `private` are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    All,
    Names(Vec<String>),
}

pub fn about(directives: &[Directive], name: &str) -> Option<About> {
    let mut found = None;
    for directive in directives.iter().filter(|directive| directive.name == name) {
        let names = directive.argument.as_deref().map(|list| {
            list.split(',')
                .map(|name| name.trim().to_ascii_lowercase())
                .filter(|name| !name.is_empty())
                .collect::<Vec<_>>()
        });
        found = Some(match (names, found) {
            (Some(names), None) if !names.is_empty() && names.iter().all(|name| is_token(name)) => {
                About::Names(names)
            }
            (Some(names), Some(About::Names(mut others)))
                if !names.is_empty() && names.iter().all(|name| is_token(name)) =>
            {
                others.extend(names);
                About::Names(others)
            }
            _ => About::All,
        });
    }
    found
}

/// An entity tag: whether it is weak, and what stands between its quotes.
pub fn tag(text: &str) -> Option<(bool, &str)> {
    let (is_weak, rest) = text.strip_prefix("W/").map_or((false, text), |rest| (true, rest));
    let inner = rest.strip_prefix('"')?.strip_suffix('"')?;
    inner
        .chars()
        .all(|letter| letter == '!' || letter >= '#' && letter != '\u{7f}')
        .then_some((is_weak, inner))
}

/// The tags of a list. What is none is skipped.
pub fn tags<'a>(fields: &'a Fields, name: &'a str) -> Vec<(bool, &'a str)> {
    lines(fields, name).flat_map(members).filter_map(tag).collect()
}

#[test]
fn what_restricts_is_found_wherever_it_stands_and_never_in_quotes() {
    let found = |line: &str| {
        directives(&vec![("cc".into(), line.into())], "cc").iter().any(|found| found.name == "no-store")
    };
    for line in
        ["no-store", " No-Store ", "a,no-store=1", "no-store;x", "a=\"x, no-store", "x=\"\\\"\", no-store"]
    {
        assert!(found(line), "{line}");
    }
    for line in
        ["a=\"no-store\"", "a=\"x, no-store, y\"", "x=\"\\\", no-store, \"", "no-storex", "\"no-store\""]
    {
        assert!(!found(line), "{line}");
    }
}

#[test]
fn of_two_ages_the_lesser_counts_and_what_is_none_is_the_least() {
    let age = |line: &str| seconds(&directives(&vec![("cc".into(), line.into())], "cc"), "max-age");
    assert_eq!(age("max-age=60, MAX-AGE=\"10\""), Some(Seconds::Are(10)));
    assert_eq!(age("max-age=60, max-age=6.5"), Some(Seconds::Invalid));
    assert_eq!(age("max-age=99999999999999999999"), Some(Seconds::Are(1 << 31)));
    assert_eq!(age("x-max-age=1"), None);
}
