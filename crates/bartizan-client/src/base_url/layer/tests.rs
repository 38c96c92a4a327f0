use bartizan_core::{Rejection, find_source};
use http::{Response, Uri};
use tower::limit::ConcurrencyLimitLayer;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::*;

fn client(
    base: &str,
) -> impl Service<Request<()>, Response = Response<Uri>, Error = BoxError> + Clone + use<> {
    ServiceBuilder::new()
        .layer(BaseUrlLayer::new(BaseUrl::new(base).unwrap()))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(service_fn(|request: Request<()>| async move {
            Ok::<_, BoxError>(Response::new(request.uri().clone()))
        }))
}

fn to(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

#[tokio::test]
async fn each_request_goes_below_the_base() {
    let client = client("https://h/v1");
    for (asked, sent) in [
        ("/users?x=1", "https://h/v1/users?x=1"),
        ("users", "https://h/v1/users"),
        ("https://h/v1/users", "https://h/v1/users"),
    ] {
        let answer = client.clone().oneshot(to(asked)).await.unwrap();
        assert_eq!(answer.body(), sent);
    }
}

#[tokio::test]
async fn a_refusal_is_a_rejection_with_the_reason() {
    let error = client("https://h/v1").oneshot(to("https://other.example/v1")).await.unwrap_err();
    assert!(find_source::<Rejection>(&*error).is_some_and(|rejection| rejection.retry_in().is_none()));
    let error = error.downcast::<InvalidReference>().unwrap();
    assert_eq!(error.reference(), "https://other.example/v1");
}

#[tokio::test]
async fn an_idle_handle_that_refused_keeps_no_permit() {
    let mut idle = client("https://h/v1");
    let other = idle.clone();
    let refused = idle.ready().await.unwrap().call(to("/.."));
    let answered = first_poll(other.oneshot(to("/x")));
    assert!(answered.is_some_and(|answer| answer.is_ok()), "the only permit is free");
    refused.await.unwrap_err();
}

/// What a future says at its first poll.
fn first_poll<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    match future.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[test]
fn debug_shows_the_base() {
    let layer = BaseUrlLayer::new(BaseUrl::new("https://h/v1/").unwrap());
    assert_eq!(format!("{layer:?}"), "BaseUrlLayer { base: BaseUrl(https://h/v1) }");
    assert_eq!(
        format!("{:?}", layer.layer("inner")),
        "WithBaseUrl { base: BaseUrl(https://h/v1), inner: \"inner\" }"
    );
}
