//! The layer over an inner that tells what it was sent.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bartizan_core::{CallContext, Head, Rejection, ReplayNow, RequestHead, find_source};
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderName, Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt};

use crate::*;

mod refreshing;
mod schemes;
mod tenants;

const HERE: &str = "https://api.example.com/v1?page=2";
const ELSEWHERE: &str = "https://cdn.example.com/v1?page=2";

fn here() -> Origins {
    Origins::new(["https://api.example.com"]).unwrap()
}

/// Answers 200 and keeps the heads.
#[derive(Clone, Default)]
struct Inner(Arc<Mutex<Vec<Parts>>>);

impl Inner {
    fn take(&self) -> Vec<Parts> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Service<Request<Full<Bytes>>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        self.0.lock().unwrap().push(request.into_parts().0);
        ready(Ok(Response::default()))
    }
}

fn request(uri: &str) -> Request<Full<Bytes>> {
    Request::get(uri).body(Full::default()).unwrap()
}

/// The head that is sent.
async fn sent<A: Authorizer>(layer: &AuthLayer<A>, request: Request<Full<Bytes>>) -> Parts {
    let inner = Inner::default();
    layer.layer(inner.clone()).oneshot(request).await.unwrap();
    inner.take().remove(0)
}

async fn refused<A: Authorizer>(layer: &AuthLayer<A>, uri: &str) -> BoxError {
    let inner = Inner::default();
    let error = layer.layer(inner.clone()).oneshot(request(uri)).await.unwrap_err();
    assert!(inner.take().is_empty(), "nothing was sent");
    assert!(find_source::<Rejection>(&*error).is_some());
    error
}

type BoxError = bartizan_core::BoxError;

#[tokio::test]
async fn a_credential_goes_to_its_origins_and_nowhere_else() {
    let layer = AuthLayer::new(here(), Bearer::new("t0k3n").unwrap());
    assert_eq!(sent(&layer, request(HERE)).await.headers[AUTHORIZATION], "Bearer t0k3n");
    for elsewhere in [ELSEWHERE, "http://api.example.com/", "https://api.example.com:8443/", "/v1"] {
        let head = sent(&layer, request(elsewhere)).await;
        assert!(head.headers.is_empty(), "{elsewhere}");
        assert_eq!(head.uri, elsewhere);
    }
}

#[tokio::test]
async fn elsewhere_may_be_refused() {
    let layer = AuthLayer::new(here(), Bearer::new("t0k3n").unwrap()).refuse_elsewhere();
    let error = refused(&layer, ELSEWHERE).await;
    let text = "`https://cdn.example.com` is none of the origins that this client has a credential for";
    assert_eq!(error.to_string(), text);
    assert_eq!(find_source::<OtherOrigin>(&*error).unwrap().origin(), "https://cdn.example.com");
    assert!(sent(&layer, request(HERE)).await.headers.contains_key(AUTHORIZATION));
}

#[tokio::test]
async fn without_a_token_a_call_is_refused_or_goes_without() {
    let token = Bearer::unset();
    let layer = AuthLayer::new(here(), token.clone());
    let error = refused(&layer, HERE).await;
    assert_eq!(error.to_string(), "no credential is set for `https://api.example.com`");
    assert!(find_source::<NoCredential>(&*error).unwrap().cause().is_none());

    assert!(sent(&layer.clone().or_without(), request(HERE)).await.headers.is_empty());
    token.set_token("t0k3n").unwrap();
    for layer in [layer.clone(), layer.or_without()] {
        assert_eq!(sent(&layer, request(HERE)).await.headers[AUTHORIZATION], "Bearer t0k3n");
    }
}

#[tokio::test]
async fn a_token_that_is_set_or_taken_away_counts_for_all_from_the_next_request_on() {
    let token = Bearer::new("one").unwrap();
    let inner = Inner::default();
    let layer = AuthLayer::new(here(), token.clone());
    let mut service = layer.layer(inner.clone());
    let mut clone = service.clone();
    for (next, service) in [("two", &mut service), ("three", &mut clone)] {
        token.set_token(next).unwrap();
        service.ready().await.unwrap().call(request(HERE)).await.unwrap();
        assert_eq!(inner.take()[0].headers[AUTHORIZATION], format!("Bearer {next}"));
    }
    assert!(token.set_token("no token").is_err());
    assert!(token.is_set(), "what was set stays");
    token.clear();
    assert!(!token.is_set());
    service.ready().await.unwrap().call(request(HERE)).await.unwrap_err();
}

#[tokio::test]
async fn both_halves_can_be_cloned_though_the_credential_cannot() {
    struct Unique;
    impl Authorizer for Unique {
        fn authorize(&self, request: &mut Parts) -> Option<Stamp> {
            request.headers.insert(AUTHORIZATION, "Own me".parse().unwrap());
            Some(Stamp::new(1))
        }

        fn identity(&self, _: &RequestHead<'_>) -> Arc<str> {
            "me".into()
        }
    }

    let (layer, inner) = (AuthLayer::new(here(), Unique), Inner::default());
    let outer = layer.identity_layer().clone();
    let service = outer.layer(layer.clone().layer(inner.clone()));
    service.clone().oneshot(request(HERE)).await.unwrap();
    let head = inner.take().remove(0);
    assert_eq!(head.headers[AUTHORIZATION], "Own me");
    assert_eq!(CallContext::of(&head.extensions).unwrap().partition(), Some("me"));
}

