//! Fetching what is answered stale meanwhile (RFC 5861 section 3): the one thing here that a task is spawned for.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use bartizan_core::{BoxError, CallContext, Replay};
use bytes::Bytes;
use http::header::{
    HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::{Request, Response};
use http_body::Body;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use tower_service::Service;

use crate::Event;
use crate::engine::{Asking, Engine};
use crate::future::{ResponseFuture, Start};

/// What takes longer is given up: nobody waits for it. As long as a whole call may take elsewhere.
const LONGEST: Duration = Duration::from_secs(30);

/// What is of the one request alone that is answered already.
const ITS_OWN: [HeaderName; 6] =
    [IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE];

/// Goes in a task of its own, unless that is fetched already, or was in vain just now.
pub(crate) fn refresh<S, B, R>(runtime: &Handle, mut start: Start<S, B>, mut asking: Box<Asking>)
where
    S: Service<Request<B>, Response = Response<R>, Future: Send> + Clone + Send + 'static,
    B: Body + Replay + Send + 'static,
    R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let Engine { flights, kept, .. } = &*start.engine;
    let Some(lead) = flights.refresh(asking.goes(), kept, Instant::now()) else { return };
    for name in &ITS_OWN {
        start.request.headers_mut().remove(name);
        asking.leave_behind(name);
    }
    if let Some(context) = start.request.extensions_mut().get_mut::<CallContext>() {
        *context = context.outliving();
    }
    asking.in_background = true;
    let (engine, key) = (start.engine.clone(), asking.key.clone());
    let fetch = ResponseFuture::leading(start, asking, lead);
    runtime.spawn(async move {
        let fetched = timeout(LONGEST, async move {
            let Ok(response) = fetch.await else { return };
            let mut body = pin!(response.into_body());
            while let Some(Ok(_)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {}
        });
        if fetched.await.is_err() {
            engine.event(&Event::NotRefreshed { target: key.target() });
        }
    });
}
