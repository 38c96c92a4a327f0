//! Services that keep the contract, one for each shape and some for what they add to it.

use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::BoxError;

pub(crate) mod decoupled;
pub(crate) mod gate;
pub(crate) mod never_fails;
pub(crate) mod queue;
pub(crate) mod retry;
pub(crate) mod tower_retry;

type Req = Request<Full<Bytes>>;
type Answer = Result<Response<Full<Bytes>>, BoxError>;
type Reply = Pin<Box<dyn Future<Output = Answer> + Send>>;
