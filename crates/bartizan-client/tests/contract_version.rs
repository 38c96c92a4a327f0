//! The version and log layers keep the contract of `tower_service::Service`, and cost what they say.

use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bartizan_client::log::{self, LogLayer, Record};
use bartizan_client::version::{ApiVersion, ApiVersionLayer};
use bartizan_core::BoxError;
use bartizan_test::alloc::{self, CountingAllocator};
use bartizan_test::contract;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

fn versions() -> Result<[ApiVersion; 4], BoxError> {
    Ok([
        ApiVersion::header("x-api-version", "2")?,
        ApiVersion::media_type("application/vnd.example.v2+json")?,
        ApiVersion::query("api-version", "2")?,
        ApiVersion::path("/v2")?,
    ])
}

#[test]
fn version() -> Result<(), BoxError> {
    for version in versions()? {
        contract::check(|| ApiVersionLayer::new(version.clone()));
    }
    contract::check(ApiVersionLayer::watch_only);
    contract::check(ApiVersionLayer::disabled);
    Ok(())
}

/// Wants every record and does nothing with it.
#[derive(Clone, Debug)]
struct Listener;

impl log::Hook for Listener {
    fn finished(&self, _: &Record<'_>) {}
}

#[test]
fn log() {
    contract::check(LogLayer::call);
    contract::check(LogLayer::disabled);
    contract::check(|| LogLayer::call().hook(Listener));
    contract::check(|| LogLayer::attempt().hook(Listener));
}

#[test]
fn an_inner_that_is_not_send_will_do() {
    contract::accepts_local(&LogLayer::call().hook(Listener));
    contract::accepts_local(&ApiVersionLayer::watch_only());
}

/// Gives the response that it holds.
#[derive(Debug)]
struct Prepared(Option<Response<()>>);

impl Service<Request<()>> for Prepared {
    type Response = Response<()>;
    type Error = BoxError;
    type Future = Ready<Result<Response<()>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(self.0.take().ok_or_else(|| "only one response was prepared".into()))
    }
}

#[test]
fn an_answer_that_announces_nothing_costs_no_allocation() -> Result<(), BoxError> {
    for (field, is_silent) in [("content-type", true), ("link", true), ("sunset", false)] {
        let response = Response::builder().header(field, "Sun, 06 Nov 1994 08:49:37 GMT").body(())?;
        let mut service = ApiVersionLayer::watch_only().layer(Prepared(Some(response)));
        let request = Request::get("https://api.example.com/users?page=2").body(())?;
        let (_response, counts) = alloc::count(|| {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(service.poll_ready(&mut cx).is_ready());
            let mut future = pin!(service.call(request));
            future.as_mut().poll(&mut cx)
        });
        assert_eq!(counts.allocations == 0, is_silent, "{field}: {counts:?}");
    }
    Ok(())
}

#[test]
fn a_log_that_nobody_reads_costs_no_allocation() -> Result<(), BoxError> {
    let mut service = LogLayer::call().layer(Prepared(Some(Response::new(()))));
    // The first clone of such a URI would allocate.
    let request = Request::get("/users?page=2".to_owned()).body(())?;
    let (_response, counts) = alloc::count(|| {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut cx).is_ready());
        let mut future = pin!(service.call(request));
        future.as_mut().poll(&mut cx)
    });
    assert_eq!(counts.allocations, 0, "{counts:?}");
    Ok(())
}
