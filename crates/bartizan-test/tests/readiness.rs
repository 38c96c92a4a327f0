//! What the readiness probe writes down.

use bartizan_test::{
    contract::{Inner, Readiness},
    readiness,
};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower_service::Service;

type Req = Request<Full<Bytes>>;

async fn ready<S: Service<Req>>(service: &mut S) -> Result<(), S::Error> {
    std::future::poll_fn(|cx| service.poll_ready(cx)).await
}

#[tokio::test]
async fn events_stand_in_order() {
    let (inner, probe) = Inner::new();
    probe.script_readiness([Readiness::Now, Readiness::After(1)], Readiness::Fails);
    let (mut service, log) = readiness::record(inner);

    ready(&mut service).await.unwrap();
    service.call(Req::default()).await.unwrap();
    let mut clone = service.clone();
    let waiting = async {
        tokio::task::yield_now().await;
        probe.release();
    };
    let (polled, ()) = tokio::join!(ready(&mut clone), waiting);
    polled.unwrap();
    clone.call(Req::default()).await.unwrap();
    drop(clone);
    ready(&mut service).await.unwrap_err();

    assert_eq!(log.text(), "ready, call, clone, pending, ready, call, failed");
    assert_eq!(log.with_drops(), "ready, call, clone, pending, ready, call, drop, failed");
    assert_eq!(log.with_instances(), "ready 0, call 0, clone 0, pending 1, ready 1, call 1, failed 0");
}

#[tokio::test]
async fn a_cleared_log_starts_anew() {
    let (inner, _probe) = Inner::new();
    let (service, log) = readiness::record(inner);
    let clone = service.clone();
    log.clear();
    drop(service);
    drop(clone.clone());
    assert_eq!(log.entries().len(), 3);
    assert_eq!(log.with_instances(), "clone 1");
}
