use std::fmt;

use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::error::{Error, Kind};
use crate::{Answer, GraphqlError, RawJson};

/// A GraphQL response and what HTTP says of it.
#[derive(Clone)]
pub struct Reply {
    pub(crate) answer: Answer,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

impl Reply {
    /// The data, unread; `None` if there is none, or `null`.
    pub fn data(&self) -> Option<&RawJson> {
        self.answer.data()
    }

    /// The errors. There may be data beside them.
    pub fn errors(&self) -> &[GraphqlError] {
        self.answer.errors()
    }

    /// What else the server says: costs, traces.
    pub fn extensions(&self) -> Option<&RawJson> {
        self.answer.extensions()
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The header fields.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The data as your type.
    ///
    /// # Errors
    /// If there is an error in the answer, whatever data is beside it; if the data is something else.
    pub fn into_data<T: DeserializeOwned>(self) -> Result<T, Error> {
        match self.data() {
            Some(data) if self.errors().is_empty() => match data.read() {
                Ok(data) => Ok(data),
                Err(error) => Err(Kind::Data(error, Box::new(self)).into()),
            },
            _ => Err(Kind::Errors(Box::new(self)).into()),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("data", &self.data())
            .field("errors", &self.errors())
            .finish_non_exhaustive()
    }
}
