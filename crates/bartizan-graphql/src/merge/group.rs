use http::HeaderMap;

use super::Settings;
use super::document::{Kind, Member};
use crate::Operation;
use crate::operation::Variables;

/// Operations that go together.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// `None` where one goes alone that is not understood.
    pub(super) kind: Option<Kind>,
    pub(super) headers: HeaderMap,
    pub(super) members: Vec<usize>,
    definitions: String,
    selections: String,
    fragments: String,
    variables: Variables,
    bytes: usize,
}

/// What stands around the parts, at its longest.
const FRAME: usize = "mutation(\n) {\n}\n".len();

impl Group {
    pub(super) fn unknown(index: usize) -> Self {
        Self { members: vec![index], ..Self::default() }
    }

    pub(super) fn of(member: Member, operation: &Operation) -> Self {
        let (kind, headers) = (Some(member.kind), operation.headers.clone());
        let mut group = Self { kind, headers, bytes: FRAME, ..Self::default() };
        group.add(member);
        group
    }

    pub(super) fn has_room(&self, member: &Member, settings: Settings) -> bool {
        self.members.len() < settings.operations && self.bytes + member.bytes() <= settings.bytes
    }

    pub(super) fn add(&mut self, member: Member) {
        self.bytes += member.bytes();
        self.members.push(member.index);
        self.definitions.push_str(&member.definitions);
        self.selections.push_str(&member.selections);
        self.fragments.push_str(&member.fragments);
        self.variables.extend(member.variables);
    }

    pub(super) fn operation(self) -> Operation {
        let kind = match self.kind {
            Some(Kind::Mutation) => "mutation",
            _ => "query",
        };
        let definitions = match self.definitions.as_str() {
            "" => String::new(),
            definitions => format!("(\n{definitions})"),
        };
        let document = format!("{kind}{definitions} {{\n{}}}\n{}", self.selections, self.fragments);
        let mut operation = Operation::new(document);
        operation.variables = self.variables;
        operation.headers = self.headers;
        operation
    }
}
