use std::future::pending;
use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_core::{BoxError, CallContext, Rejection};
use bartizan_test::trace::{Level, captured};
use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};

use crate::log::LogLayer;

#[derive(Clone, Copy)]
enum Answer {
    Status(u16),
    Error,
    Refusal,
    Never,
}

/// The lines of one second attempt through the layer.
fn lines(layer: LogLayer, most: Level, answer: Answer) -> Vec<String> {
    let inner = service_fn(move |_: Request<()>| async move {
        tokio::time::sleep(Duration::from_millis(250)).await;
        match answer {
            Answer::Status(status) => Ok(Response::builder().status(status).body(())?),
            Answer::Error => Err(BoxError::from("no \"luck\"\nat all")),
            Answer::Refusal => Err(Rejection::new(None).into()),
            Answer::Never => pending().await,
        }
    });
    let uri = "https://alice:hunter2@api.example.com/users?token=s3cret";
    let mut request = Request::get(uri).header("x-secret", "s3cret").body(()).unwrap();
    CallContext::edit(request.extensions_mut()).set_attempt(NonZeroU32::new(2).unwrap());
    captured(most, || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let call = layer.layer(inner).oneshot(request);
        let _ = runtime.block_on(async { tokio::time::timeout(Duration::from_millis(500), call).await });
    })
    .events()
}

const REQUEST: &str = r#"method=GET host="api.example.com" path="/users""#;

#[test]
fn a_call_is_one_readable_line() {
    let line = |answer| lines(LogLayer::call(), Level::Info, answer);
    for (answer, expected) in [
        (
            Answer::Status(200),
            format!("INFO bartizan_client::log: call ok {REQUEST} status=200 took=250ms attempts=1"),
        ),
        (
            Answer::Status(503),
            format!("WARN bartizan_client::log: call failed {REQUEST} status=503 took=250ms attempts=1"),
        ),
        (
            Answer::Error,
            format!(r#"WARN bartizan_client::log: call failed {REQUEST} error="no \"luck\"" took=250ms"#),
        ),
        (
            Answer::Refusal,
            format!(
                r#"WARN bartizan_client::log: call refused {REQUEST} error="nothing was sent" took=250ms"#
            ),
        ),
        (Answer::Never, format!("INFO bartizan_client::log: call dropped {REQUEST} took=500ms")),
    ] {
        assert_eq!(line(answer), [expected]);
    }
}

#[test]
fn an_attempt_is_a_debug_line() {
    let line = |answer| lines(LogLayer::attempt(), Level::Debug, answer);
    let expected =
        format!("DEBUG bartizan_client::log: attempt ok {REQUEST} status=200 took=250ms attempt=2");
    assert_eq!(line(Answer::Status(200)), [expected]);
    let expected =
        format!("DEBUG bartizan_client::log: attempt failed {REQUEST} status=500 took=250ms attempt=2");
    assert_eq!(line(Answer::Status(500)), [expected]);
    let expected = format!("DEBUG bartizan_client::log: attempt dropped {REQUEST} took=500ms attempt=2");
    assert_eq!(line(Answer::Never), [expected]);
}

#[test]
fn what_the_subscriber_does_not_want_is_not_written() {
    assert_eq!(lines(LogLayer::attempt(), Level::Info, Answer::Error), [""; 0]);
    assert_eq!(lines(LogLayer::call(), Level::Warn, Answer::Status(200)), [""; 0]);
    assert_eq!(lines(LogLayer::call(), Level::Warn, Answer::Error).len(), 1);
    assert_eq!(lines(LogLayer::disabled(), Level::Trace, Answer::Error), [""; 0]);
}
