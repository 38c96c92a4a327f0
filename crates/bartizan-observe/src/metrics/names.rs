use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use metrics::SharedString;

/// Names that become labels: the first so many, and for the others one.
#[derive(Debug)]
pub(crate) struct Names {
    known: RwLock<HashSet<SharedString>>,
    most: usize,
}

impl Names {
    pub(crate) const MOST: usize = 100;
    pub(crate) const OTHER: SharedString = SharedString::const_str("other");

    /// Where there is no name.
    pub(crate) const NONE: SharedString = SharedString::const_str("none");

    pub(crate) fn new(most: usize) -> Self {
        Self { known: RwLock::default(), most }
    }

    pub(crate) fn label(&self, name: &str) -> SharedString {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(label) = known.get(name) {
            return label.clone();
        }
        // Most often it is full for good, and then nobody has to wait for the others.
        if known.len() >= self.most {
            return Self::OTHER;
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        admit(&mut known, self.most, name)
    }
}

/// The label of a name that was not known a moment ago. Somebody may have been faster, with this name or another.
fn admit(known: &mut HashSet<SharedString>, most: usize, name: &str) -> SharedString {
    if known.len() >= most {
        return known.get(name).cloned().unwrap_or(Names::OTHER);
    }
    let label = SharedString::from_shared(name.into());
    known.insert(label.clone());
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_overtaken_keeps_to_the_bound() {
        let mut known = HashSet::from([SharedString::const_str("a")]);
        assert_eq!(admit(&mut known, 1, "a").to_string(), "a");
        assert_eq!(admit(&mut known, 1, "b"), Names::OTHER);
        assert_eq!(known.len(), 1);
    }

    #[test]
    fn the_first_names_are_labels_and_the_others_are_one() {
        let names = Names::new(2);
        let label = |name| names.label(name).to_string();
        assert_eq!(["a", "b", "c", "a", "d", "b"].map(label), ["a", "b", "other", "a", "other", "b"]);
    }
}
