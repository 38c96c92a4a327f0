use std::error::Error;
use std::fmt;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{GraphqlError, RawJson};

/// A GraphQL response: what a server has to say, in the words of the specification.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// `None` where the member is not there; that is not the same as `null`.
    pub(crate) data: Option<RawJson>,
    pub(crate) errors: Vec<GraphqlError>,
    pub(crate) extensions: Option<RawJson>,
}

#[derive(Deserialize)]
pub(crate) struct Members<'a> {
    // `null` is a value of its own here.
    #[serde(borrow, default, deserialize_with = "present")]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(default)]
    pub(crate) errors: Option<Vec<GraphqlError>>,
    #[serde(borrow, default)]
    pub(crate) extensions: Option<&'a RawValue>,
}

impl<'a> Members<'a> {
    /// # Errors
    /// If it is no JSON, or no object of this kind.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        // Of a list the derived impl would take the items for the members.
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(serde_json::Error::custom("a list, not an object"));
        }
        serde_json::from_slice(body)
    }
}

fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Answer {
    /// Reads a response. `data` stays as it was written.
    ///
    /// # Errors
    /// If it is no JSON object, has neither data nor errors, or `data` is `null` without an error.
    pub fn read(body: &Bytes) -> Result<Self, InvalidAnswer> {
        let members: Members<'_> = Members::read(body).map_err(InvalidAnswer::json)?;
        let part = |raw: &RawValue| RawJson::of(body, raw);
        let answer = Self {
            data: members.data.map(part),
            errors: members.errors.unwrap_or_default(),
            extensions: members.extensions.map(part),
        };
        if answer.errors.is_empty() && answer.data.as_ref().is_none_or(RawJson::is_null) {
            return Err(InvalidAnswer(None));
        }
        Ok(answer)
    }

    /// The data; `None` if there is none, or `null`.
    pub fn data(&self) -> Option<&RawJson> {
        self.data.as_ref().filter(|data| !data.is_null())
    }

    /// The errors.
    pub fn errors(&self) -> &[GraphqlError] {
        &self.errors
    }

    /// What else the server says.
    pub fn extensions(&self) -> Option<&RawJson> {
        self.extensions.as_ref()
    }
}

/// Something that is no GraphQL response.
#[derive(Debug)]
pub struct InvalidAnswer(Option<serde_json::Error>);

impl InvalidAnswer {
    fn json(error: serde_json::Error) -> Self {
        Self(Some(error))
    }
}

impl fmt::Display for InvalidAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "the answer is no GraphQL response",
            None => "the answer has neither data nor an error",
        })
    }
}

impl Error for InvalidAnswer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_ref().map(|error| error as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_no_answer() {
        for list in [r#"[{"a": 1}]"#, r#" [{"data": {"a": 1}}]"#, r#"[null, [{"message": "m"}], {}]"#, "[]"] {
            assert!(Answer::read(&Bytes::from(list)).is_err(), "{list}");
        }
    }
}
