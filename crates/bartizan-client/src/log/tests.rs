use std::convert::Infallible;
use std::error::Error;
use std::future::pending;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{Attempts, BoxError, CallContext, Head, Outcome, PathTemplate, Rejection};
use http::{Request, Response, Uri};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::line::line;
use super::*;
use crate::chained::{Wrapped, chained};

/// Every record, as `Debug` prints it.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Hook for Told {
    fn finished(&self, record: &Record<'_>) {
        let mut text = format!("{} {}", record.scope, record.ended);
        if let Some(attempts) = record.attempts {
            text += &format!(" {attempts}");
        }
        text += &format!(" {} {}{}", record.method, record.host.unwrap_or("-"), record.path);
        if let Some(status) = record.status {
            text += &format!(" {}", status.as_u16());
        }
        if let Some(error) = record.error_line() {
            text += &format!(" ({error})");
        }
        self.0.lock().unwrap().push(format!("{text} {:?}", record.took));
    }
}

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

const URI: &str = "http://alice:hunter2@api.example.com:8080/users/1?token=s3cret";

fn request() -> Request<()> {
    Request::get(URI).body(()).unwrap()
}

/// Answers after a second.
fn answering(
    answer: impl Fn() -> Result<Response<()>, BoxError> + Clone,
) -> impl Service<Request<()>, Response = Response<()>, Error = BoxError> + Clone {
    service_fn(move |_: Request<()>| {
        let answer = answer();
        async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            answer
        }
    })
}

fn status(status: u16) -> Result<Response<()>, BoxError> {
    Ok(Response::builder().status(status).body(()).unwrap())
}

/// What the hook was told of one call.
async fn told(
    layer: LogLayer,
    answer: impl Fn() -> Result<Response<()>, BoxError> + Clone,
    request: Request<()>,
) -> String {
    let told = Told::default();
    let _ = layer.hook(told.clone()).layer(answering(answer)).oneshot(request).await;
    let lines = told.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].clone()
}

#[tokio::test(start_paused = true)]
async fn a_call_and_its_answer() {
    let line = told(LogLayer::call(), || status(200), request()).await;
    assert_eq!(line, "call ok 1 GET api.example.com:8080/users/1 200 1s");
}

