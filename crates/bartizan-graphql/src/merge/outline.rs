use std::collections::{HashMap, HashSet};

use apollo_parser::cst::{
    CstNode, Definition, Document, FragmentDefinition, FragmentSpread, OperationDefinition,
};

/// The definitions of a document: the operation that is asked for, and all fragments.
pub(super) struct Outline {
    pub(super) operation: OperationDefinition,
    pub(super) fragments: HashMap<String, FragmentDefinition>,
}

impl Outline {
    /// `None` if no server takes the document, or which operation is meant is not clear.
    pub(super) fn of(document: &Document, asked_for: Option<&str>) -> Option<Self> {
        let mut fragments = HashMap::new();
        let mut operations = Vec::new();
        let mut names = HashSet::new();
        for definition in document.definitions() {
            match definition {
                Definition::OperationDefinition(operation) => {
                    let name = operation.name().map(|name| name.text().to_string());
                    // Two of a name, or two without one.
                    if !names.insert(name.clone()) {
                        return None;
                    }
                    operations.push((name, operation));
                }
                Definition::FragmentDefinition(fragment) => {
                    let name = fragment.fragment_name()?.name()?.text().to_string();
                    if fragments.insert(name, fragment).is_some() {
                        return None;
                    }
                }
                _ => return None,
            }
        }
        let place = match asked_for {
            // One without a name is the only one.
            Some(_) if names.contains(&None) => return None,
            Some(_) => operations.iter().position(|(name, _)| name.as_deref() == asked_for)?,
            None if operations.len() != 1 => return None,
            None => 0,
        };
        if !all_spread(&operations, &fragments) {
            return None;
        }
        let (_, operation) = operations.swap_remove(place);
        Some(Self { operation, fragments })
    }
}

/// Whether each fragment is spread by an operation, or by a fragment that is.
fn all_spread(
    operations: &[(Option<String>, OperationDefinition)],
    fragments: &HashMap<String, FragmentDefinition>,
) -> bool {
    let mut left = fragments.clone();
    let mut waiting: Vec<_> = operations.iter().map(|(_, operation)| operation.syntax().clone()).collect();
    while let Some(definition) = waiting.pop() {
        for spread in definition.descendants().filter_map(FragmentSpread::cast) {
            let name = spread.fragment_name().and_then(|name| name.name());
            let fragment = name.and_then(|name| left.remove(name.text().as_str()));
            waiting.extend(fragment.map(|fragment| fragment.syntax().clone()));
        }
    }
    left.is_empty()
}
