//! Logins on another machine.

use tokio::time::{Instant, timeout};

use super::*;

fn codes(rest: Value) -> Reply {
    let mut codes = json!({
        "device_code": "d3vice", "user_code": "WDJB-MJHT", "verification_uri": "https://as.example/d", "interval": 5,
        "expires_in": 1800,
    });
    for (name, value) in rest.as_object().unwrap() {
        codes[name] = value.clone();
    }
    object(200, &codes)
}

/// Answers what `polls` says, one after the other, and notes when each came.
fn server(
    rest: Value,
    polls: impl Fn(usize) -> Reply + Send + Sync + 'static,
) -> (Fake, Arc<Mutex<Vec<u64>>>) {
    let times = Arc::new(Mutex::new(Vec::new()));
    let (begun, noted) = (Instant::now(), times.clone());
    let fake = Fake::new(move |nth, _| {
        if nth == 0 {
            return codes(rest.clone());
        }
        noted.lock().unwrap().push(begun.elapsed().as_secs());
        polls(nth - 1)
    });
    (fake, times)
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_as_often_as_the_server_allows_until_the_user_has_agreed() {
    let (fake, times) = server(json!({ "interval": 3 }), |nth| {
        if nth < 3 { refusal(400, "authorization_pending") } else { tokens("t") }
    });
    let mut login =
        fake.client().device().scope("x").scope("a b").parameter("client_id", "mine").begin().await.unwrap();
    assert_eq!(
        (login.user_code(), login.verification_uri(), login.verification_uri_complete()),
        ("WDJB-MJHT", "https://as.example/d", None)
    );
    assert_eq!(login.expires_in(), Some(1800 * SECOND));
    assert_eq!(login.wait().await.unwrap().access_token().expose(), "t");
    assert_eq!(*times.lock().unwrap(), [3, 6, 9, 12]);
    let asked = fake.take();
    assert_eq!(
        (asked[0].head.uri.to_string(), asked[0].form("scope")),
        ("https://as.example/device".into(), Some("a b".into()))
    );
    assert_eq!(asked[1].form("grant_type").as_deref(), Some("urn:ietf:params:oauth:grant-type:device_code"));
    assert_eq!(asked[1].form("device_code").as_deref(), Some("d3vice"));
    assert_eq!(asked[1].form("client_id").as_deref(), Some("s6BhdRkqt3"));
}

#[tokio::test(start_paused = true)]
async fn each_slow_down_is_five_seconds_more_for_all_that_follow() {
    let (fake, times) = server(json!({ "interval": "1" }), |nth| match nth {
        0 | 2 => refusal(400, "slow_down"),
        1 | 3 => refusal(400, "authorization_pending"),
        _ => tokens("t"),
    });
    fake.client().device().begin().await.unwrap().wait().await.unwrap();
    assert_eq!(*times.lock().unwrap(), [1, 7, 13, 24, 35]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_makes_it_half_as_often_and_no_sooner_than_was_asked_for() {
    let (fake, times) = server(json!({ "interval": null }), |nth| match nth {
        0 => Reply::Error(io::Error::from(io::ErrorKind::ConnectionReset).into()),
        1 => Reply::Head(Response::builder().status(503).header("retry-after", "100"), Body::empty()),
        2 => refusal(400, "authorization_pending"),
        _ => tokens("t"),
    });
    fake.client().device().begin().await.unwrap().wait().await.unwrap();
    assert_eq!(*times.lock().unwrap(), [5, 15, 115, 135]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_a_no_or_with_the_code() {
    let no = |code: &'static str| async move {
        let (fake, _) = server(json!({}), move |_| refusal(400, code));
        fake.client().device().begin().await.unwrap().wait().await.unwrap_err()
    };
    assert_eq!(no("access_denied").await.code(), Some(&ErrorCode::AccessDenied));
    assert_eq!(no("expired_token").await.code(), Some(&ErrorCode::ExpiredToken));
    let (fake, times) = server(json!({ "expires_in": 12 }), |_| refusal(400, "authorization_pending"));
    let mut login = fake.client().device().begin().await.unwrap();
    let error = login.wait().await.unwrap_err();
    assert_eq!(*times.lock().unwrap(), [5, 10]);
    assert!(error.is_permanent() && error.code().is_none(), "{error}");
    assert_eq!(fake.take().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_and_comes_back_misses_nothing() {
    // Each answer takes two seconds to come.
    let (fake, _) = server(json!({}), |nth| {
        let body = if nth == 0 {
            json!({ "error": "authorization_pending" })
        } else {
            json!({ "access_token": "t" })
        };
        let status = if nth == 0 { 400 } else { 200 };
        let body = Body::frames([Step::Wait(2 * SECOND), Step::data(body.to_string())]);
        Reply::Head(Response::builder().status(status), body)
    });
    let mut login = fake.client().device().begin().await.unwrap();
    let mut token = None;
    for _ in 0..100 {
        if let Ok(done) = timeout(Duration::from_millis(300), login.wait()).await {
            token = Some(done.unwrap());
            break;
        }
    }
    assert_eq!(token.unwrap().access_token().expose(), "t");
    assert_eq!(fake.count(), 3, "the code, and two that asked");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_code_is_refused() {
    for name in ["device_code", "user_code", "verification_uri"] {
        let (fake, _) = server(json!({ name: null }), |_| tokens("t"));
        let error = fake.client().device().begin().await.unwrap_err();
        assert!(error.to_string().contains("no code for the device"), "{error}");
    }
    let (fake, _) = server(
        json!({ "verification_uri": null, "verification_url": "https://g.example/d", "verification_uri_complete": "https://g.example/d?c" }),
        |_| tokens("t"),
    );
    let login = fake.client().device().begin().await.unwrap();
    assert_eq!(
        (login.verification_uri(), login.verification_uri_complete()),
        ("https://g.example/d", Some("https://g.example/d?c"))
    );
    assert!(!printed(&login).contains("d3vice"));
    let no_lifetime = server(json!({ "expires_in": null }), |_| tokens("t")).0;
    assert_eq!(no_lifetime.client().device().begin().await.unwrap().expires_in(), None);
}

#[tokio::test(start_paused = true)]
async fn no_interval_is_too_long_for_the_clock() {
    let (fake, times) = server(json!({ "interval": 1e300, "expires_in": 1e300 }), |_| tokens("t"));
    fake.client().device().begin().await.unwrap().wait().await.unwrap();
    assert_eq!(*times.lock().unwrap(), [24 * 3600]);
}
