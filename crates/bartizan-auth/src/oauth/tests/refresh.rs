//! Refresh tokens: none is lost, and none is spent twice.

use tokio::time::{advance, sleep};
use tower::{Layer, ServiceExt};

use crate::{AuthLayer, Authorizer, Origins};

use super::*;

/// A server that replaces refresh tokens: `r1` by `r2`, and so on.
fn rotated(nth: usize) -> Reply {
    object(
        200,
        &json!({ "access_token": format!("t{nth}"), "refresh_token": format!("r{}", nth + 2), "expires_in": 100 }),
    )
}

fn kept() -> Reply {
    object(200, &json!({ "access_token": "t" }))
}

fn reset() -> Reply {
    Reply::Error(io::Error::from(io::ErrorKind::ConnectionReset).into())
}

fn secret(text: &str) -> Secret {
    Secret::from(text)
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_the_next_token() {
    let fake = Fake::new(|nth, _| rotated(nth));
    let token = fake.client().refresh().scope("less").token(&secret("r1")).await.unwrap();
    assert_eq!(token.refresh_token().unwrap().expose(), "r2");
    let asked = fake.take().remove(0);
    for (name, value) in [
        ("grant_type", "refresh_token"),
        ("refresh_token", "r1"),
        ("scope", "less"),
        ("client_id", "s6BhdRkqt3"),
    ] {
        assert_eq!(asked.form(name).as_deref(), Some(value));
    }
}

#[tokio::test]
async fn one_whose_answer_was_lost_is_not_sent_again() {
    type Case = (&'static str, fn() -> Reply);
    let lost: [Case; 4] = [
        ("reset", reset),
        ("cut", || answer(Response::builder(), Body::frames([Step::Error]))),
        ("unreadable", || raw(200, "<html>")),
        ("too large", || answer(Response::builder(), Body::endless("x"))),
    ];
    for (name, lost) in lost {
        let fake = Fake::new(move |nth, _| if nth == 0 { lost() } else { rotated(nth) });
        let refresh = fake.client().refresh();
        let first = refresh.token(&secret("r1")).await.unwrap_err();
        assert!(first.is_uncertain() && !first.is_permanent(), "{name}");
        let second = refresh.token(&secret("r1")).await.unwrap_err();
        assert!(second.is_permanent() && !second.is_uncertain(), "{name}: {second}");
        assert_eq!(fake.count(), 1, "{name}");
        // Another session is another matter.
        assert!(refresh.token(&secret("s1")).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn one_that_was_surely_not_taken_is_sent_again() {
    type Case = (&'static str, fn() -> Reply);
    let not_taken: [Case; 5] = [
        ("refused", || Reply::Error(io::Error::from(io::ErrorKind::ConnectionRefused).into())),
        ("503", || raw(503, "")),
        ("500 with a code", || refusal(500, "invalid_grant")),
        ("429", || raw(429, "")),
        ("307", || raw(307, "")),
    ];
    for (name, not_taken) in not_taken {
        let fake = Fake::new(move |nth, _| if nth == 0 { not_taken() } else { rotated(nth) });
        let refresh = fake.client().refresh();
        assert!(!refresh.token(&secret("r1")).await.unwrap_err().is_permanent(), "{name}");
        assert!(refresh.token(&secret("r1")).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn one_that_the_server_keeps_is_sent_again() {
    for keep in
        [kept as fn() -> Reply, || object(200, &json!({ "access_token": "t", "refresh_token": "r1" }))]
    {
        let fake = Fake::new(move |nth, _| if nth == 1 { reset() } else { keep() });
        let refresh = fake.client().refresh();
        refresh.token(&secret("r1")).await.unwrap();
        assert!(refresh.token(&secret("r1")).await.is_err());
        assert!(refresh.token(&secret("r1")).await.is_ok());
    }
    // As long as it does.
    let fake = Fake::new(|nth, _| match nth {
        0 => kept(),
        2 => reset(),
        nth => rotated(nth),
    });
    let refresh = fake.client().refresh();
    refresh.token(&secret("r1")).await.unwrap();
    refresh.token(&secret("r1")).await.unwrap();
    assert!(refresh.token(&secret("r3")).await.unwrap_err().is_uncertain());
    assert!(refresh.token(&secret("r3")).await.unwrap_err().is_permanent());
}

#[tokio::test]
async fn one_that_may_be_sent_twice_is() {
    let fake = Fake::new(|nth, _| if nth == 0 { reset() } else { rotated(nth) });
    let refresh = fake.client().refresh().resend_uncertain();
    assert!(refresh.token(&secret("r1")).await.is_err());
    assert!(refresh.token(&secret("r1")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_whose_request_was_dropped_is_not_sent_again() {
    let fake = Fake::new(|_, _| Reply::Never);
    let refresh = fake.client().refresh();
    let dropped = tokio::time::timeout(SECOND, refresh.token(&secret("r1"))).await;
    assert!(dropped.is_err());
    assert!(refresh.token(&secret("r1")).await.unwrap_err().is_permanent());
    assert_eq!(fake.count(), 1);
}

#[tokio::test]
async fn so_many_sessions_are_remembered_and_no_more() {
    let fake = Fake::new(|_, _| reset());
    let refresh = fake.client().refresh();
    for n in 0..1025 {
        assert!(refresh.token(&secret(&n.to_string())).await.unwrap_err().is_uncertain());
    }
    assert!(refresh.token(&secret("1")).await.unwrap_err().is_permanent());
    assert!(refresh.token(&secret("0")).await.unwrap_err().is_uncertain());
}

#[tokio::test(start_paused = true)]
async fn a_session_goes_on_as_long_as_the_server_lets_it() {
    let fake = Fake::new(|nth, asked| {
        if asked.form("refresh_token") == Some(format!("r{}", nth + 1)) {
            rotated(nth)
        } else {
            refusal(400, "invalid_grant")
        }
    });
    let tokens = Refreshing::new(fake.client().refresh());
    tokens.set_token(Token::new("login").unwrap().refresh_token("r1").lifetime(10 * SECOND));
    for _ in 0..50 {
        advance(20 * SECOND).await;
        let mut parts = Request::new(()).into_parts().0;
        if tokens.authorize(&mut parts).is_none() {
            tokens.prepare(&parts).await.unwrap();
            assert!(tokens.authorize(&mut parts).is_some());
        }
        sleep(SECOND).await;
    }
    assert!(fake.count() >= 8, "{}", fake.count());
}

#[tokio::test(start_paused = true)]
async fn before_a_login_calls_are_refused_and_say_so() {
    let fake = Fake::new(|nth, _| rotated(nth));
    let error = fake.client().refresh().fetch(None).await.unwrap_err();
    assert!(error.is_permanent());
    assert_eq!(
        error.to_string(),
        "no token was to be had: `https://as.example` was not asked: there is no refresh token; log in first"
    );
    assert_eq!(fake.count(), 0);
}

#[tokio::test]
async fn a_token_is_given_back() {
    let fake = Fake::new(|nth, _| match nth {
        0 => raw(200, ""),
        1 => refusal(400, "unsupported_token_type"),
        _ => answer(Response::builder().status(503).header("retry-after", "3"), Body::empty()),
    });
    let client = fake.client().authenticate(ClientAuth::basic("pw"));
    client.revoke(&secret("45ghiukldjahdnhzdauz")).await.unwrap();
    assert_eq!(client.revoke(&secret("x")).await.unwrap_err().code(), Some(&ErrorCode::UnsupportedTokenType));
    let later = client.revoke(&secret("x")).await.unwrap_err();
    assert_eq!((later.retry_in(), later.is_permanent()), (Some(3 * SECOND), false));
    let asked = fake.take().remove(0);
    assert_eq!(
        (asked.head.uri.to_string(), asked.body.as_str()),
        ("https://as.example/revoke".into(), "token=45ghiukldjahdnhzdauz")
    );
    assert!(asked.authorization().is_some());
}

#[tokio::test(start_paused = true)]
async fn five_hundred_calls_on_a_token_that_has_ended_spend_one_refresh_token() {
    // A refresh token that comes twice ends the session.
    let spent = Mutex::new(Vec::new());
    let fake = Fake::new(move |nth, asked| {
        let given = asked.form("refresh_token").unwrap();
        let mut spent = spent.lock().unwrap();
        if given != format!("r{}", nth + 1) || spent.contains(&given) {
            return refusal(400, "invalid_grant");
        }
        spent.push(given);
        let body =
            json!({ "access_token": format!("t{}", nth + 1), "refresh_token": format!("r{}", nth + 2) });
        answer(Response::builder(), Body::frames([Step::Wait(SECOND), Step::data(body.to_string())]))
    });
    let tokens = Refreshing::new(fake.client().refresh());
    tokens.set_token(Token::new("t0").unwrap().refresh_token("r1").lifetime(10 * SECOND));
    advance(20 * SECOND).await;
    let api = service_fn(|request: Request<Full<Bytes>>| async move {
        let is_good = request.headers().get(AUTHORIZATION).is_some_and(|given| given == "Bearer t1");
        Ok::<_, io::Error>(Response::builder().status(if is_good { 200 } else { 401 }).body(()).unwrap())
    });
    let client = AuthLayer::new(Origins::new(["https://api.example.com"]).unwrap(), tokens).layer(api);
    let calls: tokio::task::JoinSet<_> = (0..500)
        .map(|_| {
            let request = Request::get("https://api.example.com/").body(Full::default()).unwrap();
            let call = client.clone().oneshot(request);
            async move { call.await.unwrap().status() }
        })
        .collect();
    let answers = calls.join_all().await;
    assert_eq!((answers.len(), answers.iter().filter(|status| status.is_success()).count()), (500, 500));
    assert_eq!(fake.count(), 1);
}
