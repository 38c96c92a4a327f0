use std::fmt;

use http::header::VARY;
use http::{HeaderMap, HeaderName};

use super::Names;
use super::normal::normal;
use super::preferences::meaning;

/// Which of a request's fields chose the response (RFC 9110 section 12.5.5, RFC 9111 section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vary(Names);

impl Vary {
    /// Reads all lines. One that cannot be understood, or names more fields than are kept, is read as `*`.
    pub(crate) fn read(response: &HeaderMap) -> Self {
        let mut names = Names::none();
        for line in response.get_all(VARY) {
            names.add_list(line.as_bytes());
        }
        Self(names)
    }

    /// The names of the fields; `None` for `*`, with which no other request matches.
    pub(crate) fn names(&self) -> Option<&[HeaderName]> {
        match &self.0 {
            Names::All => None,
            Names::Listed(names) => Some(names),
        }
    }

    /// What of a request to keep beside the response that it got; `None` for `*`.
    pub(crate) fn key(&self, request: &HeaderMap) -> Option<Variant> {
        Some(Variant(self.names()?.iter().map(|name| nominated(name, request)).collect()))
    }
}

fn nominated(name: &HeaderName, request: &HeaderMap) -> Nominated {
    Nominated { name: name.clone(), value: Value::of(request, name) }
}

/// The nominated fields of the request that a stored response answered.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Variant(Box<[Nominated]>);

#[derive(Clone, PartialEq, Eq)]
struct Nominated {
    name: HeaderName,
    /// `None` if the request had no such field, which is not the same as an empty one.
    value: Option<Value>,
}

#[derive(Clone)]
struct Value {
    written: Box<[u8]>,
    /// One form for all values that ask the same, where they are known.
    meaning: Option<Box<[u8]>>,
}

impl Variant {
    /// Of another request, by the same fields.
    pub(crate) fn of(&self, request: &HeaderMap) -> Self {
        Self(self.0.iter().map(|Nominated { name, .. }| nominated(name, request)).collect())
    }

    /// Bytes on the heap.
    pub(crate) fn weight(&self) -> usize {
        let texts = self
            .0
            .iter()
            .flat_map(|nominated| &nominated.value)
            .map(|value| value.written.len() + value.meaning.as_ref().map_or(0, |meaning| meaning.len()));
        size_of_val(&*self.0) + texts.sum::<usize>()
    }

    /// Whether the response has a `Vary` at all.
    pub(crate) fn nominates(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether `request` would have been answered alike. Nothing is allocated if it is written alike.
    pub(crate) fn matches(&self, request: &HeaderMap) -> bool {
        self.0.iter().all(|Nominated { name, value }| match value {
            None => !request.contains_key(name),
            Some(value) => {
                value.is_written_in(request, name)
                    || normal(request, name)
                        .is_some_and(|presented| value.written.iter().copied().eq(presented))
                    || value.means_the_same(request, name)
            }
        })
    }
}

impl Value {
    fn of(request: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let written: Box<[u8]> = normal(request, name)?.collect();
        Some(Self { meaning: meaning(name, &written), written })
    }

    /// A line that is a normal form is that of itself.
    fn is_written_in(&self, request: &HeaderMap, name: &HeaderName) -> bool {
        let mut lines = request.get_all(name).iter();
        lines.next().is_some_and(|line| *line.as_bytes().trim_ascii() == *self.written)
            && lines.next().is_none()
    }

    fn means_the_same(&self, request: &HeaderMap, name: &HeaderName) -> bool {
        self.meaning.is_some() && Self::of(request, name).is_some_and(|presented| *self == presented)
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written || self.meaning.is_some() && self.meaning == other.meaning
    }
}

impl Eq for Value {}

/// Names only: a value may be a secret.
impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|nominated| &nominated.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use bartizan_test::alloc;

    use super::super::tests::headers;
    use super::*;

    fn vary(lines: &[&str]) -> Vary {
        Vary::read(&headers(&lines.iter().map(|line| ("vary", *line)).collect::<Vec<_>>()))
    }

    fn names(lines: &[&str]) -> Option<Vec<String>> {
        Some(vary(lines).names()?.iter().map(|name| name.as_str().to_owned()).collect())
    }

    /// Whether both requests match, asked in every way there is.
    fn matches(vary: &Vary, one: &[(&str, &str)], other: &[(&str, &str)]) -> bool {
        let (one, other) = (headers(one), headers(other));
        let kept = |one, other| vary.key(one).is_some_and(|key| key.matches(other));
        let matches = kept(&one, &other);
        assert_eq!(kept(&other, &one), matches, "the other way round");
        assert_eq!(vary.key(&one).is_some() && vary.key(&one) == vary.key(&other), matches, "both kept");
        matches
    }

