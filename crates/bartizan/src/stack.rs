//! The layers in their standard order, in one line.

mod build;
mod check;
mod part;
mod preset;
mod shown;
#[cfg(test)]
mod tests;

use tower_layer::Identity;

pub use build::{BuiltStack, Layers};
pub use check::{InvalidStack, Warning};
pub use part::{Facts, Own, Part};

/// The layers in their standard order: what a `ServiceBuilder` makes of them, without a chance to get the order wrong.
///
/// ```
/// use bartizan::Stack;
/// use bartizan::auth::{ApiKey, AuthLayer, Origins};
/// use bartizan::cache::CacheLayer;
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// use tower::{Layer, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), bartizan::core::BoxError> {
/// # let http_client = tower::service_fn(|_: Request<Full<Bytes>>| async { Ok::<_, bartizan::core::BoxError>(Response::new(Full::new(Bytes::from("hello")))) });
/// let origins = Origins::new(["https://api.example.com"])?;
/// let stack = Stack::standard()
///     .cache(CacheLayer::rfc9111())
///     .auth(AuthLayer::new(origins, ApiKey::new("s3cr3t")?))
///     .build()?;
/// let client = stack.layer(http_client);
/// let answer = client.oneshot(Request::get("https://api.example.com/users").body(Full::default())?).await?;
/// # assert!(answer.status().is_success());
/// # Ok(()) }
/// ```
///
/// # The order
///
/// Outermost first. What is left out costs nothing.
///
/// | place | set with | in [`standard`](Self::standard) | why there |
/// |---|---|---|---|
/// | around calls | [`calls`](Self::calls) | nothing | sees each call once: spans, headers, interceptors |
/// | identity | [`auth`](Self::auth) | nothing | tells the cache whose a call is, and fetches no token |
/// | deadline | [`deadline`](Self::deadline) | 30 s to the head | bounds all attempts and their waits |
/// | cache | [`cache`](Self::cache) | nothing | a hit needs neither token nor origin |
/// | retry | [`retry`](Self::retry) | 3 attempts, a budget of a fifth of the successes | has a new token and a new permit for each attempt |
/// | auth | [`auth`](Self::auth) | nothing | the next attempt goes with the token that came meanwhile |
/// | the breaker's gate | [`breaker`](Self::breaker) | as the breaker | nobody queues for a call that an open circuit will refuse |
/// | rate limit | [`limit`](Self::limit) | no quota; heeds 429 and what the origin says of its quotas. A 503 is left to retry and breaker, since those who all wait for its `Retry-After` overload the origin again | its waits are not the origin's slowness |
/// | circuit breaker | [`breaker`](Self::breaker) | opens at half of at least 10 calls in 30 s | a hang counts, since the timeout stands inside |
/// | around attempts | [`attempts`](Self::attempts) | nothing | sees each attempt: spans, signatures |
/// | attempt timeout | [`attempt_timeout`](Self::attempt_timeout) | 10 s | a hung attempt is one that failed |
/// | body timeout | [`body_timeout`](Self::body_timeout) | 30 s for the next frame | counts what comes over the wire |
///
/// Each place takes the layer of its crate, with its own settings and hooks; any other in [`Own`]; and [`Identity`] to leave it out.
///
/// # What is checked
///
/// [`build`](Self::build) refuses what cannot be meant, and names the fix; what may be meant it [warns](BuiltStack::warnings) of. `Debug` of what is built
/// shows the order, and when attempts are made.
#[derive(Clone)]
pub struct Stack<
    Calls = Identity,
    Deadline = Identity,
    Cache = Identity,
    Retry = Identity,
    Auth = Identity,
    Limit = Identity,
    Breaker = Identity,
    Attempts = Identity,
    AttemptTimeout = Identity,
    BodyTimeout = Identity,
> {
    calls: Calls,
    deadline: Deadline,
    cache: Cache,
    retry: Retry,
    auth: Auth,
    limit: Limit,
    breaker: Breaker,
    attempts: Attempts,
    attempt_timeout: AttemptTimeout,
    body_timeout: BodyTimeout,
}

impl Stack {
    /// Nothing yet: each place is left out.
    pub fn empty() -> Self {
        let nothing = Identity::new;
        Self {
            calls: nothing(),
            deadline: nothing(),
            cache: nothing(),
            retry: nothing(),
            auth: nothing(),
            limit: nothing(),
            breaker: nothing(),
            attempts: nothing(),
            attempt_timeout: nothing(),
            body_timeout: nothing(),
        }
    }
}

/// For each place a setter, which changes the type of that place alone.
macro_rules! places {
    ([$($before:ident: $Before:ident,)*]) => {};
    (
        [$($before:ident: $Before:ident,)*]
        $(#[$doc:meta])* $place:ident: $Place:ident,
        $($(#[$rest_doc:meta])* $rest:ident: $Rest:ident,)*
    ) => {
        impl<$($Before,)* $Place, $($Rest,)*> Stack<$($Before,)* $Place, $($Rest,)*> {
            $(#[$doc])*
            pub fn $place<L: Part>(self, layer: L) -> Stack<$($Before,)* L, $($Rest,)*> {
                Stack { $($before: self.$before,)* $place: layer, $($rest: self.$rest,)* }
            }
        }
        places!([$($before: $Before,)* $place: $Place,] $($(#[$rest_doc])* $rest: $Rest,)*);
    };
}

places!([]
    /// What stands outside of all, and sees each call once. By default nothing.
    calls: C,
    /// The time of the whole call: a `DeadlineLayer`. 30 s by default.
    deadline: D,
    /// A `CacheLayer`. By default there is none.
    cache: K,
    /// A `RetryLayer`. By default 3 attempts, with a budget.
    retry: R,
    /// An `AuthLayer`; its outer half is put outside of the cache. By default there is none.
    auth: A,
    /// A `RateLimitLayer`. By default there is no quota, and the origin's own word is heeded.
    limit: L0,
    /// A `CircuitBreakerLayer`; its gate is put outside of the rate limit. By default there is one for each origin.
    breaker: B,
    /// What sees each attempt. By default nothing.
    attempts: T,
    /// An `AttemptTimeoutLayer`. 10 s by default.
    attempt_timeout: M,
    /// A `BodyTimeoutLayer`. 30 s by default.
    body_timeout: W,
);
