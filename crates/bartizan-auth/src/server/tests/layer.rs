//! What becomes of requests that are let through, and of those that are not.

use std::pin::pin;
use std::task::Waker;

use super::*;

fn users() -> BasicUsers {
    let digest = SecretDigest::of_user("ann", "p4ss").unwrap();
    BasicUsers::new(Principals::new([(digest, "ann")]))
}

const ANN: (&str, &str) = ("authorization", "Basic YW5uOnA0c3M=");
const KEY: (&str, &str) = ("x-api-key", "k3y");

fn any() -> VerifyLayer {
    VerifyLayer::new(users()).or(BearerTokens::new(principals())).or(ApiKeys::new(principals()))
}

const BASIC: &str = "Basic realm=\"api\", charset=\"UTF-8\"";
const BEARER: &str = "Bearer realm=\"api\"";
const API_KEY: &str = "ApiKey realm=\"api\"";

/// Status, and all fields of `WWW-Authenticate`.
async fn answer(layer: VerifyLayer, fields: &[(&'static str, &str)]) -> (u16, Vec<String>) {
    let answer = layer.respond().layer(App::default()).oneshot(get("/", fields)).await.unwrap();
    let lines = answer.headers().get_all(WWW_AUTHENTICATE).iter();
    (answer.status().as_u16(), lines.map(|line| line.to_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn whoever_is_known_to_one_is_let_through() {
    for (field, name) in [(ANN, "ann"), (KEY, "billing"), (("authorization", "Bearer k3y"), "billing")] {
        let head = ask(&any(), get("/", &[field])).await.unwrap();
        assert_eq!(Principal::of(&head.extensions).map(Principal::as_str), Some(name));
    }
}

#[tokio::test]
async fn what_the_verifier_did_not_take_stays() {
    let head = ask(&any(), get("/?key=1", &[KEY, ("authorization", "Digest x")])).await.unwrap();
    assert_eq!(written(&head), ("/?key=1".into(), vec!["authorization: Digest x".into()]));
}

#[tokio::test]
async fn a_401_asks_for_what_any_of_them_takes_in_a_field_each() {
    let invalid = "Bearer realm=\"api\", error=\"invalid_token\"";
    for (fields, expected) in [
        (&[][..], [BASIC, BEARER, API_KEY]),
        (&[("authorization", "Digest x")], [BASIC, BEARER, API_KEY]),
        (&[("authorization", "Basic YTpi")], [BASIC, BEARER, API_KEY]),
        (&[("x-api-key", "other")], [BASIC, BEARER, API_KEY]),
        (&[("authorization", "Bearer other")], [BASIC, invalid, API_KEY]),
    ] {
        assert_eq!(answer(any(), fields).await, (401, expected.map(str::to_owned).to_vec()), "{fields:?}");
    }
}

#[tokio::test]
async fn credentials_of_two_kinds_are_a_bad_request_whether_they_are_good_or_not() {
    for fields in [
        &[ANN, KEY][..],
        &[KEY, ("authorization", "Bearer k3y")],
        &[ANN, ("x-api-key", "other")],
        &[("authorization", "Basic !"), KEY],
        &[("authorization", "Basic YTpi"), ("x-api-key", "")],
        &[ANN, ("authorization", "Bearer k3y")],
    ] {
        assert_eq!(answer(any(), fields).await, (400, vec![]), "{fields:?}");
    }
    // It is not asked for a second opinion.
    let denied = ask(&any(), get("/", &[ANN, KEY])).await.unwrap_err();
    assert_eq!(denied.to_string(), "the credential of the request is not the only one");
}

#[tokio::test]
async fn what_is_no_401_tells_what_the_one_has_to_say_that_denied() {
    let described =
        "Bearer realm=\"api\", error=\"invalid_request\", error_description=\"the token is no bearer token\"";
    assert_eq!(answer(any(), &[("authorization", "Bearer a b")]).await, (400, vec![described.to_owned()]));
    assert_eq!(answer(any(), &[KEY, KEY]).await, (400, vec![API_KEY.to_owned()]));
    let scoped = BearerTokens::by(|_, _| Err(Denial::LacksScope(Scope::new("write").expect("a word"))));
    let lacks = "Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"write\"";
    let layer = VerifyLayer::new(users()).or(scoped);
    assert_eq!(answer(layer, &[("authorization", "Bearer x")]).await, (403, vec![lacks.to_owned()]));
}

#[tokio::test]
async fn an_answer_has_problem_details_and_the_mark_of_a_refusal() {
    let layer = VerifyLayer::new(ApiKeys::new(principals())).respond();
    for (key, detail) in [
        (None, "the request has no credential"),
        (Some("other"), "the credential of the request is not accepted"),
    ] {
        let fields: Vec<_> = key.map(|key| ("x-api-key", key)).into_iter().collect();
        let answer = layer.layer(App::default()).oneshot(get("/", &fields)).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert!(answer.extensions().get::<Rejection>().is_some());
        assert!(!answer.headers().contains_key(CACHE_CONTROL));
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(text, format!(r#"{{"title":"Unauthorized","status":401,"detail":"{detail}"}}"#));
    }
}

#[tokio::test]
async fn without_respond_a_refusal_is_an_error_of_which_nothing_was_sent() {
    let error = any().layer(App::default()).oneshot(get("/", &[])).await.unwrap_err();
    assert!(find_source::<Rejection>(&*error).is_some());
    let denied = find_source::<Denied>(&*error).unwrap();
    assert_eq!((denied.denial(), denied.challenges().len()), (&Denial::Missing, 3));
    for (denial, status) in [
        (Denial::Missing, StatusCode::UNAUTHORIZED),
        (Denial::Refused, StatusCode::UNAUTHORIZED),
        (Denial::Malformed("is odd"), StatusCode::BAD_REQUEST),
        (Denial::LacksScope(Scope::new("a").unwrap()), StatusCode::FORBIDDEN),
    ] {
        assert_eq!(bartizan_core::Refusal::status(&Denied::new(denial, Vec::new())), status);
    }
}

#[tokio::test]
async fn what_is_further_in_knows_whose_the_call_is() {
    let context = async |request| {
        let head = ask(&any(), request).await.unwrap();
        let context = CallContext::of(&head.extensions).unwrap();
        assert!(context.is_authenticated());
        context.partition().unwrap().to_owned()
    };
    let billing = context(get("/", &[KEY])).await;
    assert!(!billing.contains("billing"), "{billing}");
    assert_eq!(
        context(get("/other", &[("authorization", "Bearer k3y")])).await,
        billing,
        "the same principal"
    );
    assert_ne!(context(get("/", &[ANN])).await, billing);
    let mut tenants = get("/", &[KEY]);
    CallContext::edit(tenants.extensions_mut()).set_partition("tenant");
    assert_eq!(context(tenants).await, "tenant");
}

#[tokio::test]
async fn a_name_that_the_caller_brings_along_is_not_his() {
    let mut request = get("/", &[KEY]);
    request.extensions_mut().insert(Principal::new("root"));
    let head = ask(&any(), request).await.unwrap();
    assert_eq!(Principal::of(&head.extensions).unwrap(), &Principal::new("billing"));
}

#[test]
fn principals_are_told_apart_by_their_names() {
    let (one, other) = (Principal::new("one"), Principal::from("other".to_owned()));
    assert_eq!(one, Principal::from("one"));
    assert_ne!(one, other);
    assert_eq!(format!("{one:?} {other}"), r#"Principal("one") other"#);
}

#[tokio::test]
async fn the_realm_is_quoted() {
    let layer = any().realm(Realm::new("a \"b\" \\c").unwrap());
    let (_, lines) = answer(layer, &[]).await;
    assert_eq!(lines[2], r#"ApiKey realm="a \"b\" \\c""#);
    for bad in ["", "a\n", "é", "\u{7f}"] {
        assert!(Realm::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn what_may_not_stand_in_a_challenge_is_left_out() {
    let challenge = Challenge::new("To ken\r\n", &Realm::default()).with("na=me", "a\r\n\"é\\~");
    assert_eq!(challenge.to_string(), r#"Token realm="api", name="a\"\\~""#);
    assert_eq!(challenge.value(), challenge.to_string());
}

/// What the app says of caches, and what its answer says.
async fn cache_control(said: Option<&'static str>, fields: &[(&'static str, &str)]) -> Vec<String> {
    let app = App { cache_control: said, ..App::default() };
    let answer = any().respond().layer(app).oneshot(get("/", fields)).await.unwrap();
    let lines = answer.headers().get_all(CACHE_CONTROL).iter();
    lines.map(|line| line.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn where_caches_cannot_know_whose_an_answer_is_it_says_so() {
    for (said, expected) in [
        (None, vec!["private"]),
        (Some("max-age=60"), vec!["max-age=60", "private"]),
        (Some("private=\"set-cookie\", x-public"), vec!["private=\"set-cookie\", x-public", "private"]),
        (Some("max-age=60 , PRIVATE"), vec!["max-age=60 , PRIVATE"]),
        (Some("No-Store"), vec!["No-Store"]),
        (Some("public"), vec!["public"]),
        (Some("max-age=1,S-Maxage=60"), vec!["max-age=1,S-Maxage=60"]),
        (Some("must-revalidate"), vec!["must-revalidate"]),
    ] {
        assert_eq!(cache_control(said, &[KEY]).await, expected, "{said:?}");
    }
    assert_eq!(cache_control(None, &[ANN]).await, Vec::<String>::new(), "they know `Authorization`");
}

/// Knows everybody, and takes out nothing of its own.
struct Anybody;

impl Verifier for Anybody {
    fn verify(&self, _: &RequestHead<'_>) -> Result<Principal, Denial> {
        Ok(Principal::new("anybody"))
    }

    fn challenge(&self, realm: &Realm, _: &Denial) -> Challenge {
        Challenge::new("Any", realm)
    }
}

#[tokio::test]
async fn another_verifier_may_be_written_and_shared() {
    let shared: Arc<dyn Verifier> = Arc::new(Anybody);
    let head = ask(&VerifyLayer::new(shared.clone()), get("/", &[ANN, ("x", "1")])).await.unwrap();
    assert_eq!(written(&head).1, ["x: 1"], "`Authorization` is taken out");
    assert_eq!(shared.challenge(&Realm::default(), &Denial::Missing).to_string(), "Any realm=\"api\"");
    let keys: Arc<dyn Verifier> = Arc::new(ApiKeys::new(principals()));
    let head = ask(&VerifyLayer::new(keys), get("/", &[KEY])).await.unwrap();
    assert!(head.headers.is_empty());
}

/// Pending for ever, and tells when it is gone.
struct Slow(Arc<()>);

impl Service<Request<()>> for Slow {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let alive = self.0.clone();
        Box::pin(async move {
            let _alive = alive;
            std::future::pending().await
        })
    }
}

impl Clone for Slow {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[test]
fn a_call_that_is_dropped_takes_the_inner_one_with_it() {
    for polls in [0, 1, 2] {
        let alive = Arc::new(());
        let service = any().layer(Slow(alive.clone()));
        {
            let mut call = pin!(service.oneshot(get("/", &[KEY])));
            for _ in 0..polls {
                assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
            assert!(Arc::strong_count(&alive) > 1);
        }
        assert_eq!(Arc::strong_count(&alive), 1, "{polls} polls");
    }
}

#[tokio::test]
async fn an_inner_that_was_found_ready_is_called_at_once() {
    let app = App::default();
    let mut service = any().layer(app.clone());
    drop(service.ready().await.unwrap().call(get("/", &[KEY])));
    assert_eq!(app.seen.lock().unwrap().len(), 1);
    drop(service.call(get("/", &[KEY])));
    assert_eq!(app.seen.lock().unwrap().len(), 1, "that was for one call");
}

#[tokio::test]
async fn nothing_prints_a_secret() {
    let secret = "s3cr3t";
    let known = Principals::new([(SecretDigest::of(secret), "x")]);
    let users = BasicUsers::by(|_, _| None);
    let tokens = BearerTokens::by(|_, _| Err(Denial::Refused)).or_in_query();
    let keys = ApiKeys::new(known.clone()).or_at(Place::query("key").unwrap());
    let digest = SecretDigest::of(secret);
    let mut printed = format!("{known:?} {users:?} {tokens:?} {keys:?} {digest:?}");
    printed += &format!("{:?} {:?}", BasicUsers::new(known.clone()), BearerTokens::new(known));
    let layer = VerifyLayer::new(keys).or(users).or(tokens);
    printed += &format!("{layer:?} {:?}", layer.layer(()));
    for key in [secret, "other"] {
        let call = layer.layer(App::default()).call(get("/", &[("x-api-key", key)]));
        printed += &format!("{call:?}");
    }
    for (target, fields) in [
        ("/?access_token=s3cr3t=x", &[][..]),
        ("/", &[("authorization", "Bearer s3cr3t")]),
        ("/", &[("authorization", "Basic czNjcjN0OnMzY3IzdA==")]),
        ("/?key=s3cr3t", &[("x-api-key", "s3cr3t")]),
        ("/", &[("x-api-key", "s3cr3t ")]),
    ] {
        let error = ask(&layer, get(target, fields)).await.map(|_| ());
        printed += &format!("{error:?}");
        if let Err(error) = error {
            printed += &error.to_string();
        }
    }
    for error in [
        SecretDigest::from_hex(secret).unwrap_err(),
        SecretDigest::of_user("s3cr3t:", secret).unwrap_err(),
        Place::cookie("s3cr3t\n").unwrap_err(),
    ] {
        printed += &format!("{error} {error:?}");
    }
    assert!(!printed.contains(secret) && !printed.contains("czNjcjN0"), "{printed}");
    assert!(!printed.contains("78, 115") && !printed.contains("4e73"), "the digest neither: {printed}");
    for shown in [
        "SecretDigest(..)",
        "Principals(1 secrets)",
        "ApiKeys { places: [Place(Header(\"x-api-key\"))",
        "BasicUsers(Principals",
        "BasicUsers(a closure)",
        "BearerTokens { known: Principals",
        "VerifyLayer { realm: Realm(\"api\")",
        "Verify { inner: ()",
        "ResponseFuture(calling)",
        "ResponseFuture(denied)",
    ] {
        assert!(printed.contains(shown), "{shown}: {printed}");
    }
}
