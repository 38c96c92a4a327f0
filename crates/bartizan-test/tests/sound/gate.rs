//! Lets so many calls through in an hour and refuses the rest; says ready while its inner is not.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use bartizan_test::contract::Inner;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::time::Instant;
use tower::BoxError;
use tower_service::Service;

use super::{Reply, Req};

#[derive(Debug)]
pub(crate) struct Gate {
    inner: Inner,
    polled: Polled,
    bucket: Arc<Bucket>,
}

#[derive(Debug)]
enum Polled {
    No,
    Pending,
    Ready,
    Failed(Option<BoxError>),
}

#[derive(Debug)]
struct Bucket {
    /// When each token that was taken comes back.
    taken: Mutex<Vec<Instant>>,
    size: usize,
}

/// A token that goes back into the bucket unless it was spent.
struct Token(Option<(Arc<Bucket>, Instant)>);

impl Bucket {
    fn take(self: &Arc<Self>) -> Option<Token> {
        let now = Instant::now();
        let back = now + Duration::from_secs(3_600);
        let mut taken = self.taken.lock().expect("not poisoned");
        taken.retain(|back| *back > now);
        (taken.len() < self.size).then(|| {
            taken.push(back);
            Token(Some((Arc::clone(self), back)))
        })
    }
}

impl Token {
    fn spend(mut self) {
        self.0 = None;
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if let Some((bucket, back)) = self.0.take() {
            let mut taken = bucket.taken.lock().expect("not poisoned");
            let found = taken.iter().position(|taken| *taken == back);
            found.map(|nth| taken.swap_remove(nth));
        }
    }
}

impl Gate {
    pub(crate) fn new(inner: Inner, size: usize) -> Self {
        Self { inner, polled: Polled::No, bucket: Arc::new(Bucket { taken: Mutex::default(), size }) }
    }
}

impl Clone for Gate {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), polled: Polled::No, bucket: Arc::clone(&self.bucket) }
    }
}

impl Service<Req> for Gate {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Reply;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if !matches!(self.polled, Polled::Ready | Polled::Failed(_)) {
            self.polled = match Service::<Req>::poll_ready(&mut self.inner, cx) {
                Poll::Ready(Ok(())) => Polled::Ready,
                Poll::Ready(Err(error)) => Polled::Failed(Some(error)),
                Poll::Pending => Polled::Pending,
            };
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Reply {
        let polled = std::mem::replace(&mut self.polled, Polled::No);
        let Some(token) = self.bucket.take() else {
            // Whatever the instance has got or waits for, it must not keep.
            self.inner = self.inner.clone();
            return Box::pin(async { Err("too many calls".into()) });
        };
        match polled {
            Polled::Failed(error) => {
                let error = error.unwrap_or_else(|| "failed before".into());
                Box::pin(async { Err(error) })
            }
            Polled::Ready => {
                let called = self.inner.call(request);
                Box::pin(async move {
                    token.spend();
                    called.await
                })
            }
            Polled::No | Polled::Pending => {
                let fresh = self.inner.clone();
                let mut inner = std::mem::replace(&mut self.inner, fresh);
                Box::pin(async move {
                    poll_fn(|cx| Service::<Req>::poll_ready(&mut inner, cx)).await?;
                    token.spend();
                    inner.call(request).await
                })
            }
        }
    }
}
