//! Credentials: what they are made of, what they are in, and what becomes of them.

use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::SystemTime;

use bartizan::auth::{
    ApiKey, AuthLayer, Authorizer, Basic, Bearer, NoCredential, NotPrepared, Origins, Refreshing, SavedToken,
    Secret, Stored, Tenants, Token, TokenError, TokenStore,
};
use bartizan::core::find_source;
use http::StatusCode;

use super::*;

const HERE: &str = "https://api.example.com/v1";

fn here() -> Origins {
    Origins::new(["https://api.example.com"]).expect("an origin")
}

/// Whoever makes a token of it.
fn token(place: &str) -> Token {
    let token = Token::new(plain(place)).expect("a token");
    token.refresh_token(plain("refresh")).lifetime(Duration::from_secs(3600))
}

/// Answers with this status, and says that the token is not good.
#[derive(Clone, Debug)]
struct Api(StatusCode);

impl Service<Request<Full<Bytes>>> for Api {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        let refused = Response::builder().header("www-authenticate", "Bearer error=\"invalid_token\"");
        ready(Ok(refused.status(self.0).body(Full::default()).expect("a response")))
    }
}

fn request(uri: &str) -> Request<Full<Bytes>> {
    Request::get(uri).header("x-tenant", plain("tenant")).body(Full::default()).expect("a request")
}

/// Looks at all that a credential goes through: its layer, its service, its calls, what they end with, and the request that has it.
async fn go_through<A: Authorizer + Debug>(leaks: &mut Leaks, what: &str, authorizer: A) {
    leaks.value(what, &authorizer);
    let (mut head, _) = Request::get(HERE).body(()).expect("a request").into_parts();
    if let Some(stamp) = authorizer.authorize(&mut head) {
        leaks.value("Stamp", &stamp);
        // Targets and tenants are the caller's; what is put on a request is marked.
        leaks.value(what, &head.headers);
    }
    leaks.look_at(what, &authorizer.identity(&RequestHead::from(&request(HERE))));
    let layer = AuthLayer::new(here(), authorizer).refuse_elsewhere();
    leaks.value("AuthLayer", &layer);
    leaks.value("IdentityLayer", &layer.identity_layer());
    leaks.value("Identity", &layer.identity_layer().layer(Api(StatusCode::OK)));
    for status in [StatusCode::OK, StatusCode::UNAUTHORIZED] {
        call_through(leaks, what, layer.layer(Api(status))).await;
        call_through(leaks, what, layer.clone().replay_alone().layer(Api(status))).await;
    }
}

async fn call_through<S, F>(leaks: &mut Leaks, what: &str, mut service: S)
where
    S: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = BoxError, Future = F> + Debug,
    F: Future<Output = Result<Response<Full<Bytes>>, BoxError>> + Debug,
{
    leaks.value("Auth", &service);
    let call = service.call(request(&format!("{HERE}?token={0}", plain("target"))));
    leaks.value("ResponseFuture", &call);
    match call.await {
        Ok(answer) => leaks.value(what, answer.headers()),
        Err(error) => leaks.error(what, &*error),
    }
    let elsewhere = format!("https://user:{0}@elsewhere.example/{0}?token={0}", plain("elsewhere"));
    leaks.error("OtherOrigin", &*service.call(request(&elsewhere)).await.expect_err("refused"));
}

#[tokio::test(start_paused = true)]
async fn credentials_show_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let name = HeaderName::from_static("x-key");
    go_through(&mut leaks, "ApiKey", ApiKey::new(plain("key")).expect("a key")).await;
    go_through(&mut leaks, "ApiKey", ApiKey::header(name, plain("key")).expect("a key")).await;
    go_through(&mut leaks, "ApiKey", ApiKey::query("key", plain("key")).expect("a key")).await;
    go_through(&mut leaks, "ApiKey", ApiKey::cookie("key", plain("key")).expect("a key")).await;
    go_through(&mut leaks, "Basic", Basic::new(&plain("user"), plain("password")).expect("a pair")).await;
    go_through(&mut leaks, "Bearer", Bearer::new(plain("token")).expect("a token")).await;
    go_through(&mut leaks, "Bearer", Bearer::unset()).await;
    leaks.value("Secret", &Secret::from(plain("secret")));
    leaks.value("Token", &token("token"));
    leaks.value("SavedToken", &SavedToken::new(plain("saved"), Some(plain("saved").into()), None));
    leaks.value("NotPrepared", &NotPrepared::unset());
    leaks.assert_none();
}

