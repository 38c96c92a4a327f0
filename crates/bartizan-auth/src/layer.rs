use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bartizan_core::Readied;
use tower_layer::Layer;

use crate::service::{Auth, Config};
use crate::{Alone, Authorizer, ByRetry, IdentityLayer, Origins};

/// Puts a credential on requests to the origins that it is meant for, and on no other.
///
/// ```
/// use bartizan_auth::{ApiKey, AuthLayer, Origins};
///
/// let origins = Origins::new(["https://api.example.com"])?;
/// let layer = AuthLayer::new(origins, ApiKey::new("s3cr3t")?);
/// # let _ = layer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AuthLayer<A, G = ByRetry> {
    config: Config<A>,
    again: PhantomData<fn() -> G>,
}

impl<A: Authorizer> AuthLayer<A> {
    /// For these origins, of whatever [`ApiKey`](crate::ApiKey), [`Basic`](crate::Basic), [`Bearer`](crate::Bearer) or
    /// other [`Authorizer`] puts on requests. Requests to other ones go without it, and calls for which there is no credential are refused.
    pub fn new(origins: Origins, authorizer: A) -> Self {
        Self {
            config: Config {
                origins,
                authorizer: Arc::new(authorizer),
                only_there: false,
                may_go_without: false,
            },
            again: PhantomData,
        }
    }
}

impl<A: Authorizer, G> AuthLayer<A, G> {
    /// Sends a request again by itself, once, where the API refused its credential and there is a newer one: for stacks without retry, which does it
    /// by default. It costs a copy of each head, and bodies have to be [`Replay`](bartizan_core::Replay).
    #[must_use]
    pub fn replay_alone(self) -> AuthLayer<A, Alone> {
        AuthLayer { config: self.config, again: PhantomData }
    }

    /// Refuses calls to other origins, for clients that should talk to nobody else. By default they go without the credential.
    #[must_use]
    pub fn refuse_elsewhere(mut self) -> Self {
        self.config.only_there = true;
        self
    }

    /// Calls go without a credential where there is none yet, or none to be had. By default they are refused.
    #[must_use]
    pub fn or_without(mut self) -> Self {
        self.config.may_go_without = true;
        self
    }

    /// For a redirect follower of tower-http that stands inside: takes the credential off requests that are redirected to other origins. Where this
    /// layer stands inside the follower it is not needed: nothing is put on those requests.
    #[cfg(feature = "tower-http-07")]
    pub fn redirect_policy(&self) -> crate::RedirectPolicy<A> {
        crate::RedirectPolicy {
            origins: self.config.origins.clone(),
            authorizer: self.config.authorizer.clone(),
        }
    }

    /// The outer half, to be placed outside a cache: it puts whose the call is into the [`CallContext`](bartizan_core::CallContext), as an opaque
    /// partition, and that it will carry a credential. Without it a cache outside of auth sees requests without a credential, and would show one
    /// caller's answers to another. A partition that is there already stays.
    pub fn identity_layer(&self) -> IdentityLayer<A> {
        IdentityLayer { origins: self.config.origins.clone(), authorizer: self.config.authorizer.clone() }
    }
}

impl<S, A, G> Layer<S> for AuthLayer<A, G> {
    type Service = Auth<S, A, G>;

    fn layer(&self, inner: S) -> Auth<S, A, G> {
        Auth { inner: Readied::new(inner), config: Arc::new(self.config.clone()), again: PhantomData }
    }
}

impl<A, G> Clone for AuthLayer<A, G> {
    fn clone(&self) -> Self {
        Self { config: self.config.clone(), again: PhantomData }
    }
}

impl<A: fmt::Debug, G> fmt::Debug for AuthLayer<A, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("authorizer", &self.config.authorizer)
            .field("origins", &self.config.origins)
            .finish_non_exhaustive()
    }
}
