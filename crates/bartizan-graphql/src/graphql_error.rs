use std::error::Error;
use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// One of the errors of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphqlError {
    message: String,
    path: Vec<PathSegment>,
    locations: Vec<Location>,
    extensions: Map<String, Value>,
}

/// A step of the way to the field that an error belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathSegment {
    /// The response key of a field.
    Key(String),
    /// The place in a list.
    Index(u64),
}

/// A place in the document, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Location {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl GraphqlError {
    /// With that message and nothing else.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), path: Vec::new(), locations: Vec::new(), extensions: Map::new() }
    }

    /// What the server says.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Which field it belongs to; empty if it belongs to the whole request.
    pub fn path(&self) -> &[PathSegment] {
        &self.path
    }

    /// Where in the document.
    pub fn locations(&self) -> &[Location] {
        &self.locations
    }

    /// What else the server says.
    pub fn extensions(&self) -> &Map<String, Value> {
        &self.extensions
    }

    /// The `code` of the extensions, as most servers have it: `THROTTLED`, `UNAUTHENTICATED`; or the error's own `type`, as GitHub has it.
    pub fn code(&self) -> Option<&str> {
        self.extensions.get("code").and_then(Value::as_str)
    }

    /// Belongs to that field. To none by default.
    #[must_use]
    pub fn with_path(mut self, path: Vec<PathSegment>) -> Self {
        self.path = path;
        self
    }

    /// Stands there. Nowhere by default.
    #[must_use]
    pub fn with_locations(mut self, locations: Vec<Location>) -> Self {
        self.locations = locations;
        self
    }

    /// With those extensions. None by default.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Map<String, Value>) -> Self {
        self.extensions = extensions;
        self
    }
}

/// What is there and has another type than it should is left out: an error must not be lost by what is wrong with it.
impl<'de> Deserialize<'de> for GraphqlError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Value::Object(mut members) = Value::deserialize(deserializer)? else {
            return Ok(Self::new("an error that is no object"));
        };
        let message = match members.remove("message") {
            Some(Value::String(message)) => message,
            _ => "an error without a message".to_owned(),
        };
        let list = |value: Option<Value>| match value {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        let path = list(members.remove("path")).into_iter().filter_map(segment).collect();
        let locations = list(members.remove("locations")).iter().filter_map(location).collect();
        let mut extensions = match members.remove("extensions") {
            Some(Value::Object(extensions)) => extensions,
            _ => Map::new(),
        };
        // GitHub's own errors have it beside the message.
        if let Some(kind @ Value::String(_)) = members.remove("type") {
            extensions.entry("code").or_insert(kind);
        }
        Ok(Self { message, path, locations, extensions })
    }
}

fn segment(value: Value) -> Option<PathSegment> {
    match value {
        Value::String(key) => Some(PathSegment::Key(key)),
        Value::Number(index) => index.as_u64().map(PathSegment::Index),
        _ => None,
    }
}

fn location(value: &Value) -> Option<Location> {
    Some(Location { line: value.get("line")?.as_u64()?, column: value.get("column")?.as_u64()? })
}

impl fmt::Display for GraphqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        for (nth, segment) in self.path.iter().enumerate() {
            f.write_str(if nth == 0 { " at " } else { "." })?;
            match segment {
                PathSegment::Key(key) => f.write_str(key)?,
                PathSegment::Index(index) => write!(f, "{index}")?,
            }
        }
        match self.code() {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

impl Error for GraphqlError {}
