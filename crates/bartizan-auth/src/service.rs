use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{BoxError, Readied};
use http::{Request, Response};
use tower_service::Service;

use crate::future::{ResponseFuture, Sent, Waiting};
use crate::{Again, Authorizer, ByRetry, Origins, OtherOrigin};

/// The service of [`AuthLayer`](crate::AuthLayer).
pub struct Auth<S, A, G = ByRetry> {
    pub(crate) inner: Readied<S>,
    pub(crate) config: Arc<Config<A>>,
    pub(crate) again: PhantomData<fn() -> G>,
}

/// What all clones of a service, and all its calls, share.
pub(crate) struct Config<A> {
    pub(crate) origins: Origins,
    pub(crate) authorizer: Arc<A>,
    pub(crate) only_there: bool,
    pub(crate) may_go_without: bool,
}

impl<S, B, R, A, G> Service<Request<B>> for Auth<S, A, G>
where
    S: Service<Request<B>, Response = Response<R>, Error: Into<BoxError>> + Clone,
    A: Authorizer,
    G: Again<B>,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = ResponseFuture<S, B, S::Future, A>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !self.config.origins.contains(request.uri()) {
            if self.config.only_there {
                self.inner.refuse();
                return ResponseFuture::refused(OtherOrigin::new(request.uri()));
            }
            let (mut head, body) = request.into_parts();
            self.config.authorizer.take_out(&mut head);
            return ResponseFuture::calling(self.inner.call(Request::from_parts(head, body)), None);
        }
        let again = G::copy(&request).map(|copy| Box::new((self.inner.inner().clone(), copy)));
        let (mut head, body) = request.into_parts();
        match self.config.authorizer.authorize(&mut head) {
            Some(stamp) => {
                let call = self.inner.call(Request::from_parts(head, body));
                ResponseFuture::calling(call, Some(Sent { stamp, config: self.config.clone(), again }))
            }
            None => {
                let preparing = self.config.authorizer.prepare(&head);
                let request = Request::from_parts(head, body);
                let waiting =
                    Waiting::new(self.inner.fresh(), request, preparing, self.config.clone(), again);
                ResponseFuture::preparing(waiting)
            }
        }
    }
}

impl<S: Clone, A, G> Clone for Auth<S, A, G> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), config: self.config.clone(), again: PhantomData }
    }
}

impl<A> Clone for Config<A> {
    fn clone(&self) -> Self {
        let Self { origins, authorizer, only_there, may_go_without } = self;
        Self {
            origins: origins.clone(),
            authorizer: authorizer.clone(),
            only_there: *only_there,
            may_go_without: *may_go_without,
        }
    }
}

impl<S: fmt::Debug, A: fmt::Debug, G> fmt::Debug for Auth<S, A, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("authorizer", &self.config.authorizer)
            .field("inner", self.inner.inner())
            .finish_non_exhaustive()
    }
}
