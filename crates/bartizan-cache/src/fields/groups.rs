/// The groups that a response belongs to, or that it invalidates (RFC 9875). They are told apart within one origin only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Groups(Vec<Box<str>>);

impl Groups {
    /// So many are kept of a field: the first ones.
    pub(crate) const MOST: usize = 32;

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|group| &**group)
    }
}

impl<'a> Extend<&'a str> for Groups {
    fn extend<I: IntoIterator<Item = &'a str>>(&mut self, groups: I) {
        for group in groups {
            if let Err(place) = self.0.binary_search_by(|other| (**other).cmp(group))
                && self.0.len() < Self::MOST
            {
                self.0.insert(place, group.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(list: &[&str]) -> Groups {
        let mut groups = Groups::default();
        groups.extend(list.iter().copied());
        groups
    }

    #[test]
    fn the_first_thirty_two_are_kept_and_each_once() {
        let names = (0..40).map(|group| format!("{group:032}")).collect::<Vec<_>>();
        let names = names.iter().rev().map(|name| &**name).collect::<Vec<_>>();
        assert_eq!(groups(&names), groups(&names[..32]));
        assert_ne!(groups(&names), groups(&names[..31]));
        assert_eq!(groups(&["b", "a", "b"]), groups(&["a", "b"]));
    }
}