/// Has one that has ended, and can save none.
struct Shelf;

impl TokenStore for Shelf {
    fn load(&self) -> Stored<Option<SavedToken>> {
        let saved =
            SavedToken::new(plain("saved"), Some(plain("saved").into()), Some(SystemTime::UNIX_EPOCH));
        Box::pin(ready(Ok(Some(saved))))
    }

    fn save(&self, _: &SavedToken) -> Stored<()> {
        Box::pin(ready(Err("full".into())))
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_fetched_show_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let told = Arc::<Mutex<Vec<String>>>::default();
    let fetched = |has_one: bool| {
        let told = told.clone();
        Refreshing::builder(move |refresh: Option<Secret>| {
            assert!(refresh.is_some_and(|refresh| refresh.expose().contains("saved")), "that of the shelf");
            ready(if has_one { Ok(token("fetched")) } else { Err(TokenError::permanent("invalid_grant")) })
        })
        .store(Shelf)
        .hook(move |event| told.lock().expect("no test panicked").push(format!("{event:?}")))
    };
    leaks.value("RefreshingBuilder", &fetched(true));
    go_through(&mut leaks, "Refreshing", fetched(true).any_401().build()).await;
    go_through(&mut leaks, "Refreshing", fetched(false).build()).await;
    let set = fetched(true).build();
    set.set_token(token("set"));
    go_through(&mut leaks, "Refreshing", set).await;

    let told = told.lock().expect("no test panicked").join("\n");
    for event in ["Renewed", "Failed", "Refused", "NotSaved"] {
        assert!(told.contains(event), "{event}: {told}");
    }
    leaks.look_at("TokenEvent", &told);
    leaks.assert_none();
    assert!(recorder::logged().by_crate["bartizan_auth"] > 0);
}

#[tokio::test(start_paused = true)]
async fn tenants_show_nothing() {
    recorder::record();
    let mut leaks = Leaks::default();
    let of_header = || {
        Tenants::new(
            |request| request.headers.get("x-tenant")?.to_str().ok().map(Into::into),
            |tenant| Bearer::new(format!("{}{tenant}", plain("token"))).expect("a token"),
        )
        .max_tenants(NonZeroUsize::MIN)
    };
    let tenants = of_header();
    go_through(&mut leaks, "Tenants", tenants.clone()).await;
    go_through(&mut leaks, "Tenants", of_header().otherwise(Bearer::new(plain("nobody")).expect("a token")))
        .await;
    let held = tenants.get(&plain("another")).expect("there is room");
    leaks.value("Tenant", &held);
    leaks.error("TooManyTenants", &tenants.get(&plain("third")).expect_err("there is no room"));
    let mut service = AuthLayer::new(here(), tenants).layer(Api(StatusCode::OK));
    let mut third = request(HERE);
    third.headers_mut().insert("x-tenant", plain("third").parse().expect("a header value"));
    for request in [Request::get(HERE).body(Full::default()).expect("a request"), third] {
        let error = service.call(request).await.expect_err("refused");
        leaks.error("NoCredential", &*error);
        let cause = find_source::<NoCredential>(&*error).and_then(NoCredential::cause);
        leaks.error("its cause", cause.expect("there is one"));
    }
    leaks.assert_none();
}

#[test]
fn what_is_no_credential_or_no_origin_shows_nothing() {
    let mut leaks = Leaks::default();
    let broken = format!("{}\n", plain("broken"));
    leaks.error("Bearer", &Bearer::new(broken.as_str()).expect_err("refused"));
    leaks.error("Bearer", &Bearer::unset().set_token(broken.as_str()).expect_err("refused"));
    leaks.error("Token", &Token::new(broken.as_str()).expect_err("refused"));
    leaks.error("Basic", &Basic::new(&broken, plain("password")).expect_err("refused"));
    leaks.error("Basic", &Basic::new("user", broken.as_str()).expect_err("refused"));
    leaks.error("ApiKey", &ApiKey::new(broken.as_str()).expect_err("refused"));
    leaks.error("ApiKey", &ApiKey::cookie("key", broken.as_str()).expect_err("refused"));
    let secret = plain("origin");
    for origin in [
        format!("https://user:{secret}@api.example.com"),
        format!("https://api.example.com/{secret}"),
        format!("https://api.example.com/?key={secret}"),
        format!("http://user:{secret}@api.example.com"),
        format!("ftp://user:{secret}@api.example.com"),
    ] {
        leaks.error("Origins", &Origins::new([origin]).expect_err("refused"));
    }
    leaks.assert_none();
}
