use std::ops::Range;

use super::prefix::Prefix;

/// A stretch of a document, and the places in it where something is put in. Nothing of it is taken away.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) span: Range<usize>,
    pub(super) insertions: Vec<(usize, Insertion)>,
}

#[derive(Clone, Debug)]
pub(super) enum Insertion {
    /// The prefix, before a name.
    Own,
    /// The prefix of fragments that are spread at the root, before a name.
    AtRoot,
    /// An alias, before a field without one, whose name stands there.
    Alias(Range<usize>),
}

impl Part {
    pub(super) fn new(span: Range<usize>, mut insertions: Vec<(usize, Insertion)>) -> Self {
        insertions.sort_by_key(|(offset, _)| *offset);
        Self { span, insertions }
    }

    pub(super) fn write(&self, document: &str, prefix: Prefix, out: &mut String) {
        let (own, at_root) = (prefix.to_string(), prefix.at_root());
        let mut written = self.span.start;
        for (offset, insertion) in &self.insertions {
            out.push_str(&document[written..*offset]);
            written = *offset;
            match insertion {
                Insertion::Own => out.push_str(&own),
                Insertion::AtRoot => out.push_str(&at_root),
                Insertion::Alias(name) => {
                    out.push_str(&own);
                    out.push_str(&document[name.clone()]);
                    out.push_str(": ");
                }
            }
        }
        out.push_str(&document[written..self.span.end]);
        // A comment may stand at the end.
        out.push('\n');
    }
}
