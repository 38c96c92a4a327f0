use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bartizan_core::{CallContext, RequestHead};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::{Authorizer, Origins};

/// The outer half of auth, for a cache that stands further out: it tells whose the call is, and that it will carry a credential, and fetches
/// nothing. See [`AuthLayer::identity_layer`](crate::AuthLayer::identity_layer).
pub struct IdentityLayer<A> {
    pub(crate) origins: Origins,
    pub(crate) authorizer: Arc<A>,
}

/// The service of [`IdentityLayer`].
pub struct Identity<S, A> {
    inner: S,
    layer: IdentityLayer<A>,
}

impl<S, A> Layer<S> for IdentityLayer<A> {
    type Service = Identity<S, A>;

    fn layer(&self, inner: S) -> Identity<S, A> {
        Identity { inner, layer: self.clone() }
    }
}

impl<S: Service<Request<B>>, B, A: Authorizer> Service<Request<B>> for Identity<S, A> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if self.layer.origins.contains(request.uri()) {
            let identity = self.layer.authorizer.identity(&RequestHead::from(&request));
            let context = CallContext::edit(request.extensions_mut());
            context.set_authenticated();
            // Whoever has set one knows better whose the call is.
            if context.partition().is_none() {
                context.set_partition(identity);
            }
        }
        self.inner.call(request)
    }
}

impl<A> Clone for IdentityLayer<A> {
    fn clone(&self) -> Self {
        Self { origins: self.origins.clone(), authorizer: self.authorizer.clone() }
    }
}

impl<S: Clone, A> Clone for Identity<S, A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<A> fmt::Debug for IdentityLayer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityLayer").field("origins", &self.origins).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, A> fmt::Debug for Identity<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// An opaque name for what these bytes are, the same in this process wherever they are the same, and of no use to whoever reads it.
pub(crate) fn opaque(scheme: &str, credential: &[&[u8]]) -> Arc<str> {
    let halves = seeds().each_ref().map(|seed| {
        let mut hasher = seed.build_hasher();
        for part in credential {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish()
    });
    format!("{scheme}-{:016x}{:016x}", halves[0], halves[1]).into()
}

#[expect(
    clippy::disallowed_methods,
    reason = "seeds that strangers must not know, and by which nothing is decided"
)]
fn seeds() -> &'static [std::hash::RandomState; 2] {
    static SEEDS: OnceLock<[std::hash::RandomState; 2]> = OnceLock::new();
    SEEDS.get_or_init(|| [std::hash::RandomState::new(), std::hash::RandomState::new()])
}
