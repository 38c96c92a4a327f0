use std::fmt;

/// What stands before the names of one operation of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix(pub(super) usize);

impl Prefix {
    /// Before the name of a fragment that is spread at the root.
    pub(super) fn at_root(self) -> String {
        format!("query{}root_", self.0)
    }

    /// Whose name that is, and what it was.
    pub(super) fn split(name: &str) -> Option<(usize, &str)> {
        let (number, own) = name.strip_prefix("query")?.split_once('_')?;
        let index = number.parse().ok()?;
        // Only one way to write a number is ours: no sign, no zero before it.
        (Self(index).to_string().len() == "query_".len() + number.len()).then_some((index, own))
    }

    /// Whether a text has a name in it that only the merged document has.
    pub(super) fn is_in(self, text: &str) -> bool {
        text.contains(&self.to_string()) || text.contains(&self.at_root())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query{}_", self.0)
    }
}