/// Is prepared once somebody says so, and says of each answer what it is told to say.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    stamp: Option<u64>,
    asked: u32,
    wait: Option<tokio::sync::oneshot::Receiver<Result<(), NotPrepared>>>,
    seen: Vec<(u64, u16)>,
    replays: bool,
}

impl Authorizer for Scripted {
    fn authorize(&self, request: &mut Parts) -> Option<Stamp> {
        let mut script = self.0.lock().unwrap();
        script.asked += 1;
        let stamp = Stamp::new(script.stamp?);
        request.headers.insert("x-stamp", stamp.number().into());
        Some(stamp)
    }

    fn prepare(&self, request: &Parts) -> Preparing {
        assert_eq!(request.uri, HERE);
        let wait = self.0.lock().unwrap().wait.take().unwrap();
        Box::pin(async move { wait.await.unwrap() })
    }

    fn react(&self, stamp: Stamp, response: &Head<'_>) -> Reaction {
        let mut script = self.0.lock().unwrap();
        script.seen.push((stamp.number(), response.status.as_u16()));
        if script.replays { Reaction::Replay } else { Reaction::Done }
    }

    fn identity(&self, _: &RequestHead<'_>) -> Arc<str> {
        "me".into()
    }
}

#[tokio::test]
async fn what_is_not_ready_is_waited_for_and_asked_again() {
    for (prepared, stamp, is_sent) in [
        (Ok(()), Some(7), true),
        // It was taken away again meanwhile.
        (Ok(()), None, false),
        (Err(NotPrepared::because("no luck").retry_in(Duration::from_secs(3))), Some(7), false),
    ] {
        let (inner, scripted) = (Inner::default(), Scripted::default());
        let (tell, told) = tokio::sync::oneshot::channel();
        scripted.0.lock().unwrap().wait = Some(told);
        let has_cause = prepared.is_err();
        let mut service = AuthLayer::new(here(), scripted.clone()).layer(inner.clone());
        let mut call = tokio_test_of(service.ready().await.unwrap().call(request(HERE)));
        assert!(call.poll().is_pending());
        assert!(inner.take().is_empty());
        scripted.0.lock().unwrap().stamp = stamp;
        assert!(tell.send(prepared).is_ok());
        let Poll::Ready(answer) = call.poll() else { panic!("what it waited for is there") };
        let sent = inner.take();
        assert_eq!(sent.len(), usize::from(is_sent));
        match answer {
            Ok(_) => assert_eq!(sent[0].headers["x-stamp"], "7"),
            Err(error) => {
                let missing = find_source::<NoCredential>(&*error).unwrap();
                assert_eq!(missing.cause().is_some(), has_cause);
                assert_eq!(missing.retry_in().is_some(), has_cause);
                let text = if has_cause {
                    "no credential for `https://api.example.com`: no luck"
                } else {
                    "no credential is set for `https://api.example.com`"
                };
                assert_eq!(error.to_string(), text);
            }
        }
    }
}

/// A future that is polled by hand.
fn tokio_test_of<F: Future>(future: F) -> ByHand<F> {
    ByHand(Box::pin(future))
}

struct ByHand<F>(std::pin::Pin<Box<F>>);

impl<F: Future> ByHand<F> {
    fn poll(&mut self) -> Poll<F::Output> {
        self.0.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }
}

#[tokio::test]
async fn answers_are_shown_with_the_stamp_of_their_request_and_may_be_marked_for_a_replay() {
    for replays in [false, true] {
        let scripted = Scripted::default();
        {
            let mut script = scripted.0.lock().unwrap();
            script.stamp = Some(3);
            script.replays = replays;
        }
        let layer = AuthLayer::new(here(), scripted.clone());
        let answer = layer.layer(Inner::default()).oneshot(request(HERE)).await.unwrap();
        assert_eq!(answer.extensions().get::<ReplayNow>().is_some(), replays);
        let answer = layer.layer(Inner::default()).oneshot(request(ELSEWHERE)).await.unwrap();
        assert!(answer.extensions().get::<ReplayNow>().is_none());
        assert_eq!(scripted.0.lock().unwrap().seen, [(3, 200)], "not what went elsewhere");
    }
}

