use std::fmt;

use bartizan_core::{PathTemplate, host_and_port};
use http::{Method, Request, Uri};

/// What a request asks for, kept until its answer is there.
///
/// Cloning a URI is free where it has a scheme; where it is a mere path that nobody cloned before, it is one allocation.
#[derive(Clone)]
pub(crate) struct Endpoint {
    method: Method,
    uri: Uri,
    template: Option<PathTemplate>,
}

impl Endpoint {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            template: PathTemplate::of(request.extensions()).cloned(),
        }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// Host and port, without user information.
    pub(crate) fn host(&self) -> Option<&str> {
        Some(host_and_port(self.uri.authority()?.as_str()))
    }

    /// The template, or the path without the query.
    pub(crate) fn path(&self) -> &str {
        self.template.as_ref().map_or(self.uri.path(), PathTemplate::as_str)
    }

    /// With query and user information: for those who have to know what not to show.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }
}

/// Without query and user information.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.host().unwrap_or_default(), self.path())
    }
}
