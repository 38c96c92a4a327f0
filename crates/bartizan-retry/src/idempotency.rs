use std::task::{Context, Poll};

use bartizan_core::IDEMPOTENCY_KEY;
use http::{HeaderValue, Method, Request};
use tower_layer::Layer;
use tower_service::Service;
use uuid::Builder;

/// Gives each POST and PATCH an `Idempotency-Key` of its own, by which the origin recognises an attempt that it has worked on
/// already. Put it outside the retry layer: all attempts of a call then carry the same key, and may be made at all.
///
/// **The origin must know the field.** One that does not will work twice on what it gets twice, and retry believes the key.
/// Ask the API's documentation, which also tells how long keys are kept.
///
/// The key is a random UUID (version 4) from the operating system, as a quoted string of structured fields (Idempotency-Key draft,
/// sections 2.1 and 2.2). A request that has the field keeps it. Where the operating system has no randomness to give, the
/// request goes without a key and so is not sent twice.
///
/// Readiness: pass-through. Allocates once for the key.
///
/// ```
/// use bartizan_retry::{IdempotencyKeyLayer, RetryLayer};
/// use tower::ServiceBuilder;
///
/// let payments = ServiceBuilder::new().layer(IdempotencyKeyLayer::new()).layer(RetryLayer::new());
/// # let _ = payments;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct IdempotencyKeyLayer {
    _private: (),
}

impl IdempotencyKeyLayer {
    /// Keys for POST and PATCH; the other methods either are idempotent or have no such key.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl<S> Layer<S> for IdempotencyKeyLayer {
    type Service = IdempotencyKey<S>;

    fn layer(&self, inner: S) -> IdempotencyKey<S> {
        IdempotencyKey { inner }
    }
}

/// The service of [`IdempotencyKeyLayer`].
#[derive(Clone, Debug)]
pub struct IdempotencyKey<S> {
    inner: S,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for IdempotencyKey<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let needs_key = [Method::POST, Method::PATCH].contains(request.method())
            && !request.headers().contains_key(&IDEMPOTENCY_KEY);
        if needs_key && let Some(key) = new_key() {
            request.headers_mut().insert(&IDEMPOTENCY_KEY, key);
        }
        self.inner.call(request)
    }
}

fn new_key() -> Option<HeaderValue> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).ok()?;
    let uuid = Builder::from_random_bytes(random).into_uuid();
    Some(HeaderValue::try_from(format!("\"{uuid}\"")).expect("digits, hyphens and quotes are visible ASCII"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::convert::Infallible;

    use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

    use super::*;

    async fn key_of(request: Request<()>) -> Option<HeaderValue> {
        let seen = service_fn(async |request: Request<()>| {
            Ok::<_, Infallible>(request.headers().get(&IDEMPOTENCY_KEY).cloned())
        });
        let Ok(key) = IdempotencyKeyLayer::new().layer(seen).oneshot(request).await;
        key
    }

    #[tokio::test]
    async fn a_post_and_a_patch_get_a_quoted_uuid() {
        for method in ["POST", "PATCH"] {
            let key = key_of(Request::builder().method(method).body(()).unwrap()).await.unwrap();
            let key = key.to_str().unwrap().strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap();
            let groups: Vec<_> = key.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{key}");
            assert!(key.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()), "{key}");
            assert_eq!(&key[14..15], "4", "the version: {key}");
        }
    }

    #[tokio::test]
    async fn all_other_requests_stay_as_they_are() {
        for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PURGE"] {
            assert_eq!(key_of(Request::builder().method(method).body(()).unwrap()).await, None, "{method}");
        }
        let own = Request::post("/").header("idempotency-key", "\"mine\"").body(()).unwrap();
        assert_eq!(key_of(own).await.unwrap(), "\"mine\"");
    }

    #[tokio::test]
    async fn no_two_calls_have_the_same_key() {
        let mut keys = HashSet::new();
        for _ in 0..1_000 {
            assert!(keys.insert(key_of(Request::post("/").body(()).unwrap()).await));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_attempts_of_a_call_carry_the_same_key() {
        use http::Response;
        use http_body_util::Full;
        use std::sync::{Arc, Mutex};

        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let upstream = service_fn(move |request: Request<Full<bytes::Bytes>>| {
            log.lock().unwrap().push(request.headers().get(&IDEMPOTENCY_KEY).cloned());
            std::future::ready(Ok::<_, Infallible>(
                Response::builder().status(503).body(String::new()).unwrap(),
            ))
        });
        let service = ServiceBuilder::new()
            .layer(IdempotencyKeyLayer::new())
            .layer(crate::RetryLayer::new().budget(crate::Budget::none()))
            .service(upstream);
        for _ in 0..2 {
            service.clone().oneshot(Request::post("/").body(Full::default()).unwrap()).await.unwrap();
        }
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 6);
        assert!(seen.iter().all(Option::is_some));
        assert!(seen[..3].iter().all(|key| *key == seen[0]) && seen[3..].iter().all(|key| *key == seen[3]));
        assert_ne!(seen[0], seen[3]);
    }
}
