//! Several operations in one request, and each one's own answer out of it.
//!
//! [`plan`] groups the operations that may share a request and leaves the others alone. Operation 3 becomes `query3`: its root fields have the
//! alias `query3_` and their response key, its variables and fragments names that begin so too. The rest of its document is copied as it is, byte
//! by byte, into one operation without a name. A fragment that is spread at the root is there once more as `query3root_`, with aliases.
//!
//! No name collides: every name that an operation brings is behind its own prefix, and of `query{n}_` and `query{n}root_` none is the beginning
//! of another, since a number is followed by a letter or `_`. Response keys below the root need no prefix.
//!
//! [`Sending::split`] tells the answer apart by these prefixes. What an operation gets is what it would have got alone, or [`Verdict::Again`]:
//!
//! | the answer to the merged request | verdict |
//! |---|---|
//! | `data`, each key and error path with a prefix | each its own part; errors keep their order, and lose `locations`, which are of another document |
//! | `data: null`, and one operation has errors | it keeps them, the others go again |
//! | `data: null`, and several have errors | all go again: which of them would have had data alone cannot be told |
//! | an error without a path, or a key or path without a prefix | all go again: whom it would have met alone cannot be told |
//! | an error that names a variable, fragment or alias of the merged document | that operation goes again |
//!
//! `extensions` of the answer go to each.
//!
//! Mutations that were carried out do not go again. What is surely theirs is told them, errors of nobody are told all of them, and the rest is
//! [`Verdict::Lost`]. That nothing was carried out is seen by an answer without the member `data` and without a path; a server that writes
//! `data: null` there has them lost.
//!
//! What is left out is not validated: other operations of a document, and the fragments of theirs.

mod defined;
mod document;
mod group;
mod outline;
mod part;
mod prefix;
mod reach;
mod settings;
mod share;
mod split;

#[cfg(test)]
mod tests;

pub use settings::Settings;

use http::HeaderMap;

use crate::{Answer, GraphqlError, Operation};
use document::{Kind, Member};
use group::Group;

/// The requests that these operations are sent with, in the order of their first operations. Each operation is in one of them.
///
/// Mutations keep their order as long as the requests are sent one after another.
pub fn plan(operations: &[Operation], settings: Settings) -> Vec<Sending> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        match Member::of(index, operation, settings) {
            None => groups.push(Group::unknown(index)),
            Some(member) => match room(&mut groups, &member, &operation.headers, settings) {
                Some(group) => group.add(member),
                None => groups.push(Group::of(member, operation)),
            },
        }
    }
    groups.into_iter().map(|group| Sending::of(group, operations)).collect()
}

fn room<'a>(
    groups: &'a mut [Group],
    member: &Member,
    headers: &HeaderMap,
    settings: Settings,
) -> Option<&'a mut Group> {
    let last = groups.iter_mut().rev().find(|group| match member.kind {
        Kind::Query => group.kind == Some(Kind::Query) && group.headers == *headers,
        // None is to overtake another, and what is not understood may be one.
        Kind::Mutation => group.kind != Some(Kind::Query),
    })?;
    let fits = last.kind == Some(member.kind) && last.headers == *headers && last.has_room(member, settings);
    fits.then_some(last)
}

/// One request of a batch.
#[derive(Debug)]
pub struct Sending {
    members: Vec<usize>,
    operation: Operation,
    merged: Option<Kind>,
}

impl Sending {
    fn of(group: Group, operations: &[Operation]) -> Self {
        match group.members[..] {
            [index] => Self { members: group.members, operation: operations[index].clone(), merged: None },
            _ => Self { members: group.members.clone(), merged: group.kind, operation: group.operation() },
        }
    }

    /// The places in the batch of the operations that it asks for, in ascending order.
    pub fn members(&self) -> &[usize] {
        &self.members
    }

    /// What is sent: the operation itself if it goes alone.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The document that is sent.
    pub fn document(&self) -> &str {
        &self.operation.document
    }

    /// Its variables, as JSON.
    pub fn variables(&self) -> String {
        serde_json::to_string(&self.operation.variables).expect("it was JSON before")
    }

    /// What the answer says to each of its operations, by their places in the batch.
    pub fn split(&self, answer: Answer) -> Vec<(usize, Verdict)> {
        match self.merged {
            None => vec![(self.members[0], Verdict::Own(answer))],
            Some(Kind::Query) => split::query(&self.members, &answer),
            Some(Kind::Mutation) => split::mutation(&self.members, &answer),
        }
    }
}

/// What a merged answer says to one of its operations.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// What it would have been told alone, without `locations`.
    Own(Answer),
    /// Nothing that is sure to be true of it alone: it is to be sent again, alone.
    Again,
    /// Nothing, and it may have been carried out, so it cannot be sent again. Mutations alone have this, when the answer is `data: null` and not surely
    /// its own, or cannot be told apart. The errors are those that may be its own.
    Lost(Vec<GraphqlError>),
}
