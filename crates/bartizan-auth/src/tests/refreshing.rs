//! Tokens that are fetched, over paused time.

use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use tokio::time::{advance, sleep};

use super::*;

mod any_401;
mod overtaken;
mod saved;

const SECOND: Duration = Duration::from_secs(1);

/// A token endpoint: counts, takes its time, and gives out `t1`, `t2` and so on.
#[derive(Clone)]
struct Endpoint {
    asked: Arc<Mutex<Vec<Option<String>>>>,
    takes: Duration,
    lifetime: Option<Duration>,
    /// What becomes of the next ones, instead of a token.
    fails: Arc<Mutex<Vec<TokenError>>>,
}

impl Endpoint {
    fn new(takes: Duration, lifetime: Option<Duration>) -> Self {
        Self { asked: Arc::default(), takes, lifetime, fails: Arc::default() }
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn fail(&self, error: TokenError) {
        self.fails.lock().unwrap().push(error);
    }

    fn fetch(
        &self,
        refresh: Option<Secret>,
    ) -> impl Future<Output = Result<Token, TokenError>> + Send + use<> {
        let this = self.clone();
        async move {
            this.asked.lock().unwrap().push(refresh.map(|secret| secret.expose().to_owned()));
            let nth = this.asked();
            sleep(this.takes).await;
            if !this.fails.lock().unwrap().is_empty() {
                return Err(this.fails.lock().unwrap().remove(0));
            }
            let token = Token::new(format!("t{nth}")).unwrap().refresh_token(format!("r{nth}"));
            Ok(match this.lifetime {
                Some(lifetime) => token.lifetime(lifetime),
                None => token,
            })
        }
    }

    fn tokens(&self) -> Refreshing {
        let this = self.clone();
        Refreshing::new(move |refresh: Option<Secret>| this.fetch(refresh))
    }
}

/// An API that refuses tokens up to a number, and tells which one it was sent.
#[derive(Clone, Default)]
struct Api {
    refuses_below: Arc<AtomicU64>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Service<Request<Full<Bytes>>> for Api {
    type Response = Response<String>;
    type Error = &'static str;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let token =
            request.headers()[AUTHORIZATION].to_str().unwrap().trim_start_matches("Bearer t").to_owned();
        self.seen.lock().unwrap().push(token.clone());
        let is_refused =
            token.parse::<u64>().is_ok_and(|token| token < self.refuses_below.load(Ordering::Relaxed));
        let mut response = Response::new(token);
        if is_refused {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"".parse().unwrap());
        }
        ready(Ok(response))
    }
}

type Client = Auth<Api, Refreshing>;

fn client(tokens: &Refreshing) -> (Client, Api) {
    let api = Api::default();
    (AuthLayer::new(here(), tokens.clone()).layer(api.clone()), api)
}

async fn call(client: &Client) -> Result<Response<String>, BoxError> {
    client.clone().oneshot(request(HERE)).await
}

/// Which token a call went with.
async fn token(client: &Client) -> String {
    call(client).await.unwrap().into_body()
}

/// As retry does.
async fn call_again(client: &Client) -> Response<String> {
    let answer = call(client).await.unwrap();
    if answer.extensions().get::<ReplayNow>().is_some() { call(client).await.unwrap() } else { answer }
}

async fn all<T: Send + 'static>(many: usize, one: impl Fn() -> futures::Boxed<T>) -> Vec<T> {
    let tasks: Vec<_> = (0..many).map(|_| tokio::spawn(one())).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    all
}

mod futures {
    pub(super) type Boxed<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;
}

