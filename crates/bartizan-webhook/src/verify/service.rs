use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{BoxError, RequestHead, RespondBody};
use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower_service::Service;

use super::future::{Begun, ResponseFuture};
use super::layer::Config;
use super::meta::Asked;
use super::{Hook, RefusedKind};
use crate::collect::Collect;

/// The service of [`VerifyLayer`](super::VerifyLayer).
pub struct Verify<S, H = ()> {
    pub(super) inner: S,
    pub(super) config: Arc<Config<H>>,
}

impl<H> Config<H> {
    /// What the head of a request says, before its body is read.
    fn begin<B: Body>(&self, request: Request<B>) -> Begun<B> {
        if let Some(meta) = &self.meta {
            match meta.read(request.method(), request.uri()) {
                Asked::No => {}
                Asked::Challenge(challenge) => return Begun::Answered(challenge),
                Asked::Token => return Begun::Refused(RefusedKind::Token),
            }
        }
        let check = match self.scheme.begin(&RequestHead::from(&request), self.clock.now()) {
            Ok(check) => check,
            Err(fault) => return Begun::Refused(RefusedKind::Signature(fault)),
        };
        if is_encoded(request.headers()) {
            return Begun::Refused(RefusedKind::Encoded);
        }
        // What announces too much is refused before it is read.
        let (head, body) = request.into_parts();
        let body = Collect::new(body, self.body_limit, self.body_timeout);
        Begun::Reading { head: Box::new(head), body, check }
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    values.any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

impl<S, B, R, H> Service<Request<B>> for Verify<S, H>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone,
    B: Body,
    B::Error: Into<BoxError>,
    H: Hook,
{
    type Response = Response<RespondBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, S::Future, H>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let begun = self.config.begin(request);
        ResponseFuture::new(begun, &self.inner, &self.config)
    }
}

impl<S: Clone, H> Clone for Verify<S, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), config: self.config.clone() }
    }
}

impl<S: fmt::Debug, H> fmt::Debug for Verify<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verify").field("inner", &self.inner).finish_non_exhaustive()
    }
}
