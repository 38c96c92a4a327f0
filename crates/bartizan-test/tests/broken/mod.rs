//! Services that break the contract, each in one way.

use std::pin::Pin;

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::BoxError;
use tower_service::Service;

pub(crate) mod body_never_ends;
pub(crate) mod bound_to_task;
pub(crate) mod busy_loop;
pub(crate) mod busy_task;
pub(crate) mod calls_failed;
pub(crate) mod calls_unpolled;
pub(crate) mod copies_readiness;
pub(crate) mod fails_in_poll_ready;
pub(crate) mod hangs;
pub(crate) mod hides_readiness_error;
pub(crate) mod keeps_on_drop;
pub(crate) mod keeps_queued;
pub(crate) mod keeps_refused;
pub(crate) mod keeps_response;
pub(crate) mod keeps_slot;
pub(crate) mod loses_token;
pub(crate) mod loses_waker;
pub(crate) mod ready_too_early;
pub(crate) mod retries_unpolled;
pub(crate) mod takes_twice;
pub(crate) mod wakes_one;

type Req = Request<Full<Bytes>>;
type Answer = Result<Response<Full<Bytes>>, BoxError>;
type Reply = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Polls a clone that is the future's own until it is ready, and calls it: no mistake in here.
async fn call_when_ready(mut inner: Inner, request: Req) -> Answer {
    std::future::poll_fn(|cx| Service::<Req>::poll_ready(&mut inner, cx)).await?;
    inner.call(request).await
}
