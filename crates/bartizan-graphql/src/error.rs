use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use bartizan_core::BoxError;
use http::StatusCode;
use serde::Deserialize;

use crate::{GraphqlError, InvalidAnswer, InvalidVariables, RawJson, Reply};

/// Why there is no data of the type that was asked for.
///
/// Clones share it: those who shared a request share its error.
#[derive(Clone, Debug)]
pub struct Error(Arc<Kind>);

#[derive(Debug)]
pub(crate) enum Kind {
    /// The answer has errors.
    Errors(Box<Reply>),
    /// The data is something else than what was asked for.
    Data(serde_json::Error, Box<Reply>),
    /// JSON of whoever has answered may have errors; they are believed in nothing but that a hash is not known.
    NotGraphql {
        status: StatusCode,
        media_type: String,
        excerpt: String,
        untrusted: Vec<GraphqlError>,
    },
    Invalid(StatusCode, InvalidAnswer),
    TooLarge(StatusCode, usize),
    Body(StatusCode, BoxError),
    Transport(BoxError),
    /// A mutation of a batch, of which nobody can tell what became.
    Lost(Vec<GraphqlError>),
    Variables(InvalidVariables),
}

impl Error {
    /// The errors of the answer; empty if there was no answer of GraphQL.
    pub fn errors(&self) -> &[GraphqlError] {
        match &*self.0 {
            Kind::Lost(errors) => errors,
            _ => self.reply().map_or(&[], Reply::errors),
        }
    }

    /// What the server had to say, if it was a GraphQL response.
    pub fn reply(&self) -> Option<&Reply> {
        match &*self.0 {
            Kind::Errors(reply) | Kind::Data(_, reply) => Some(reply),
            _ => None,
        }
    }

    /// The data that there is beside the errors.
    pub fn partial_data(&self) -> Option<&RawJson> {
        self.reply().and_then(Reply::data)
    }

    /// That data as your type, if it fits.
    pub fn partial<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        self.partial_data()?.read().ok()
    }

    /// The code of the first error that has one: `THROTTLED`.
    pub fn code(&self) -> Option<&str> {
        self.errors().iter().find_map(GraphqlError::code)
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<StatusCode> {
        match &*self.0 {
            Kind::Errors(reply) | Kind::Data(_, reply) => Some(reply.status()),
            Kind::NotGraphql { status, .. }
            | Kind::Invalid(status, _)
            | Kind::TooLarge(status, _)
            | Kind::Body(status, _) => Some(*status),
            Kind::Transport(_) | Kind::Variables(_) | Kind::Lost(_) => None,
        }
    }

    /// Whether it was a mutation of a batch, of which nobody can tell what became: another one took the data of all. It may have been carried out.
    pub fn is_lost(&self) -> bool {
        matches!(&*self.0, Kind::Lost(_))
    }

    pub(crate) fn untrusted_errors(&self) -> &[GraphqlError] {
        match &*self.0 {
            Kind::NotGraphql { untrusted, .. } => untrusted,
            _ => &[],
        }
    }

    /// Whether something answered that is no GraphQL server, or no GraphQL response: a proxy, a page, a redirect.
    pub fn is_not_graphql(&self) -> bool {
        matches!(&*self.0, Kind::NotGraphql { .. } | Kind::Invalid(..))
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(Arc::new(kind))
    }
}

impl From<InvalidVariables> for Error {
    fn from(error: InvalidVariables) -> Self {
        Kind::Variables(error).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Errors(reply) => {
                match reply.errors() {
                    [] => f.write_str("the answer has no data")?,
                    [error] => write!(f, "the answer has an error: {error}")?,
                    [first, ..] => {
                        write!(f, "the answer has {} errors, the first: {first}", reply.errors().len())?;
                    }
                }
                if reply.data().is_some() { f.write_str("; it has data beside") } else { Ok(()) }
            }
            Kind::Data(..) => f.write_str("the data is something else than what was asked for"),
            Kind::NotGraphql { status, media_type, excerpt, .. } => {
                write!(f, "the answer is no GraphQL response: {status}, {media_type}")?;
                if excerpt.is_empty() { Ok(()) } else { write!(f, ": {excerpt}") }
            }
            Kind::Invalid(status, _) => {
                write!(f, "the answer is no GraphQL response, though {status} says so")
            }
            Kind::TooLarge(_, limit) => write!(f, "the answer has more than {limit} bytes"),
            Kind::Body(..) => f.write_str("the answer broke off"),
            Kind::Transport(_) => f.write_str("there is no answer"),
            Kind::Lost(_) => f.write_str("nobody can tell what became of this mutation of a batch; it may have been carried out"),
            Kind::Variables(error) => error.fmt(f),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &*self.0 {
            Kind::Errors(reply) => reply.errors().first().map(|error| error as _),
            Kind::Data(error, _) => Some(error),
            Kind::Invalid(_, error) => Some(error),
            Kind::Body(_, error) | Kind::Transport(error) => Some(&**error),
            Kind::Variables(error) => error.source(),
            Kind::Lost(errors) => errors.first().map(|error| error as _),
            Kind::NotGraphql { .. } | Kind::TooLarge(..) => None,
        }
    }
}
