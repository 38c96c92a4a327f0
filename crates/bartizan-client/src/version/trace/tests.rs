use std::time::{Duration, SystemTime};

use bartizan_test::trace::{Level, captured};
use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};

use super::*;
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

#[test]
fn dates_are_readable() {
    for (seconds, expected) in [
        (0, "1970-01-01T00:00:00Z"),
        (784_111_777, "1994-11-06T08:49:37Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (951_868_799, "2000-02-29T23:59:59Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (1_688_169_599, "2023-06-30T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(Utc(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string(), expected);
    }
    assert_eq!(Utc(SystemTime::UNIX_EPOCH - Duration::from_secs(1)).to_string(), "1969-12-31T23:59:59Z");
}