#[cfg(feature = "tower-http-07")]
#[tokio::test]
async fn what_a_redirect_led_to_elsewhere_has_no_say_in_the_credential() {
    use tower_http::follow_redirect::RequestUri;

    for (uri, expected) in [(HERE, &[(3, 200)][..]), (ELSEWHERE, &[])] {
        let scripted = Scripted::default();
        {
            let mut script = scripted.0.lock().unwrap();
            script.stamp = Some(3);
            script.replays = true;
        }
        // As a follower marks its answers.
        let follower = Inner::default().map_response(move |mut response: Response<_>| {
            response.extensions_mut().insert(RequestUri(uri.parse().unwrap()));
            response
        });
        let answer =
            AuthLayer::new(here(), scripted.clone()).layer(follower).oneshot(request(HERE)).await.unwrap();
        assert_eq!(scripted.0.lock().unwrap().seen, expected);
        assert_eq!(answer.extensions().get::<ReplayNow>().is_some(), !expected.is_empty());
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_waits_sends_nothing() {
    let (inner, scripted) = (Inner::default(), Scripted::default());
    let (tell, told) = tokio::sync::oneshot::channel();
    scripted.0.lock().unwrap().wait = Some(told);
    let mut call =
        tokio_test_of(AuthLayer::new(here(), scripted.clone()).layer(inner.clone()).call(request(HERE)));
    assert!(call.poll().is_pending());
    drop(call);
    assert!(tell.send(Ok(())).is_err(), "nobody waits any more");
    assert!(inner.take().is_empty());
}

#[tokio::test]
async fn the_outer_half_says_whose_it_is_and_that_it_has_a_credential() {
    let context = async |layer: &AuthLayer<ApiKey>, request: Request<Full<Bytes>>| {
        let inner = Inner::default();
        layer.identity_layer().layer(inner.clone()).oneshot(request).await.unwrap();
        let head = inner.take().remove(0);
        assert!(head.headers.is_empty(), "it puts no credential on it");
        let context = head.extensions.get::<CallContext>().cloned().unwrap_or_default();
        (context.partition().map(str::to_owned), context.is_authenticated())
    };
    let [one, same, other] =
        ["k3y", "k3y", "other"].map(|key| AuthLayer::new(here(), ApiKey::new(key).unwrap()));
    let (mine, is_authenticated) = context(&one, request(HERE)).await;
    let mine = mine.unwrap();
    assert!(is_authenticated && !mine.contains("k3y"), "{mine}");
    assert_eq!(context(&same, request(HERE)).await, (Some(mine.clone()), true));
    assert_ne!(context(&other, request(HERE)).await.0, Some(mine));
    assert_eq!(context(&one, request(ELSEWHERE)).await, (None, false));

    let mut tenants = request(HERE);
    CallContext::edit(tenants.extensions_mut()).set_partition("tenant");
    assert_eq!(context(&one, tenants).await, (Some("tenant".into()), true));
}

#[test]
fn identities_are_those_of_the_credential_or_of_the_handle() {
    let identity =
        |authorizer: &dyn Authorizer| authorizer.identity(&RequestHead::from(&request(HERE))).to_string();
    let token = Bearer::new("one").unwrap();
    let before = identity(&token);
    token.set_token("two").unwrap();
    assert_eq!(identity(&token), before, "a new token for the same one");
    assert_eq!(identity(&token.clone()), before);
    let all = [
        before,
        identity(&Bearer::unset()),
        identity(&Bearer::unset()),
        identity(&Basic::new("a", "bc").unwrap()),
        identity(&Basic::new("ab", "c").unwrap()),
        identity(&ApiKey::new("abc").unwrap()),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(!all[index + 1..].contains(one), "{one}");
    }
}

#[test]
fn nothing_prints_a_secret() {
    let secret = "s3cr3t";
    let name = HeaderName::from_static("x-key");
    let basic = Basic::new("user", secret).unwrap();
    let keys = [
        ApiKey::header(name, secret).unwrap(),
        ApiKey::query("key", secret).unwrap(),
        ApiKey::cookie("key", secret).unwrap(),
    ];
    let bearer = Bearer::new(secret).unwrap();
    let layer = AuthLayer::new(here(), bearer.clone());
    let service = layer.layer(tower::service_fn(|_: Request<Full<Bytes>>| {
        ready(Ok::<Response<()>, BoxError>(Response::new(())))
    }));
    let mut printed = format!(
        "{basic:?} {keys:?} {bearer:?} {layer:?} {:?} {:?}",
        layer.identity_layer(),
        Secret::from(secret)
    );
    printed += &format!("{service:?}").replace("ServiceFn", "");
    for authorizer in [&basic as &dyn Authorizer, &keys[0], &keys[2], &bearer] {
        let (mut head, ()) = Request::get(HERE).body(()).unwrap().into_parts();
        authorizer.authorize(&mut head);
        printed += &format!("{head:?}");
    }
    for error in [
        Bearer::new("s3cr3t s3cr3t").unwrap_err(),
        Basic::new("s3cr3t:", secret).unwrap_err(),
        ApiKey::new("s3cr3t\n").unwrap_err(),
    ] {
        printed += &format!("{error} {error:?}");
    }
    assert!(!printed.contains(secret) && !printed.contains("dXNlcjpzM2NyM3Q"), "{printed}");
    assert!(printed.contains("Bearer(..)") && printed.contains("https://api.example.com"));
}
