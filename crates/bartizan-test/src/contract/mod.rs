//! The readiness contract of `tower_service::Service`, as a check that any layer can be put to.
//!
//! ```
//! use bartizan_test::contract;
//!
//! contract::check(|| tower::timeout::TimeoutLayer::new(std::time::Duration::from_secs(10)));
//! ```
//!
//! [`check`] makes the layer anew for each of some hundred short runs over [`Inner`], a scripted service that knows
//! when it is called out of turn and counts its permits, futures and responses. Every run has a tokio runtime of its
//! own with paused time, which the kit turns by hand: no sockets, no sleeps, no flakes. What was found is one
//! [`Violation`] for each broken [`Rule`].
//!
//! # What is legal
//!
//! All shapes of readiness that keep the contract: a service that passes its inner's readiness through; one that is
//! always ready and whose futures poll a clone; one that says ready while the inner is pending and whose future takes
//! that instance along. It may call the inner many times or not at all, refuse, answer by itself, wait for the clock,
//! spawn tasks. A handle that was polled ready may hold a permit until it is called, and a response until it is dropped.
//! Calls are compared with each other, hence a layer should do the same twice: a cache, say, is given requests for
//! distinct paths and responses that may not be stored.
//!
//! # What it asks for
//!
//! The service is `Clone`, `Send` and `'static`, and so is its future, since `tower::buffer::Buffer` asks that; a test
//! that a layer also works over an inner that is not `Send` is [`accepts_local`]. A layer that waits for other threads,
//! such as `spawn_blocking`, cannot be checked, as nobody knows when they are done; nor does anything end a `poll` that
//! never returns. An hour is the longest time known here: a layer that waits longer hangs, a limit that takes longer to
//! refill leaks, so give it small ones.

mod bench;
mod drive;
mod inner;
mod local;
mod probe;
mod rule;
mod scenarios;
mod script;
mod subject;

use std::{any::TypeId, convert::Infallible};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower::{BoxError, buffer::Buffer};
use tower_layer::Layer;
use tower_service::Service;

pub use self::{
    inner::{Inner, InnerFuture},
    local::{LocalFuture, LocalInner, accepts_local},
    probe::Probe,
    rule::{Rule, Violation},
    script::{Answer, CallFailed, Misuse, NotReady, Readiness},
};

use self::subject::{Handle, Subject};

/// Puts the layer that `make` returns to the whole contract.
///
/// # Panics
///
/// With a report of all violations, if there are any.
#[track_caller]
pub fn check<L, RB>(make: impl Fn() -> L)
where
    L: Layer<Inner>,
    L::Service: Service<
            Request<Full<Bytes>>,
            Response = Response<RB>,
            Error: Into<BoxError> + Send + Sync,
            Future: Send,
        > + Clone
        + Send
        + 'static,
    RB: Body + 'static,
{
    check_with(make, request);
}

/// The same with requests of your own, for layers that let only certain ones pass.
///
/// `request` is given the number of the call within its run.
///
/// # Panics
///
/// With a report of all violations, if there are any.
#[track_caller]
pub fn check_with<L, RB>(make: impl Fn() -> L, request: impl Fn(usize) -> Request<Full<Bytes>>)
where
    L: Layer<Inner>,
    L::Service: Service<
            Request<Full<Bytes>>,
            Response = Response<RB>,
            Error: Into<BoxError> + Send + Sync,
            Future: Send,
        > + Clone
        + Send
        + 'static,
    RB: Body + 'static,
{
    let violations = violations_with(make, request);
    assert!(violations.is_empty(), "{}", report(&violations));
}

/// What [`check`] would report, for tests of layers that are broken on purpose.
pub fn violations<L, RB>(make: impl Fn() -> L) -> Vec<Violation>
where
    L: Layer<Inner>,
    L::Service: Service<
            Request<Full<Bytes>>,
            Response = Response<RB>,
            Error: Into<BoxError> + Send + Sync,
            Future: Send,
        > + Clone
        + Send
        + 'static,
    RB: Body + 'static,
{
    violations_with(make, request)
}

/// What [`check_with`] would report.
pub fn violations_with<L, RB>(
    make: impl Fn() -> L,
    request: impl Fn(usize) -> Request<Full<Bytes>>,
) -> Vec<Violation>
where
    L: Layer<Inner>,
    L::Service: Service<
            Request<Full<Bytes>>,
            Response = Response<RB>,
            Error: Into<BoxError> + Send + Sync,
            Future: Send,
        > + Clone
        + Send
        + 'static,
    RB: Body + 'static,
{
    let subject = Subject {
        plain: &|inner| Handle::new(make().layer(inner)),
        buffered: &|inner| Handle::new(Buffer::new(make().layer(inner), 4)),
        can_fail: TypeId::of::<<L::Service as Service<Request<Full<Bytes>>>>::Error>()
            != TypeId::of::<Infallible>(),
        request: &request,
    };
    scenarios::run_all(&subject).into_vec()
}

/// A GET of a path that no other call of the same run asks for.
fn request(nth: usize) -> Request<Full<Bytes>> {
    Request::get(format!("http://contract.localhost/{nth}"))
        .body(Full::default())
        .expect("a number makes a valid path")
}

fn report(violations: &[Violation]) -> String {
    let mut text = format!("the layer breaks {} of the rules of tower's Service contract:", violations.len());
    for violation in violations {
        text.push_str("\n  ");
        text.push_str(&violation.to_string());
    }
    text
}
