use bartizan_test::trace::{Level, captured};
use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};

use crate::version::ApiVersionLayer;

#[test]
fn a_deprecated_endpoint_is_one_warning() {
    let inner = service_fn(|_: Request<()>| async {
        Response::builder()
            .header("deprecation", "@1688169599")
            .header("sunset", "Sun, 06 Nov 1994 08:49:37 GMT")
            .header("link", "</v3>; rel=successor-version, </why>; rel=deprecation")
            .body(())
    });
    let lines = captured(Level::Trace, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let layer = ApiVersionLayer::watch_only();
        for token in ["a", "b"] {
            let request = Request::get(format!("http://u:p@a.example/x?{token}")).body(()).unwrap();
            runtime.block_on(layer.layer(inner).oneshot(request)).unwrap();
        }
    })
    .events();
    assert_eq!(
        lines,
        [
            "WARN bartizan_client::version: endpoint is announced to end method=GET host=\"a.example\" path=\"/x\" \
          since=2023-06-30T23:59:59Z sunset=1994-11-06T08:49:37Z successor=\"/v3\" see=\"/why\""
        ]
    );
}

#[test]
fn the_last_endpoint_says_that_there_are_no_more() {
    let inner =
        service_fn(|_: Request<()>| async { Response::builder().header("deprecation", "@1").body(()) });
    let lines = captured(Level::Trace, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let layer = ApiVersionLayer::watch_only();
        for nth in 0..1030 {
            let request = Request::get(format!("/{nth}")).body(()).unwrap();
            runtime.block_on(layer.layer(inner).oneshot(request)).unwrap();
        }
    })
    .events();
    assert_eq!(lines.len(), 1025);
    assert!(lines[1024].contains("no further endpoints are reported"), "{}", lines[1024]);
}