#[tokio::test(start_paused = true)]
async fn a_template_stands_for_the_path() {
    let mut request = request();
    request.extensions_mut().insert(PathTemplate::from_static("/users/{id}"));
    let line = told(LogLayer::call(), || status(200), request).await;
    assert_eq!(line, "call ok 1 GET api.example.com:8080/users/{id} 200 1s");
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_ok_or_failed_as_the_other_layers_have_it() {
    for (code, expected) in [(404, "ok"), (429, "failed"), (503, "failed")] {
        let line = told(LogLayer::call(), move || status(code), request()).await;
        assert_eq!(line, format!("call {expected} 1 GET api.example.com:8080/users/1 {code} 1s"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_classifier_of_the_caller_decides() {
    let all_failed = |_: Result<Head<'_>, &(dyn Error + 'static)>| Outcome::Failure;
    let told = Told::default();
    let layer = LogLayer::call().with_classifier(all_failed).hook(told.clone());
    layer.layer(answering(|| status(200))).oneshot(request()).await.unwrap();
    assert!(told.take()[0].starts_with("call failed "));
}

#[tokio::test(start_paused = true)]
async fn an_error_has_its_sources_and_the_number_of_attempts_if_it_tells() {
    let failing = || Err(chained(&["connect", "timed out"]).into());
    let line = told(LogLayer::call(), failing, request()).await;
    assert_eq!(line, "call failed GET api.example.com:8080/users/1 (connect: timed out) 1s");
    let spent = || {
        let three = NonZeroU32::new(3).unwrap();
        Err(bartizan_core::RetriesSpent::new(three, chained(&["timed out"]).into()).into())
    };
    let line = told(LogLayer::call(), spent, request()).await;
    assert!(line.starts_with("call failed 3 GET "), "{line}");
    assert!(line.ends_with("(gave up after 3 attempts: timed out) 1s"), "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_apart() {
    let line = told(LogLayer::call(), || Err(Rejection::new(None).into()), request()).await;
    assert_eq!(line, "call refused GET api.example.com:8080/users/1 (nothing was sent) 1s");
    let answer = || {
        status(503).map(|mut response| {
            response.extensions_mut().insert(Rejection::new(None));
            response
        })
    };
    let line = told(LogLayer::call(), answer, request()).await;
    assert_eq!(line, "call refused 1 GET api.example.com:8080/users/1 503 1s");
}

#[tokio::test(start_paused = true)]
async fn a_call_says_how_many_attempts_were_made() {
    let answer = || {
        status(200).map(|mut response| {
            response.extensions_mut().insert(Attempts(NonZeroU32::new(3).unwrap()));
            response
        })
    };
    let line = told(LogLayer::call(), answer, request()).await;
    assert!(line.starts_with("call ok 3 "), "{line}");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_says_which_it_is() {
    let line = told(LogLayer::attempt(), || status(200), request()).await;
    assert!(line.starts_with("attempt ok 1 "), "{line}");
    let mut second = request();
    CallContext::edit(second.extensions_mut()).set_attempt(NonZeroU32::new(2).unwrap());
    let line = told(LogLayer::attempt(), || Err("no".into()), second).await;
    assert!(line.starts_with("attempt failed 2 "), "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_drop_is_told_at_any_point_once_and_after_the_inner_is_gone() {
    for polls in [false, true] {
        let told = Told::default();
        let alive = Arc::new(());
        let seen = alive.clone();
        let hanging = service_fn(move |_: Request<()>| {
            let alive = alive.clone();
            async move {
                pending::<()>().await;
                drop(alive);
                Ok::<_, Infallible>(Response::new(()))
            }
        });

        struct Watching(Told, Arc<()>);
        impl Hook for Watching {
            fn finished(&self, record: &Record<'_>) {
                assert_eq!(Arc::strong_count(&self.1), 2, "the service has one, and the future none");
                self.0.finished(record);
            }
        }
        let layer = LogLayer::call().hook(Arc::new(Watching(told.clone(), seen)));
        let mut service = layer.layer(hanging);
        let future = Box::pin(service.ready().await.unwrap().call(request()));
        if polls {
            assert!(tokio::time::timeout(Duration::from_secs(2), future).await.is_err());
        } else {
            drop(future);
        }
        let took = if polls { "2s" } else { "0ns" };
        assert_eq!(told.take(), [format!("call dropped GET api.example.com:8080/users/1 {took}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_inside_is_the_inners() {
    let failing = service_fn(|_: Request<()>| async { Err::<Response<()>, _>(chained(&["no"])) });
    let error = LogLayer::call().layer(failing).oneshot(request()).await.unwrap_err();
    assert_eq!(error.downcast_ref::<Box<Wrapped>>().map(|error| error.0), Some("no"));
}

#[tokio::test(start_paused = true)]
async fn disabled_tells_nothing() {
    let told = Told::default();
    let layer = LogLayer::disabled().hook(told.clone());
    layer.layer(answering(|| status(200))).oneshot(request()).await.unwrap();
    assert_eq!(told.take(), [""; 0]);
}

fn text(text: &str, uri: &str) -> String {
    let error: BoxError = text.into();
    line(&*error, &uri.parse::<Uri>().unwrap())
}

#[test]
fn an_error_shows_neither_query_nor_user() {
    for (before, after) in [
        (
            "error sending request for url (http://alice:hunter2@api.example.com:8080/users/1?token=s3cret)",
            "error sending request for url (http://api.example.com:8080/users/1?token=..)",
        ),
        ("bad token s3cret", "bad token .."),
        ("wrong password hunter2 for alice", "wrong password .. for .."),
        ("token=s3cret is too old", ".. is too old"),
        ("token is missing", "token is missing"),
    ] {
        assert_eq!(text(before, URI), after);
    }
    let encoded = "http://a.example/?key=a%2Fb%2Fc&q=x&flag-of-a-kind";
    for (before, after) in [
        ("no such key: a/b/c", "no such key: .."),
        ("no such key: a%2Fb%2Fc", "no such key: .."),
        ("/?key=a%2Fb%2Fc&q=x&flag-of-a-kind: x", "/?..: x"),
        ("what is a flag-of-a-kind", "what is a .."),
    ] {
        assert_eq!(text(before, encoded), after);
    }
    let one_in_the_other = "http://a.example/?id=abcd&token=abcdefgh";
    assert_eq!(text("abcdefgh is not for abcd", one_in_the_other), ".. is not for ..");
    assert_eq!(text("u:p@a.example/?q=x", "http://u:p@a.example/?q=x"), "..@a.example/?..");
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_printed_shows_a_secret() {
    struct Printing(Mutex<String>);
    impl Hook for Printing {
        fn finished(&self, record: &Record<'_>) {
            *self.0.lock().unwrap() = format!("{record:?}");
        }
    }
    let hook = Arc::new(Printing(Mutex::default()));
    let mut request = request();
    request.headers_mut().insert("authorization", "Bearer t0ken".parse().unwrap());
    let failing = || Err(format!("GET {URI} failed").into());
    let mut service = LogLayer::call().hook(hook.clone()).layer(answering(failing));
    let future = service.ready().await.unwrap().call(request);
    let printed = format!("{future:?}");
    let _ = future.await;
    let printed = printed + &hook.0.lock().unwrap();
    assert!(printed.contains("/users/1"), "{printed}");
    for secret in ["s3cret", "hunter2", "alice", "t0ken"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
