//! The layer under test with its types erased, so that the scenarios are compiled once.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use tower::BoxError;
use tower_service::Service;

use super::Inner;

/// Makes the services that a scenario needs.
pub(super) struct Subject<'a> {
    pub(super) plain: &'a dyn Fn(Inner) -> Handle,
    pub(super) buffered: &'a dyn Fn(Inner) -> Handle,
    /// Whether the service's error type has values, so that it can tell of its inner's.
    pub(super) can_fail: bool,
    pub(super) request: &'a dyn Fn(usize) -> Request<Full<Bytes>>,
}

pub(super) type Reply = Pin<Box<dyn Future<Output = Result<Reached, BoxError>>>>;

/// A response as far as scenarios look at it.
pub(super) struct Reached {
    pub(super) status: StatusCode,
    pub(super) body: Pin<Box<dyn AnyBody>>,
}

impl fmt::Debug for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reached").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A body of which only the end matters.
pub(super) trait AnyBody {
    fn poll_end(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;
}

impl<B: Body> AnyBody for B {
    fn poll_end(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// One service value. Cloning it clones the service.
pub(super) struct Handle(Box<dyn Erased>);

impl Handle {
    pub(super) fn new<S, RB>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<RB>> + Clone + 'static,
        S::Error: Into<BoxError>,
        S::Future: 'static,
        RB: Body + 'static,
    {
        Self(Box::new(service))
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    pub(super) fn call(&mut self, request: Request<Full<Bytes>>) -> Reply {
        self.0.call(request)
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self(self.0.clone_box())
    }
}

trait Erased {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>>;
    fn call(&mut self, request: Request<Full<Bytes>>) -> Reply;
    fn clone_box(&self) -> Box<dyn Erased>;
}

impl<S, RB> Erased for S
where
    S: Service<Request<Full<Bytes>>, Response = Response<RB>> + Clone + 'static,
    S::Error: Into<BoxError>,
    S::Future: 'static,
    RB: Body + 'static,
{
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::poll_ready(self, cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Reply {
        let future = Service::call(self, request);
        Box::pin(async move {
            let (head, body) = future.await.map_err(Into::into)?.into_parts();
            Ok(Reached { status: head.status, body: Box::pin(body) })
        })
    }

    fn clone_box(&self) -> Box<dyn Erased> {
        Box::new(self.clone())
    }
}
