use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{CallContext, Face, Readied, RequestHead};
use http::header::AUTHORIZATION;
use http::{Request, Response};
use tower_service::Service;

use super::future::ResponseFuture;
use super::{Denial, Denied, Principal, Realm, Verifier};

/// The service of [`VerifyLayer`](super::VerifyLayer).
pub struct Verify<S, F> {
    pub(super) inner: Readied<S>,
    pub(super) config: Arc<Config>,
    pub(super) face: PhantomData<fn() -> F>,
}

/// What all clones of a service share.
#[derive(Clone)]
pub(super) struct Config {
    /// At least one.
    pub(super) verifiers: Vec<Arc<dyn Verifier>>,
    pub(super) realm: Realm,
    pub(super) keeps_credential: bool,
}

/// A request that is let through.
pub(super) struct Admitted<B> {
    pub(super) request: Request<B>,
    /// Caches on the way do not see that its answer is for one caller alone: the credential was not in `Authorization`.
    pub(super) is_unseen: bool,
}

impl Config {
    fn admit<B>(&self, request: Request<B>) -> Result<Admitted<B>, Denied> {
        let (verifier, principal) = self.verify(&RequestHead::from(&request))?;
        let (mut head, body) = request.into_parts();
        let is_unseen = !head.headers.contains_key(AUTHORIZATION);
        if !self.keeps_credential {
            verifier.take_out(&mut head.uri, &mut head.headers);
        }
        let context = CallContext::edit(&mut head.extensions);
        context.set_authenticated();
        // Whoever has set one knows better whose the call is.
        if context.partition().is_none() {
            context.set_partition(principal.partition());
        }
        head.extensions.insert(principal);
        Ok(Admitted { request: Request::from_parts(head, body), is_unseen })
    }

    /// The one verifier that found something. If two did, nobody knows which of them the caller means.
    fn verify(&self, request: &RequestHead<'_>) -> Result<(&dyn Verifier, Principal), Denied> {
        let mut found = None;
        for (nth, verifier) in self.verifiers.iter().enumerate() {
            match verifier.verify(request) {
                Err(Denial::Missing) => {}
                said if found.is_none() => found = Some((nth, said)),
                _ => return Err(Denied::new(Denial::Malformed("is not the only one"), Vec::new())),
            }
        }
        match found {
            Some((nth, Ok(principal))) => Ok((&*self.verifiers[nth], principal)),
            Some((nth, Err(denial))) => Err(self.denied(Some(nth), denial)),
            None => Err(self.denied(None, Denial::Missing)),
        }
    }

    /// A 401 asks for what any verifier takes, and other answers tell what the one has to say that denied.
    fn denied(&self, by: Option<usize>, denial: Denial) -> Denied {
        let asks_all = matches!(denial, Denial::Missing | Denial::Refused);
        let mut challenges = Vec::new();
        for (nth, verifier) in self.verifiers.iter().enumerate() {
            if by == Some(nth) {
                challenges.push(verifier.challenge(&self.realm, &denial).value());
            } else if asks_all {
                challenges.push(verifier.challenge(&self.realm, &Denial::Missing).value());
            }
        }
        Denied::new(denial, challenges)
    }
}

impl<S, B, R, F> Service<Request<B>> for Verify<S, F>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    F: Face<S::Error>,
{
    type Response = Response<F::Body<R>>;
    type Error = F::Error;
    type Future = ResponseFuture<S, B, S::Future, F>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), F::Error>> {
        self.inner.poll(cx).map_err(F::error)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.config.admit(request) {
            Ok(Admitted { request, is_unseen }) => {
                ResponseFuture::calling(self.inner.call(request), is_unseen)
            }
            Err(denied) => {
                self.inner.refuse();
                ResponseFuture::denied(denied)
            }
        }
    }
}

impl<S: Clone, F> Clone for Verify<S, F> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), config: self.config.clone(), face: PhantomData }
    }
}

impl<S: fmt::Debug, F> fmt::Debug for Verify<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verify").field("inner", self.inner.inner()).finish_non_exhaustive()
    }
}
