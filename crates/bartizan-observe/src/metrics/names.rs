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
        let is_full = known.len() >= self.most;
        drop(known);
        if is_full {
            return Self::OTHER;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have been faster.
        if known.len() >= self.most && !known.contains(name) {
            return Self::OTHER;
        }
        let label = SharedString::from_shared(name.into());
        known.insert(label.clone());
        label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_names_are_labels_and_the_others_are_one() {
        let names = Names::new(2);
        let label = |name| names.label(name).to_string();
        assert_eq!(["a", "b", "c", "a", "d", "b"].map(label), ["a", "b", "other", "a", "other", "b"]);
    }
}
