//! How calls are made: by polling by hand, with a waker that does nothing.

use std::fmt::Debug;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body::Body;
use http_body_util::Full;
use tower_service::Service;

/// Polls until it is ready. No runtime turns meanwhile, so a timer may be registered but never fires.
pub fn poll_to_end<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// Polls the service ready, calls it, polls the answer to its end.
///
/// # Errors
///
/// Those of the service.
pub fn call<S: Service<Request<B>>, B>(
    service: &mut S,
    request: Request<B>,
) -> Result<S::Response, S::Error> {
    poll_to_end(std::future::poll_fn(|cx| service.poll_ready(cx)))?;
    poll_to_end(service.call(request))
}

/// One call after the other over clones of `request`.
///
/// # Panics
///
/// If a call fails.
#[inline(never)]
pub fn calls<S, B>(mut service: S, request: &Request<B>, calls: u64)
where
    S: Service<Request<B>>,
    S::Error: Debug,
    B: Clone,
{
    for _ in 0..calls {
        let answer = call(&mut service, black_box(request.clone()));
        black_box(answer.expect("no upstream of the benches fails"));
    }
}

/// Polls a body to its end, as [`poll_to_end`] does a future.
fn read<B: Body<Error: Debug>>(body: B) {
    let mut body = pin!(body);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match body.as_mut().poll_frame(&mut cx) {
            Poll::Ready(Some(frame)) => drop(black_box(frame.expect("no body of the benches fails"))),
            Poll::Ready(None) => return,
            Poll::Pending => {}
        }
    }
}

/// As [`calls`], and each answer's body is read to its end.
///
/// # Panics
///
/// If a call or a body fails.
#[inline(never)]
pub fn reads<S, B, R>(mut service: S, request: &Request<B>, calls: u64)
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Debug,
    B: Clone,
    R: Body<Error: Debug>,
{
    for _ in 0..calls {
        let answer = call(&mut service, black_box(request.clone()));
        read(answer.expect("no upstream of the benches fails").into_body());
    }
}

/// `{method} http://api.example.com/v1/items?page=1` with two header fields, parsed as a client would.
///
/// # Panics
///
/// If a valid request is refused.
pub fn request<B>(method: Method, body: B) -> Request<B> {
    let uri = String::from("http://api.example.com/v1/items?page=1");
    Request::builder()
        .method(method)
        .uri(uri)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, "bench/1.0")
        .body(body)
        .expect("a valid request")
}

/// A GET whose body is `Full`, of static bytes.
pub fn get() -> Request<Full<Bytes>> {
    request(Method::GET, Full::new(Bytes::from_static(b"")))
}

/// A POST whose body is `Full`, of static bytes.
pub fn post() -> Request<Full<Bytes>> {
    request(Method::POST, Full::new(Bytes::from_static(b"{\"name\":\"item\"}")))
}

/// As many as the machines have that this is measured on.
const THREADS: u64 = 2;

/// Without HTTP, one after the other.
pub(crate) fn by_one(calls: u64, call: impl Fn()) {
    for _ in 0..calls {
        call();
        black_box(());
    }
}

/// Each time a hundred from two threads, so that the start of the threads is little beside it.
pub(crate) fn by_all(times: u64, call: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| by_one(times * 100 / THREADS, &call));
        }
    });
}
