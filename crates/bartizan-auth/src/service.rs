use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{BoxError, Readied};
use http::{Request, Response};
use tower_service::Service;

use crate::future::ResponseFuture;
use crate::{Authorizer, Origins, OtherOrigin};

/// The service of [`AuthLayer`](crate::AuthLayer).
pub struct Auth<S, A> {
    pub(crate) inner: Readied<S>,
    pub(crate) config: Config<A>,
}

/// What all clones of a service, and all its calls, share.
pub(crate) struct Config<A> {
    pub(crate) origins: Origins,
    pub(crate) authorizer: Arc<A>,
    pub(crate) only_there: bool,
    pub(crate) may_go_without: bool,
}

impl<S, B, R, A> Service<Request<B>> for Auth<S, A>
where
    S: Service<Request<B>, Response = Response<R>, Error: Into<BoxError>> + Clone,
    A: Authorizer,
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
            let mut request = request;
            self.config.authorizer.take_out(request.uri_mut());
            return ResponseFuture::calling(self.inner.call(request), None);
        }
        let (mut head, body) = request.into_parts();
        match self.config.authorizer.authorize(&mut head) {
            Some(stamp) => {
                let call = self.inner.call(Request::from_parts(head, body));
                ResponseFuture::calling(call, Some((stamp, self.config.authorizer.clone())))
            }
            None => {
                let preparing = self.config.authorizer.prepare(&head);
                let request = Request::from_parts(head, body);
                ResponseFuture::preparing(self.inner.fresh(), request, preparing, self.config.clone())
            }
        }
    }
}

impl<S: Clone, A> Clone for Auth<S, A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), config: self.config.clone() }
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

impl<S: fmt::Debug, A: fmt::Debug> fmt::Debug for Auth<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("authorizer", &self.config.authorizer)
            .field("inner", self.inner.inner())
            .finish_non_exhaustive()
    }
}