#[tokio::test(start_paused = true)]
async fn five_hundred_calls_at_once_fetch_one_token() {
    let endpoint = Endpoint::new(SECOND, None);
    let (client, _) = client(&endpoint.tokens());
    let answers = all(500, || {
        let client = client.clone();
        Box::pin(async move { token(&client).await })
    })
    .await;
    assert!(answers.iter().all(|token| token == "1"));
    assert_eq!((endpoint.asked(), token(&client).await), (1, "1".into()));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_while_a_token_is_fetched_leaves_it_to_the_next() {
    for after in [0, 500, 999] {
        let endpoint = Endpoint::new(SECOND, None);
        let (client, _) = client(&endpoint.tokens());
        let mut pending = ByHand(Box::pin(call(&client)));
        assert!(pending.poll().is_pending());
        advance(Duration::from_millis(after)).await;
        drop(pending);
        assert_eq!(token(&client).await, "1");
        assert_eq!(endpoint.asked(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_fetched_anew_in_the_background_before_it_ends_and_nobody_waits() {
    let endpoint = Endpoint::new(SECOND, Some(1000 * SECOND));
    let (client, _) = client(&endpoint.tokens());
    assert_eq!(token(&client).await, "1");
    // Up to a tenth earlier than a minute before the end, counted from before it was asked for.
    advance(845 * SECOND).await;
    assert_eq!((token(&client).await, endpoint.asked()), ("1".into(), 1));
    advance(94 * SECOND).await;
    let start = tokio::time::Instant::now();
    for _ in 0..3 {
        assert_eq!(token(&client).await, "1");
        tokio::task::yield_now().await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    sleep(2 * SECOND).await;
    assert_eq!((token(&client).await, endpoint.asked()), ("2".into(), 2));
    assert_eq!(endpoint.asked.lock().unwrap().clone(), [None, Some("r1".into())]);
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_is_not_used_and_is_waited_for() {
    let endpoint = Endpoint::new(SECOND, Some(100 * SECOND));
    let (client, _) = client(&endpoint.tokens());
    assert_eq!(token(&client).await, "1");
    advance(94 * SECOND).await;
    assert_eq!(token(&client).await, "2", "five seconds before the end, of which one has gone on the way");
}

#[tokio::test(start_paused = true)]
async fn tokens_of_two_seconds_never_fail_a_call() {
    let endpoint = Endpoint::new(Duration::from_millis(50), Some(2 * SECOND));
    let (client, _) = client(&endpoint.tokens());
    for _ in 0..700 {
        assert_eq!(call(&client).await.unwrap().status(), 200);
        sleep(Duration::from_millis(10)).await;
    }
    assert!((4..=8).contains(&endpoint.asked()), "{}", endpoint.asked());
}

#[tokio::test(start_paused = true)]
async fn two_hundred_calls_with_a_revoked_token_fetch_one_and_succeed() {
    let endpoint = Endpoint::new(SECOND, None);
    let (client, api) = client(&endpoint.tokens());
    assert_eq!(token(&client).await, "1");
    api.refuses_below.store(2, Ordering::Relaxed);
    let answers = all(200, || {
        let client = client.clone();
        Box::pin(async move { call_again(&client).await.status().as_u16() })
    })
    .await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_old_refusal_rejects_no_newer_token() {
    let endpoint = Endpoint::new(SECOND, None);
    let tokens = endpoint.tokens();
    let react = |number| refuse(&tokens, number);
    let (client, _) = client(&tokens);
    token(&client).await;
    assert_eq!(react(1), Reaction::Replay);
    assert_eq!(token(&client).await, "2");
    assert_eq!(react(1), Reaction::Replay, "there is a newer one");
    assert_eq!((token(&client).await, endpoint.asked()), ("2".into(), 2));
}

#[tokio::test(start_paused = true)]
async fn another_401_is_passed_on() {
    let endpoint = Endpoint::new(SECOND, None);
    let tokens = endpoint.tokens();
    let (client, _) = client(&tokens);
    token(&client).await;
    for (status, challenge) in [
        (401, "Bearer"),
        (401, "Bearer error=\"insufficient_scope\""),
        (403, "Bearer error=\"invalid_token\""),
    ] {
        let answer = Response::builder().status(status).header(WWW_AUTHENTICATE, challenge).body(()).unwrap();
        assert_eq!(tokens.react(Stamp::new(1), &Head::from(&answer)), Reaction::Done, "{status} {challenge}");
    }
    assert_eq!((token(&client).await, endpoint.asked()), ("1".into(), 1));
}

#[tokio::test(start_paused = true)]
async fn an_api_that_refuses_every_token_is_not_a_reason_to_fetch_one_for_each_call() {
    let endpoint = Endpoint::new(Duration::ZERO, None);
    let (client, api) = client(&endpoint.tokens());
    api.refuses_below.store(u64::MAX, Ordering::Relaxed);
    let mut waits = Vec::new();
    for _ in 0..4 {
        // The first is refused, and so is the one that was fetched for it.
        let answer = call_again(&client).await;
        assert_eq!(answer.status(), 401);
        assert!(answer.extensions().get::<ReplayNow>().is_none() || waits.is_empty());
        let asked = endpoint.asked();
        let error = call(&client).await.unwrap_err();
        assert_eq!(endpoint.asked(), asked, "not for this call");
        let wait = find_source::<NoCredential>(&*error).unwrap().retry_in().unwrap();
        waits.push(wait.as_secs());
        advance(wait).await;
    }
    assert_eq!(waits, [1, 2, 4, 8]);
    api.refuses_below.store(0, Ordering::Relaxed);
    assert_eq!(call(&client).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_at_once_for_a_second_and_longer_each_time_and_then_tried_again() {
    let endpoint = Endpoint::new(Duration::from_millis(100), None);
    let (client, _) = client(&endpoint.tokens());
    for (tries, wait) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
        endpoint.fail(TokenError::transient("the endpoint is down"));
        let error = call(&client).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "no credential for `https://api.example.com`: no token was to be had: the endpoint is down"
        );
        assert_eq!(endpoint.asked(), tries + 1);
        let start = tokio::time::Instant::now();
        let error = call(&client).await.unwrap_err();
        assert_eq!((endpoint.asked(), start.elapsed()), (tries + 1, Duration::ZERO));
        assert_eq!(Rejection::of(&*error).unwrap().retry_in(), Some(Duration::from_secs(wait)));
        advance(Duration::from_secs(wait)).await;
    }
    assert_eq!(token(&client).await, "9");
    endpoint.fail(TokenError::transient_for("too many requests", 30 * SECOND));
    call(&client).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_the_endpoint_asks_for_is_waited_for() {
    let endpoint = Endpoint::new(SECOND, None);
    let (client, _) = client(&endpoint.tokens());
    endpoint.fail(TokenError::transient_for("too many requests", 30 * SECOND));
    let error = call(&client).await.unwrap_err();
    assert_eq!(find_source::<NoCredential>(&*error).unwrap().retry_in(), Some(30 * SECOND));
    advance(29 * SECOND).await;
    call(&client).await.unwrap_err();
    advance(SECOND).await;
    assert_eq!(token(&client).await, "2");
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_is_remembered_until_a_token_is_set_or_all_is_cleared() {
    for is_set in [true, false] {
        let endpoint = Endpoint::new(SECOND, None);
        let tokens = endpoint.tokens();
        let (client, _) = client(&tokens);
        endpoint.fail(TokenError::permanent("invalid_grant"));
        for _ in 0..3 {
            let error = call(&client).await.unwrap_err();
            let missing = find_source::<NoCredential>(&*error).unwrap();
            assert_eq!(missing.retry_in(), None);
            assert!(missing.cause().unwrap().downcast_ref::<TokenError>().unwrap().is_permanent());
            assert_eq!(endpoint.asked(), 1);
            advance(1000 * SECOND).await;
        }
        if is_set {
            tokens.set_token(Token::new("t77").unwrap());
        } else {
            tokens.clear();
        }
        assert_eq!(token(&client).await, if is_set { "77" } else { "2" });
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_old_token_is_good_a_failed_fetch_fails_no_call() {
    let endpoint = Endpoint::new(Duration::ZERO, Some(1000 * SECOND));
    let (client, _) = client(&endpoint.tokens());
    token(&client).await;
    endpoint.fail(TokenError::transient("the endpoint is down"));
    advance(950 * SECOND).await;
    for asked in [1, 2, 2] {
        assert_eq!((token(&client).await, endpoint.asked()), ("1".into(), asked));
        tokio::task::yield_now().await;
    }
    advance(SECOND).await;
    assert_eq!(token(&client).await, "1");
    tokio::task::yield_now().await;
    assert_eq!((token(&client).await, endpoint.asked()), ("3".into(), 3));
}

#[tokio::test(start_paused = true)]
async fn what_is_set_stays_whatever_was_being_fetched() {
    let endpoint = Endpoint::new(SECOND, None);
    let tokens = endpoint.tokens();
    let (client, _) = client(&tokens);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { token(&client).await }
    });
    sleep(SECOND / 2).await;
    tokens.set_token(Token::new("t77").unwrap());
    assert_eq!(token(&client).await, "77");
    assert_eq!(waiting.await.unwrap(), "77");
    sleep(2 * SECOND).await;
    assert_eq!((token(&client).await, endpoint.asked()), ("77".into(), 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_being_fetched_when_all_was_cleared_is_used_by_nobody() {
    let endpoint = Endpoint::new(SECOND, None);
    let tokens = endpoint.tokens();
    let (client, _) = client(&tokens);
    let mut pending = ByHand(Box::pin(call(&client)));
    assert!(pending.poll().is_pending());
    sleep(SECOND / 2).await;
    tokens.clear();
    sleep(SECOND).await;
    assert_eq!((token(&client).await, endpoint.asked()), ("2".into(), 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_good_for_a_while_is_fetched_anew_at_once_however_often_that_happens() {
    let endpoint = Endpoint::new(Duration::ZERO, None);
    let (client, api) = client(&endpoint.tokens());
    for nth in 1..5 {
        api.refuses_below.store(nth, Ordering::Relaxed);
        assert_eq!(call_again(&client).await.status(), 200);
        assert_eq!(token(&client).await, nth.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_refused_with_an_old_token_goes_with_the_newer_one_though_the_next_is_not_to_be_had() {
    let endpoint = Endpoint::new(Duration::ZERO, Some(1000 * SECOND));
    let tokens = endpoint.tokens();
    let (client, _) = client(&tokens);
    let react = |number| refuse(&tokens, number);
    token(&client).await;
    assert_eq!(react(1), Reaction::Replay);
    assert_eq!(token(&client).await, "2");
    endpoint.fail(TokenError::permanent("invalid_grant"));
    advance(950 * SECOND).await;
    token(&client).await;
    tokio::task::yield_now().await;
    assert_eq!(react(1), Reaction::Replay, "the second is still good");
    assert_eq!(token(&client).await, "2");
    assert_eq!(react(2), Reaction::Done, "there is no third");
}

#[test]
fn it_is_readable() {
    let tokens = Endpoint::new(SECOND, None).tokens();
    assert_eq!(format!("{tokens:?}"), "Refreshing(unset)");
    tokens.set_token(Token::new("s3cr3t").unwrap().refresh_token("s3cr3t"));
    assert_eq!(format!("{tokens:?}"), "Refreshing(..)");
    let builder = Refreshing::builder(|_: Option<Secret>| ready(Err(TokenError::permanent("none"))));
    assert_eq!(format!("{builder:?}"), "RefreshingBuilder { .. }");
    let (mut client, _) = client(&tokens);
    assert_eq!(format!("{:?}", client.call(request(HERE))), "ResponseFuture(calling)");
}

/// Without an API that answers.
fn head() -> Parts {
    request(HERE).into_parts().0
}

/// Of the token that a request would go with.
fn number(tokens: &Refreshing) -> Option<u64> {
    tokens.authorize(&mut head()).map(|stamp| stamp.number())
}

/// That the API refuses the token of this number.
fn refuse(tokens: &Refreshing, number: u64) -> Reaction {
    let refused = Response::builder().status(401).header(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"");
    tokens.react(Stamp::new(number), &Head::from(&refused.body(()).unwrap()))
}

#[tokio::test(start_paused = true)]
async fn a_refusal_begins_no_fetch_beside_one_that_is_under_way_and_forgets_no_failure() {
    for fails in [false, true] {
        let endpoint = Endpoint::new(10 * SECOND, Some(1000 * SECOND));
        let tokens = endpoint.tokens();
        tokens.prepare(&head()).await.unwrap();
        refuse(&tokens, 1);
        tokens.prepare(&head()).await.unwrap();
        advance(945 * SECOND).await;
        if fails {
            endpoint.fail(TokenError::permanent("invalid_grant"));
        }
        assert_eq!(number(&tokens), Some(2), "and the third is fetched meanwhile");
        tokio::task::yield_now().await;
        if fails {
            sleep(11 * SECOND).await;
        }
        assert_eq!(refuse(&tokens, 2), if fails { Reaction::Done } else { Reaction::Replay });
        advance(2 * SECOND).await;
        assert_eq!(tokens.prepare(&head()).await.is_ok(), !fails);
        assert_eq!((endpoint.asked(), tokens.authorize(&mut head()).is_some()), (3, !fails));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_cleared_is_fetched_without_the_former_refresh_token() {
    let endpoint = Endpoint::new(SECOND, None);
    let tokens = endpoint.tokens();
    let (client, _) = client(&tokens);
    token(&client).await;
    tokens.clear();
    assert_eq!(token(&client).await, "2");
    assert_eq!(endpoint.asked.lock().unwrap().clone(), [None, None]);
}

#[tokio::test(start_paused = true)]
async fn who_gets_no_new_refresh_token_keeps_the_former() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let tokens = Refreshing::new({
        let asked = asked.clone();
        move |refresh: Option<Secret>| {
            asked.lock().unwrap().push(refresh.map(|secret| secret.expose().to_owned()));
            ready(Ok(Token::new("t1").unwrap().lifetime(10 * SECOND)))
        }
    });
    tokens.set_token(Token::new("t0").unwrap().refresh_token("r0").lifetime(10 * SECOND));
    let (client, _) = client(&tokens);
    for _ in 0..3 {
        token(&client).await;
        advance(10 * SECOND).await;
    }
    assert_eq!(asked.lock().unwrap().clone(), [Some("r0".to_owned()), Some("r0".into())]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_or_hangs_is_a_failure() {
    let panics = Refreshing::new(|_: Option<Secret>| async { panic!("on purpose") });
    let at_once = |_: Option<Secret>| -> Ready<Result<Token, TokenError>> { panic!("on purpose") };
    let hangs = Refreshing::new(|_: Option<Secret>| std::future::pending());
    for (tokens, why) in [
        (panics, "the source panicked"),
        (Refreshing::new(at_once), "the source panicked"),
        (hangs, "it took longer than 30 s"),
    ] {
        let (client, _) = client(&tokens);
        let error = call(&client).await.unwrap_err();
        assert!(error.to_string().ends_with(why), "{error}");
        tokens.set_token(Token::new("t5").unwrap());
        assert_eq!(token(&client).await, "5");
    }
}

#[test]
fn outside_of_a_runtime_the_call_is_refused() {
    let tokens = Endpoint::new(SECOND, None).tokens();
    let (mut client, _) = client(&tokens);
    let Poll::Ready(Err(error)) = ByHand(Box::pin(client.call(request(HERE)))).poll() else {
        panic!("it waits")
    };
    assert!(
        error.to_string().ends_with("a token is fetched on a runtime of tokio, and there is none"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn without_retry_the_layer_sends_a_refused_request_again_by_itself_once() {
    for (refuses_below, status) in [(2, 200), (9, 401)] {
        let endpoint = Endpoint::new(SECOND, None);
        let api = Api::default();
        let mut service = AuthLayer::new(here(), endpoint.tokens()).replay_alone().layer(api.clone());
        api.refuses_below.store(refuses_below, Ordering::Relaxed);
        let answer = service.ready().await.unwrap().call(request(HERE)).await.unwrap();
        assert_eq!((answer.status().as_u16(), api.seen.lock().unwrap().join(" ")), (status, "1 2".into()));
        assert!(answer.extensions().get::<ReplayNow>().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_and_cannot_be_fetched_anew_is_an_error() {
    let endpoint = Endpoint::new(SECOND, None);
    let api = Api::default();
    let layer = AuthLayer::new(here(), endpoint.tokens()).replay_alone();
    layer.layer(api.clone()).oneshot(request(HERE)).await.unwrap();
    api.refuses_below.store(9, Ordering::Relaxed);
    endpoint.fail(TokenError::permanent("invalid_grant"));
    let error = layer.layer(api.clone()).oneshot(request(HERE)).await.unwrap_err();
    assert!(find_source::<NoCredential>(&*error).is_some());
    assert_eq!(api.seen.lock().unwrap().len(), 2);
}
