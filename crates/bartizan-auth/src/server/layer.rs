use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bartizan_core::{Readied, Refuse, Respond};
use tower_layer::Layer;

use super::service::{Config, Verify};
use super::{Realm, Verifier};

/// Lets through who is known, and nobody else.
///
/// ```
/// use bartizan_auth::server::{ApiKeys, Principals, SecretDigest, VerifyLayer};
///
/// let principals = Principals::new([(SecretDigest::of("k3y"), "billing")]);
/// let layer = VerifyLayer::new(ApiKeys::new(principals)).respond();
/// # let _ = layer;
/// ```
pub struct VerifyLayer<F = Refuse> {
    config: Config,
    face: PhantomData<fn() -> F>,
}

impl VerifyLayer {
    /// Who is known to [`ApiKeys`](super::ApiKeys), [`BasicUsers`](super::BasicUsers), [`BearerTokens`](super::BearerTokens) or another
    /// [`Verifier`].
    pub fn new(verifier: impl Verifier) -> Self {
        let verifiers: Vec<Arc<dyn Verifier>> = vec![Arc::new(verifier)];
        let config = Config { verifiers, realm: Realm::default(), keeps_credential: false };
        Self { config, face: PhantomData }
    }
}

impl<F> VerifyLayer<F> {
    /// Or who is known to this one; by default there is the one of [`new`](VerifyLayer::new). A 401 asks for what any of them takes, in the order in which they were given; put those first that many clients know.
    ///
    /// A request with something for two of them is a 400, so each has to look at credentials of its own: another scheme, or other places. For two sources
    /// of one kind of credential write one verifier that asks both.
    #[must_use]
    pub fn or(mut self, verifier: impl Verifier) -> Self {
        self.config.verifiers.push(Arc::new(verifier));
        self
    }

    /// What is protected, as challenges name it. `api` by default.
    #[must_use]
    pub fn realm(mut self, realm: Realm) -> Self {
        self.config.realm = realm;
        self
    }

    /// The credential stays in the request. By default it is taken out once it is verified: what the app does not get it cannot write into a log, or send on to
    /// another server.
    #[must_use]
    pub fn keep_credential(mut self) -> Self {
        self.config.keeps_credential = true;
        self
    }

    /// Answers with problem details and `WWW-Authenticate` in place of an error, the default, and keeps the inner error type.
    #[must_use]
    pub fn respond(self) -> VerifyLayer<Respond> {
        VerifyLayer { config: self.config, face: PhantomData }
    }
}

impl<S, F> Layer<S> for VerifyLayer<F> {
    type Service = Verify<S, F>;

    fn layer(&self, inner: S) -> Verify<S, F> {
        Verify { inner: Readied::new(inner), config: Arc::new(self.config.clone()), face: PhantomData }
    }
}

impl<F> Clone for VerifyLayer<F> {
    fn clone(&self) -> Self {
        Self { config: self.config.clone(), face: PhantomData }
    }
}

impl<F> fmt::Debug for VerifyLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyLayer").field("realm", &self.config.realm).finish_non_exhaustive()
    }
}
