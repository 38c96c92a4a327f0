use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// What is asked for: a document, variables, and which operation of the document is meant.
///
/// ```
/// use bartizan_graphql::Operation;
/// use serde_json::json;
///
/// let operation = Operation::new("query Repo($name: String!) { repository(name: $name) { stars } }")
///     .variables(&json!({ "name": "tower" }))?;
/// # let _ = operation;
/// # Ok::<(), bartizan_graphql::InvalidVariables>(())
/// ```
#[derive(Clone)]
pub struct Operation {
    pub(crate) document: Arc<str>,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) variables: Variables,
    pub(crate) extensions: Variables,
    pub(crate) headers: HeaderMap,
}

/// Members of a JSON object as they were written, in the order of their names: the same request is the same bytes.
pub(crate) type Variables = BTreeMap<String, Box<RawValue>>;

impl Operation {
    /// Of that document, without variables.
    pub fn new(document: impl Into<Arc<str>>) -> Self {
        Self {
            document: document.into(),
            name: None,
            variables: Variables::new(),
            extensions: Variables::new(),
            headers: HeaderMap::new(),
        }
    }

    /// With those variables. None by default.
    ///
    /// # Errors
    /// If they are no JSON object.
    pub fn variables(mut self, variables: &impl Serialize) -> Result<Self, InvalidVariables> {
        self.variables = object(variables)?;
        Ok(self)
    }

    /// Which operation of the document is meant. By default the only one.
    #[must_use]
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With those extensions of the request. None by default.
    ///
    /// # Errors
    /// If they are no JSON object.
    pub fn extensions(mut self, extensions: &impl Serialize) -> Result<Self, InvalidVariables> {
        self.extensions = object(extensions)?;
        Ok(self)
    }

    /// With a header field, in the place of the client's of that name. None by default.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

fn object(value: &impl Serialize) -> Result<Variables, InvalidVariables> {
    let raw = to_raw_value(value).map_err(InvalidVariables)?;
    if raw.get() == "null" {
        return Ok(Variables::new());
    }
    serde_json::from_str(raw.get()).map_err(InvalidVariables)
}

/// The document and the names of the variables, without their values.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("document", &self.document)
            .field("name", &self.name)
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Variables, or extensions, that are no JSON object.
#[derive(Debug)]
pub struct InvalidVariables(serde_json::Error);

impl fmt::Display for InvalidVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the variables of a GraphQL operation are no JSON object")
    }
}

impl Error for InvalidVariables {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
