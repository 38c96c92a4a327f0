use std::fmt;
use std::sync::Arc;

use http::Extensions;

use crate::identity::opaque;

/// Who asks, by the name that the server knows him by. It stands in the extensions of a request that was let through; with axum
/// `Extension<Principal>` takes it out.
///
/// ```
/// use bartizan_auth::server::Principal;
///
/// # let mut request = http::Request::new(());
/// # request.extensions_mut().insert(Principal::new("billing"));
/// let who = Principal::of(request.extensions()).map(Principal::as_str);
/// assert_eq!(who, Some("billing"));
/// ```
#[derive(Clone)]
pub struct Principal {
    name: Arc<str>,
    /// Made once, since it is a hash of the name.
    partition: Arc<str>,
}

impl Principal {
    /// Known by this name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        Self { partition: opaque("principal", &[name.as_bytes()]), name }
    }

    /// Who sent a request, if that was found out.
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    pub(super) fn partition(&self) -> Arc<str> {
        self.partition.clone()
    }
}

impl From<&str> for Principal {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Principal {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Principal {}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Principal").field(&self.name).finish()
    }
}
