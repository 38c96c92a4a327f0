use std::fmt;
use std::sync::Arc;

use http::Extensions;

/// The path of a request as a template, such as `/users/{id}`: put it into the request's extensions, and the layers that
/// name endpoints name it in place of the path.
///
/// It keeps identifiers out of logs, and makes one endpoint of all users.
///
/// ```
/// use bartizan_core::PathTemplate;
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
