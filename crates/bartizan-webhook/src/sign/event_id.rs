use std::task::{Context, Poll};

use bartizan_core::CallContext;
use http::{HeaderName, HeaderValue, Request};
use tower_layer::Layer;
use tower_service::Service;

use crate::Signer;

/// Gives each request an id in the field of a [`Signer`]'s format, unless it has one: all attempts to deliver one event have the same id, by which
/// the receiver knows it again. So it stands outside of retry, which may then send a POST again.
///
/// The id is `msg_` and 128 bits from the operating system in hexadecimal. Give events that you keep ids of your own: an event that is sent again by another
/// process is known again by that. Where the operating system has no randomness to give, the request goes without an id, and the sign layer refuses it.
///
/// Readiness: pass-through. A format without an id field does nothing.
#[derive(Clone, Debug)]
pub struct EventIdLayer {
    field: Option<HeaderName>,
}

impl EventIdLayer {
    /// In the field that the signer's format has for it.
    pub fn new(signer: &Signer) -> Self {
        Self { field: signer.id_field().cloned() }
    }
}

impl<S> Layer<S> for EventIdLayer {
    type Service = WithEventId<S>;

    fn layer(&self, inner: S) -> WithEventId<S> {
        WithEventId { inner, field: self.field.clone() }
    }
}

/// The service of [`EventIdLayer`].
#[derive(Clone, Debug)]
pub struct WithEventId<S> {
    inner: S,
    field: Option<HeaderName>,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for WithEventId<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if let Some(field) = &self.field {
            if !request.headers().contains_key(field)
                && let Some(id) = new_id()
            {
                request.headers_mut().insert(field, id);
            }
            if request.headers().contains_key(field) {
                CallContext::edit(request.extensions_mut()).retry_mut().safe_to_repeat = true;
            }
        }
        self.inner.call(request)
    }
}

fn new_id() -> Option<HeaderValue> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).ok()?;
    let id = format!("msg_{}", hex::encode(random));
    Some(HeaderValue::try_from(id).expect("letters, digits and an underscore may stand in a field"))
}
