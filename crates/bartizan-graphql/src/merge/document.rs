use apollo_parser::Parser;
use apollo_parser::cst::{CstNode, OperationDefinition};

use super::Settings;
use super::defined::Defined;
use super::outline::Outline;
use super::part::Part;
use super::prefix::Prefix;
use super::reach::Reach;
use crate::Operation;
use crate::operation::Variables;

/// Selections, lists, objects and types inside each other. Servers that bound it at all allow less (async-graphql 32).
const DEPTH: usize = 100;

/// Names, signs and values of a document. It bounds the parser's work and memory where `Settings::bytes` is set high.
const TOKENS: usize = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Mutation,
}

/// An operation in the words that it has in a merged document.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) index: usize,
    pub(super) kind: Kind,
    /// Of variables.
    pub(super) definitions: String,
    /// At the root.
    pub(super) selections: String,
    pub(super) fragments: String,
    pub(super) variables: Variables,
}

impl Member {
    /// `None` if it has to go alone: what is not surely understood is not taken apart.
    pub(super) fn of(index: usize, operation: &Operation, settings: Settings) -> Option<Self> {
        let text: &str = &operation.document;
        // What belongs to a request cannot be shared, and what fills one need not be read.
        if !operation.extensions.is_empty() || text.len() > settings.bytes {
            return None;
        }
        let tree = Parser::new(text).recursion_limit(DEPTH).token_limit(TOKENS).parse();
        let document = tree.document();
        if tree.errors().len() > 0 {
            return None;
        }
        debug_assert_eq!(document.syntax().text(), *text, "what parses is in the tree byte by byte");
        let outline = Outline::of(&document, operation.name.as_deref())?;
        let kind = kind(&outline.operation, settings)?;
        let defined = Defined::of(&outline.operation)?;
        let reach = Reach::of(&outline.operation, &outline.fragments)?;
        // No server takes a document with a use without a definition, or a definition without a use.
        if reach.variables != defined.names {
            return None;
        }
        let prefix = Prefix(index);
        let written = |parts: &[Part]| {
            let mut out = String::new();
            for part in parts {
                part.write(text, prefix, &mut out);
            }
            out
        };
        Some(Self {
            index,
            kind,
            definitions: written(&defined.parts),
            selections: written(&[reach.selections]),
            fragments: written(&reach.fragments),
            variables: operation
                .variables
                .iter()
                .map(|(name, value)| (format!("{prefix}{name}"), value.clone()))
                .collect(),
        })
    }

    pub(super) fn bytes(&self) -> usize {
        let values: usize = self.variables.iter().map(|(name, value)| name.len() + value.get().len()).sum();
        self.definitions.len() + self.selections.len() + self.fragments.len() + values
    }
}

fn kind(operation: &OperationDefinition, settings: Settings) -> Option<Kind> {
    // What a directive on an operation says is said of the whole request.
    if operation.directives().is_some() {
        return None;
    }
    match operation.operation_type() {
        None => Some(Kind::Query),
        Some(written) if written.query_token().is_some() => Some(Kind::Query),
        Some(written) => (written.mutation_token().is_some() && settings.mutations).then_some(Kind::Mutation),
    }
}
