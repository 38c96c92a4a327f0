//! An HTTP cache by RFC 9111: it answers from memory what was asked before, as far as the origin allows it, and asks the origin whether the rest
//! still holds.
//!
//! ```
//! use bartizan_cache::CacheLayer;
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), bartizan_core::BoxError> {
//! # let http_client = tower::service_fn(|_: Request<Full<Bytes>>| async {
//! #     Ok::<_, std::convert::Infallible>(Response::builder().header("cache-control", "max-age=60").body(Full::new(Bytes::from("hello"))).unwrap())
//! # });
//! let client = ServiceBuilder::new().layer(CacheLayer::rfc9111()).service(http_client);
//! let get = || Request::get("http://api.example.com/greeting").body(Full::default());
//!
//! let first = client.clone().oneshot(get()?).await?;
//! assert!(!first.headers().contains_key("age"));
//! // It is stored once its body has been read to the end.
//! first.into_body().collect().await?;
//!
//! let second = client.oneshot(get()?).await?;
//! assert_eq!(second.headers()["age"], "0");
//! assert_eq!(second.into_body().collect().await?.to_bytes(), "hello");
//! # Ok(()) }
//! ```
//!
//! # Two ways
//!
//! [`CacheLayer::rfc9111`] does what the fields of both sides say. It is *private*: what was asked for with `Authorization`, or for one
//! [partition](bartizan_core::CallContext::partition), answers nobody else. [`CacheLayer::shared`] makes it a shared cache, as a proxy has one.
//! [`CacheLayer::ttl_lru`] is for APIs that say nothing of freshness: it keeps 200s to GET for so long, whatever they say but `no-store`.
//!
//! # Defaults
//!
//! | | default | set with | why |
//! |---|---|---|---|
//! | memory | 64 MiB of heads and bodies, the least recently used makes room | [`CacheLayer::max_bytes`], [`CacheLayer::store`] | some ten thousand answers of an API |
//! | one response | at most 8 MiB of body and an eighth of the memory; above that it passes and is forgotten | [`CacheLayer::max_body`] | one download must not push out all else |
//! | one head | at most 1024 lines; above that it passes and is forgotten | | a map of fields has its limit, and a hit adds to it |
//! | variants of a target | 32, and a quarter of the memory | | memory is bounded |
//! | parts of a target | 32, with as many bytes as one body may have | | so too |
//! | without freshness | a tenth of the time since `Last-Modified`, at most 7 days, for the statuses that RFC 9110 section 15.1 lists | | RFC 9111 section 4.2.2 |
//! | it says nothing at all | it is asked for each time | [`CacheLayer::default_ttl`] | RFC 9111 section 4.2.2: nobody knows |
//! | the origin is not reached | a stale response answers for a day, unless it says otherwise | [`CacheLayer::stale_if_unreachable`] | RFC 9111 section 4.2.4 |
//! | and none may answer | the inner's error | [`CacheLayer::respond`] | whoever stands outside knows errors better than a 504 |
//! | a 500, 502, 503 or 504 | is passed on, unless `stale-if-error` allows a stale one | | RFC 5861 section 4 |
//! | what it did | is told to nobody | [`CacheLayer::hook`], [`CacheLayer::status`], [`CacheLayer::status_field`] | RFC 9211 section 6 |
//! | targeted fields | none | [`CacheLayer::targets`], feature `targeted-fields` | RFC 9213 |
//!
//! # One call
//!
//! A caller says in the [`CallContext`](bartizan_core::CallContext) of a request what may answer it, in the words of the Fetch standard
//! ([`CacheMode`](bartizan_core::CacheMode): past the cache, anew, or whatever is stored), and how long its answer is fresh.
//!
//! ```
//! use bartizan_core::{CacheMode, CallContext};
//!
//! let mut request = http::Request::new(());
//! CallContext::edit(request.extensions_mut()).cache_mut().mode = CacheMode::Reload;
//! ```
//!
//! # By hand
//!
//! [`CacheLayer::get`], [`insert`](CacheLayer::insert), [`remove`](CacheLayer::remove) and [`clear`](CacheLayer::clear) look, put in and take away.
//!
//! # What it does not do
//!
//! `ttl_lru` heeds no directive of a request but `no-store`, and stores no parts. A GET or HEAD with content passes: what the content means only
//! the origin knows. `Vary` is matched by what fields mean only for `Accept` and its kin. A `Date` that an origin left out is not added
//! (RFC 9110 section 6.6.1 asks for it), and `immutable` is heeded over plain HTTP too (RFC 8246 section 3 would rather not), where caches in one
//! house stand. The memory is that of one process; [`Store`] is where another one begins.
//!
//! # Many who ask at once
//!
//! Of those who miss the same at once, or find it stale, one goes, and the others wait for the head of what he gets: 10 s at most from when he
//! went, since he may have stopped polling. If it is stored and fresh they read the body as it comes, from the first byte; whoever polls
//! drives it, so nobody waits for a slow reader, and who leaves leaves it to the others. If not all go at once, and for 10 s nobody
//! waits for that target. What turns out to be too long to be stored goes on for those who read it, none more than 8 MiB ahead of another, who
//! is left behind with an error after 10 s. Requests with conditions, `Range` or `no-store` wait for nobody, and with `Authorization` only in a
//! private cache, for others with the same.
//!
//! # Parts
//!
//! A 206 to a single range of bytes is kept as a part, and answers ranges that lie wholly within it while it is fresh. Parts that have the same
//! strong `ETag` become one where they meet, and the whole once nothing is missing. If a part is the beginning of what is asked for, only the
//! rest is fetched, with `If-Range`: the client has the beginning before the rest comes, and gets all of it as one answer. Without a
//! strong `ETag` nothing is put together. Requests for several ranges pass.
//!
//! # Stale while it is fetched
//!
//! Within `stale-while-revalidate` a stale response answers, and a task is spawned on the caller's runtime of tokio, one at a time for each target and
//! variant, that fetches it anew: with the fields and extensions of the request that set it off, but without its conditions, its `Range` and its
//! deadline. It is given up after 30 s. If it was in vain there is no other one for 10 s. Outside of a runtime the caller waits for it.
//! Because of that task the inner service, its future and both bodies have to be `Send + 'static`.
//!
//! # Errors
//!
//! Before the head none of its own: the inner's pass. The body's error is a [`BoxError`](bartizan_core::BoxError): what broke off, or, if several read it,
//! one error each, of which that is the source. With `only-if-cached` and nothing stored the answer is a 504, marked with a
//! [`Rejection`](bartizan_core::Rejection): nothing was sent.
//!
//! # Where it stands
//!
//! Outside retry, auth and every limit: a hit needs neither token nor upstream. Since it stands outside auth, put the caller's partition into the
//! [`CallContext`](bartizan_core::CallContext) where one client serves several principals.
//!
//! # Readiness
//!
//! Decoupled: always ready, since a hit needs nothing of the inner. A miss polls a clone of its own ready.
//!
//! # Failures
//!
//! | when | what happens |
//! |---|---|
//! | the future is dropped before the head | the inner's goes with it, and nothing is stored; the next of those who wait for it goes |
//! | the body is dropped by all who read it, breaks off, or is shorter or longer than it said | nothing is stored |
//! | the origin is not reached, or fails to become ready | a stale response, if one is allowed; else its error |
//! | a 304 is about something that is not stored | the request goes once more, without conditions; a body that cannot be replayed is never validated |
//! | what should be the rest of a part is not | likewise, without a range of the cache's own |
//! | the rest of a part has not the length that its head says | the body breaks off with an error, and the part stays |
//! | something changes while a response is on its way | it is not stored, and is for nobody who asks from then on or waits for it |
//!
//! # Cost
//!
//! A hit copies no byte of the body; it costs the copy of the head and one look-up in a map of [moka](https://docs.rs/moka).
//!
//! Of the memory a 64th tells what has changed: a change of one target may, one time in as many as there are eight bytes in it, make another one
//! invalid too, but is never forgotten.

mod background;
mod body;
mod changes;
mod conditions;
mod engine;
mod etag;
mod fields;
mod fill;
mod flight;
pub mod future;
#[cfg(test)]
mod given;
mod growing;
mod hook;
mod key;
mod layer;
mod named;
mod not_stored;
mod parts;
mod people;
mod range;
mod reuse;
mod service;
mod singleton;
mod status;
mod store;
mod stored;
mod storing;
#[cfg(feature = "targeted-fields")]
#[path = "fields/structured.rs"]
mod structured;
#[cfg(not(feature = "targeted-fields"))]
#[path = "fields/no_structured.rs"]
mod structured;
mod trace;
mod update;

pub use body::CacheBody;
pub use hook::{Event, Hook, Target};
pub use layer::CacheLayer;
pub use not_stored::NotStored;
pub use service::Cache;
pub use status::{CacheStatus, Forward};
pub use store::{Change, Entry, Memory, Store};

#[cfg(test)]
mod tests;
#[cfg(all(test, feature = "targeted-fields"))]
#[path = "tests/targeted.rs"]
mod tests_of_targeted;
