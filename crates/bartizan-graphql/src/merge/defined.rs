use std::collections::HashSet;

use apollo_parser::cst::{CstNode, OperationDefinition};

use super::part::{Insertion, Part};
use super::reach::{start, start_of};

/// The variables that an operation defines.
#[derive(Debug, Default)]
pub(super) struct Defined {
    pub(super) parts: Vec<Part>,
    pub(super) names: HashSet<String>,
}

impl Defined {
    /// `None` if one is there twice.
    pub(super) fn of(operation: &OperationDefinition) -> Option<Self> {
        let mut defined = Self::default();
        let definitions = operation.variable_definitions();
        for definition in definitions.iter().flat_map(|definitions| definitions.variable_definitions()) {
            let variable = definition.variable()?;
            let name = variable.name()?;
            let span = start(&variable.dollar_token()?)..definition.syntax().text_range().end().into();
            defined.parts.push(Part::new(span, vec![(start_of(&name)?, Insertion::Own)]));
            if !defined.names.insert(name.text().to_string()) {
                return None;
            }
        }
        Some(defined)
    }
}
