//! What documents say of themselves, read once for each.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use apollo_parser::Parser;
use apollo_parser::cst::{Definition, OperationDefinition};
use sha2::{Digest, Sha256};

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationType {
    /// It reads, and may be sent again.
    Query,
    /// It changes something.
    Mutation,
    /// It waits for events; over one HTTP request there are none.
    Subscription,
}

/// A document that was read.
#[derive(Debug)]
pub(crate) struct Document {
    /// Each by its name. Empty if the document cannot be read.
    operations: Vec<(Option<String>, OperationType)>,
    hash: OnceLock<String>,
}

impl Document {
    pub(crate) fn read(text: &str) -> Self {
        let tree = Parser::new(text).parse();
        let mut operations = Vec::new();
        if tree.errors().len() == 0 {
            for definition in tree.document().definitions() {
                if let Definition::OperationDefinition(operation) = definition {
                    operations.push((operation.name().map(|name| name.text().to_string()), kind(&operation)));
                }
            }
        }
        Self { operations, hash: OnceLock::new() }
    }

    /// What the operation of that name does, or the only one. `None` where the server has to say what is wrong.
    pub(crate) fn operation_type(&self, name: Option<&str>) -> Option<OperationType> {
        match (name, &self.operations[..]) {
            (None, [(_, kind)]) => Some(*kind),
            (Some(name), all) => {
                let mut of_name = all.iter().filter(|(found, _)| found.as_deref() == Some(name));
                let (_, kind) = of_name.next()?;
                of_name.next().is_none().then_some(*kind)
            }
            _ => None,
        }
    }

    /// The SHA-256 digest of the text, in hexadecimal.
    pub(crate) fn hash(&self, text: &str) -> &str {
        self.hash.get_or_init(|| {
            Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("a String takes all");
                hex
            })
        })
    }
}

fn kind(operation: &OperationDefinition) -> OperationType {
    match operation.operation_type() {
        Some(kind) if kind.mutation_token().is_some() => OperationType::Mutation,
        Some(kind) if kind.subscription_token().is_some() => OperationType::Subscription,
        _ => OperationType::Query,
    }
}

/// Documents that were read. Programs have some dozens; those beyond the bound, which are made by the program as it goes, are read each time.
#[derive(Debug, Default)]
pub(crate) struct Documents(RwLock<HashMap<Arc<str>, Arc<Document>>>);

const MOST: usize = 1000;

impl Documents {
    pub(crate) fn get(&self, text: &Arc<str>) -> Arc<Document> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = known.get(text) {
            return document.clone();
        }
        let is_full = known.len() >= MOST;
        drop(known);
        let document = Arc::new(Document::read(text));
        if !is_full {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(text.clone(), document.clone());
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(text: &str, name: Option<&str>) -> Option<OperationType> {
        Document::read(text).operation_type(name)
    }

    #[test]
    fn an_operation_is_what_the_document_says() {
        use OperationType::{Mutation, Query, Subscription};
        for (text, expected) in [
            ("{ a }", Some(Query)),
            ("query A { a }", Some(Query)),
            ("# mutation\nquery A($a: String = \"mutation { b }\") { a }", Some(Query)),
            ("mutation { a }", Some(Mutation)),
            ("fragment F on T { a } mutation M { ...F }", Some(Mutation)),
            ("subscription { a }", Some(Subscription)),
            ("query A { a } mutation B { b }", None),
            ("fragment F on T { a }", None),
            ("mutation {", None),
            ("", None),
        ] {
            assert_eq!(kind_of(text, None), expected, "{text}");
        }
    }

    #[test]
    fn of_several_the_named_one_counts() {
        let text = "query A { a } mutation B { b } query C { c } query C { c }";
        assert_eq!(kind_of(text, Some("A")), Some(OperationType::Query));
        assert_eq!(kind_of(text, Some("B")), Some(OperationType::Mutation));
        assert_eq!(kind_of(text, Some("C")), None, "nobody knows which");
        assert_eq!(kind_of(text, Some("D")), None);
        assert_eq!(kind_of("{ a }", Some("A")), None);
    }

    #[test]
    fn the_hash_is_that_of_the_text() {
        // printf '{__typename}' | sha256sum
        let expected = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";
        assert_eq!(Document::read("{__typename}").hash("{__typename}"), expected);
    }

    #[test]
    fn a_document_is_read_once_and_so_many_are_kept() {
        let documents = Documents::default();
        let text: Arc<str> = "{ a }".into();
        assert!(Arc::ptr_eq(&documents.get(&text), &documents.get(&"{ a }".into())));
        for n in 0..MOST + 10 {
            documents.get(&format!("{{ a{n} }}").into());
        }
        assert_eq!(documents.0.read().unwrap().len(), MOST);
    }
}
