use std::fmt;
use std::sync::Arc;

use http::{Extensions, Method, Request, Uri};

use crate::redact;

/// The path of a request as a template, such as `/users/{id}`: put it into the request's extensions, and the layers that
/// name endpoints name it in place of the path.
///
/// It keeps identifiers out of logs, and makes one endpoint of all users.
///
/// ```
/// use bartizan_client::version::PathTemplate;
///
/// let mut request = http::Request::get("https://api.example.com/users/42").body(())?;
/// request.extensions_mut().insert(PathTemplate::from_static("/users/{id}"));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone)]
pub struct PathTemplate(Text);

#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl PathTemplate {
    /// A template known when the program is built.
    pub const fn from_static(template: &'static str) -> Self {
        Self(Text::Static(template))
    }

    /// A template made at run time. Clones share it.
    pub fn new(template: impl Into<Arc<str>>) -> Self {
        Self(Text::Shared(template.into()))
    }

    /// The template of a request, if the caller gave one.
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl PartialEq for PathTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for PathTemplate {}

impl fmt::Debug for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathTemplate({:?})", self.as_str())
    }
}

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
        Some(redact::host_and_port(self.uri.authority()?.as_str()))
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
