use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{BoxError, Delivery, ReadyThenCall, Rejection, WallClock, delivery, retry_after};
use bytes::{Buf, Bytes};
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::time::timeout;
use tower_service::Service;
use zeroize::Zeroizing;

use super::{Answer, Endpoint, EndpointError, Why};

/// What brings requests to token endpoints: any HTTP service, with a limit of time and of size.
///
/// Give it a bare client, with the TLS and the proxy that you need: never the stack that carries the very token, which would wait for itself, no redirect
/// follower, which would carry secrets elsewhere, and no retry, which may end a session (see [`EndpointError::is_uncertain`]).
///
/// | | default | set with | why |
/// |---|---|---|---|
/// | a request with its answer | 10 s | [`timeout`](Self::timeout) | calls wait for it |
/// | an answer | 64 KiB | | tokens are small, and nobody is to fill the memory |
#[derive(Clone)]
pub struct Transport {
    exchange: Arc<dyn Exchange>,
    timeout: Duration,
    pub(crate) wall_clock: WallClock,
}

const TIMEOUT: Duration = Duration::from_secs(10);
/// What an answer may have.
const LIMIT: usize = 64 * 1024;

impl Transport {
    /// Over this service.
    pub fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
        S: Clone + Send + Sync + 'static,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        Self { exchange: Arc::new(Over(service)), timeout: TIMEOUT, wall_clock: WallClock::system() }
    }

    /// A request and its answer may take so long, 10 s by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The clock that `Retry-After` and signed tokens are made of, the system's by default.
    #[must_use]
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.wall_clock = clock;
        self
    }

    /// The answer, of whatever status but a redirect.
    pub(crate) async fn send(
        &self,
        endpoint: &Endpoint,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, EndpointError> {
        let failed = |why| EndpointError::new(&endpoint.origin, why);
        let answer = match timeout(self.timeout, self.exchange.exchange(request)).await {
            Err(_) => return Err(failed(Why::TooSlow(self.timeout))),
            Ok(Err(why)) => return Err(failed(why)),
            Ok(Ok(response)) => response,
        };
        let (head, body) = answer.into_parts();
        let retry_in = retry_after(&head.headers, self.wall_clock.now());
        let answer = Answer { origin: endpoint.origin.clone(), status: head.status, retry_in, body };
        if answer.status.is_redirection() {
            return Err(answer.failed(Why::Redirected));
        }
        Ok(answer)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

type Exchanging<'a> = Pin<Box<dyn Future<Output = Result<Response<Zeroizing<Vec<u8>>>, Why>> + Send + 'a>>;

/// One request with its answer, read to its end.
trait Exchange: Send + Sync {
    fn exchange(&self, request: Request<Full<Bytes>>) -> Exchanging<'_>;
}

struct Over<S>(S);

impl<S, B> Exchange for Over<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
    S: Clone + Send + Sync,
    B: Body<Data: Send, Error: Into<BoxError>> + Send,
{
    fn exchange(&self, request: Request<Full<Bytes>>) -> Exchanging<'_> {
        let call = ReadyThenCall::new(self.0.clone(), request);
        Box::pin(async move {
            let response = call.await.map_err(|error| Why::broken(error.into()))?;
            let (head, body) = response.into_parts();
            let claimed =
                head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
            if claimed.is_some_and(|claimed: u64| claimed > LIMIT as u64) {
                return Err(Why::TooLarge);
            }
            // At once, since what grows leaves copies behind.
            let mut read = Zeroizing::new(Vec::with_capacity(LIMIT));
            let mut body = pin!(body);
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| Why::Transport { cause: error.into(), is_sent: true })?;
                let Ok(mut data) = frame.into_data() else { continue };
                if data.remaining() > LIMIT - read.len() {
                    return Err(Why::TooLarge);
                }
                while data.has_remaining() {
                    let chunk = data.chunk();
                    read.extend_from_slice(chunk);
                    let length = chunk.len();
                    data.advance(length);
                }
            }
            Ok(Response::from_parts(head, read))
        })
    }
}

impl Why {
    /// What an error of the service comes to.
    fn broken(cause: BoxError) -> Self {
        let is_unsent = Rejection::of(&*cause).is_some()
            || matches!(delivery(&*cause), Delivery::ConnectFailed | Delivery::NotProcessed);
        Self::Transport { cause, is_sent: !is_unsent }
    }
}
