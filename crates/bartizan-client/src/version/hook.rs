use std::sync::Arc;

use http::Method;

use super::Deprecated;

/// Told once of each endpoint that the upstream announced the end of. `()` is told nothing.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use bartizan_client::version::{ApiVersionLayer, Hook, Notice};
///
/// #[derive(Default)]
/// struct Endpoints(Mutex<Vec<String>>);
///
/// impl Hook for Endpoints {
///     fn deprecated(&self, notice: &Notice<'_>) {
///         self.0.lock().unwrap().push(format!("{} {}", notice.method, notice.path));
///     }
/// }
///
/// let endpoints = Arc::new(Endpoints::default());
/// let layer = ApiVersionLayer::watch_only().hook(endpoints.clone());
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no hook of this layer",
    label = "needs `bartizan_client::version::Hook`",
    note = "a closure is none: implement `deprecated` for a type of your own; an `Arc` of a hook is one too"
)]
pub trait Hook {
    /// Called before the response is returned.
    fn deprecated(&self, notice: &Notice<'_>);
}

impl Hook for () {
    fn deprecated(&self, _: &Notice<'_>) {}
}

impl<H: Hook + ?Sized> Hook for Arc<H> {
    fn deprecated(&self, notice: &Notice<'_>) {
        (**self).deprecated(notice);
    }
}

/// An endpoint, and what was announced.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Notice<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// Host and port, if the URI names them; no user information.
    pub host: Option<&'a str>,
    /// The [`PathTemplate`](bartizan_core::PathTemplate) of the request, or its path as it was sent, without the query.
    pub path: &'a str,
    /// What was announced.
    pub deprecated: &'a Deprecated,
    /// This is the 1,024th endpoint: those after it are not reported.
    pub is_last: bool,
}
