use http::HeaderName;

use super::members::Argument;

/// Names of fields: some, or all of them. Where a list cannot be understood it is all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// All fields: the directive has no argument, or the list is `*`, malformed, or longer than [`Names::MOST`].
    All,
    /// In lower case, sorted, each once.
    Listed(Vec<HeaderName>),
}

impl Names {
    /// So many names are kept of a list.
    pub(crate) const MOST: usize = 64;

    pub(crate) const fn none() -> Self {
        Self::Listed(Vec::new())
    }

    /// Those that a directive names. Without a name it holds for all.
    pub(super) fn of(argument: Argument<'_>) -> Self {
        argument.text().map_or(Self::All, |text| Self::of_list(&text.collect::<Vec<u8>>()))
    }

    /// Those of the list that is a directive's argument.
    pub(crate) fn of_list(list: &[u8]) -> Self {
        let mut names = Self::none();
        names.add_list(list);
        if names == Self::none() { Self::All } else { names }
    }

    /// Adds the names of a list (RFC 9110 section 5.6.1), empty members passed over.
    pub(super) fn add_list(&mut self, list: &[u8]) {
        for member in list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            match HeaderName::from_bytes(member) {
                _ if member.is_empty() => {}
                Ok(name) if member != b"*" => self.add(name),
                _ => *self = Self::All,
            }
        }
    }

    pub(super) fn add_all(&mut self, more: Self) {
        match more {
            Self::All => *self = Self::All,
            Self::Listed(names) => names.into_iter().for_each(|name| self.add(name)),
        }
    }

    fn add(&mut self, name: HeaderName) {
        let Self::Listed(names) = self else { return };
        let Err(place) = place(names, &name) else { return };
        if names.len() == Self::MOST {
            *self = Self::All;
        } else {
            names.insert(place, name);
        }
    }
}

fn place(names: &[HeaderName], name: &HeaderName) -> Result<usize, usize> {
    names.binary_search_by(|other| other.as_str().cmp(name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(list: &str) -> Option<Vec<String>> {
        match Names::of_list(list.as_bytes()) {
            Names::All => None,
            Names::Listed(names) => Some(names.iter().map(|name| name.as_str().to_owned()).collect()),
        }
    }

    #[test]
    fn names_are_lowered_sorted_and_kept_once() {
        let names = listed(" Set-Cookie,\tx-B ,, X-A,set-cookie ").expect("a list");
        assert_eq!(names, ["set-cookie", "x-a", "x-b"]);
    }

    #[test]
    fn a_list_that_is_not_understood_is_all() {
        for list in ["", " , ", "*", "a, *", "a b", "a, \"b\"", "a, \u{e4}", "a;b"] {
            assert_eq!(listed(list), None, "{list:?}");
        }
    }

    #[test]
    fn as_many_as_fit_are_kept_and_one_more_is_all() {
        let list = |names: usize| (0..names).map(|name| format!("x-{name}")).collect::<Vec<_>>().join(",");
        assert_eq!(listed(&list(64)).map(|names| names.len()), Some(64));
        assert_eq!(listed(&format!("{},X-0", list(64))).map(|names| names.len()), Some(64));
        assert_eq!(listed(&list(65)), None);
        assert_eq!(listed(&format!("{},a", list(65))), None);
    }
}