    #[test]
    fn names_are_gathered_from_all_lines() {
        let expected = ["accept-encoding", "accept-language", "x"];
        assert_eq!(names(&["Accept-Language,, X", "", "accept-encoding , x"]).expect("a list"), expected);
        assert_eq!(names(&[]), Some(vec![]));
        assert_eq!(names(&[""]), Some(vec![]));
    }

    #[test]
    fn a_star_anywhere_never_matches() {
        for lines in [&["*"][..], &["a, *"], &["*, a"], &["a", " * "], &["*", "a"], &["a b"], &["a, \"b\""]] {
            assert_eq!(names(lines), None, "{lines:?}");
            assert!(!matches(&vary(lines), &[], &[]), "{lines:?}");
        }
    }

    #[test]
    fn more_names_than_are_kept_are_a_star() {
        let list = |names: usize| (0..names).map(|name| format!("x-{name}")).collect::<Vec<_>>();
        let line = |names: &[String]| names.join(",");
        let (half, other) = (&list(65)[..40], &list(65)[40..]);
        assert_eq!(names(&[&line(half), &line(other)]), None);
        assert_eq!(names(&[&line(half), &line(&other[1..])]).map(|names| names.len()), Some(64));
    }

    #[test]
    fn only_nominated_fields_have_to_match() {
        let vary = vary(&["Foo, Bar"]);
        assert!(matches(&vary, &[("foo", "1"), ("x", "1")], &[("foo", "1"), ("x", "2")]));
        assert!(!matches(&vary, &[("foo", "1"), ("bar", "1")], &[("foo", "1"), ("bar", "2")]));
        assert!(!matches(&vary, &[("foo", "1")], &[("bar", "1")]));
        assert!(matches(&Vary(Names::none()), &[("foo", "1")], &[("foo", "2")]));
    }

    #[test]
    fn absent_matches_absent_and_nothing_else() {
        let vary = vary(&["foo"]);
        assert!(matches(&vary, &[], &[("bar", "1")]));
        assert!(!matches(&vary, &[], &[("foo", "1")]));
        assert!(!matches(&vary, &[], &[("foo", "")]));
        assert!(matches(&vary, &[("foo", " ")], &[("foo", "")]));
    }

    #[test]
    fn space_and_lines_make_no_difference_and_all_else_does() {
        let vary = vary(&["foo"]);
        let one = [("foo", "1, 2")];
        for same in [&[("foo", "1"), ("foo", "2")][..], &[("foo", "1,2")], &[("foo", " 1 ,\t2 ")]] {
            assert!(matches(&vary, &one, same), "{same:?}");
        }
        for other in
            [&[("foo", "2"), ("foo", "1")][..], &[("foo", "1 2")], &[("foo", "1")], &[("foo", "1, 2, 3")]]
        {
            assert!(!matches(&vary, &one, other), "{other:?}");
        }
        assert!(!matches(&vary, &[("foo", "a")], &[("foo", "A")]));
    }

    #[test]
    fn preferences_match_by_what_they_mean_and_malformed_ones_as_they_are_written() {
        let vary = vary(&["accept-language, foo"]);
        let one = [("accept-language", "en, de;q=0.5")];
        for same in [&[("accept-language", "DE;q=0.500"), ("accept-language", "En;q=1")][..], &one] {
            assert!(matches(&vary, &one, same), "{same:?}");
        }
        for other in ["en", "en, de", "en, de;q=0.6", "", "en, de;q=0.5, fr"] {
            assert!(!matches(&vary, &one, &[("accept-language", other)]), "{other}");
        }
        let malformed = [("accept-language", "en, de_AT")];
        assert!(matches(&vary, &malformed, &[("accept-language", "en ,de_AT")]));
        assert!(!matches(&vary, &malformed, &[("accept-language", "de_AT, en")]));
        assert!(!matches(&vary, &[("accept-language", ",")], &[]), "absent matches absent only");
        assert!(matches(&vary, &[("accept-language", ",")], &[("accept-language", "")]));
        assert!(!matches(&vary, &[("foo", "en, de")], &[("foo", "de, en")]), "nobody knows what it means");
    }

    #[test]
    fn comparing_allocates_nothing() {
        let vary = vary(&["Accept-Encoding, Foo, Bar"]);
        let stored = headers(&[("accept-encoding", "gzip, br"), ("foo", "a"), ("foo", "b")]);
        let presented = headers(&[("accept-encoding", "gzip ,br"), ("foo", "a,b")]);
        let key = vary.key(&stored).expect("no star");
        let (same, counts) = alloc::count(|| key.matches(&presented));
        assert!(same);
        assert_eq!(counts.allocations, 0);
    }

    #[test]
    fn debug_shows_no_value() {
        let request = headers(&[("authorization", "Basic c2VjcmV0")]);
        let key = vary(&["Authorization, Foo"]).key(&request).expect("no star");
        assert_eq!(format!("{key:?}"), "{\"authorization\", \"foo\"}");
    }
}
