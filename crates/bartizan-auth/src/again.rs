use bartizan_core::{Replay, replay_request};
use http::Request;

/// Whether the layer keeps a copy of each request, to send it again by itself once its credential was refused.
pub trait Again<B> {
    /// A copy to be sent.
    fn copy(request: &Request<B>) -> Option<Request<B>>;
}

/// It does not: a retry layer outside sends requests again. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByRetry;

/// It does: see [`AuthLayer::replay_alone`](crate::AuthLayer::replay_alone).
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl<B> Again<B> for ByRetry {
    fn copy(_: &Request<B>) -> Option<Request<B>> {
        None
    }
}

impl<B: Replay> Again<B> for Alone {
    fn copy(request: &Request<B>) -> Option<Request<B>> {
        replay_request(request)
    }
}
