//! Another credential for each tenant.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use proptest::prelude::*;
use tokio::time::{advance, sleep};

use super::*;

mod idle;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Named(String);

fn by_extension<A: Authorizer>(make: impl Fn(&str) -> A + Send + Sync + 'static) -> Tenants<A> {
    Tenants::new(|request| request.extensions.get::<Named>().map(|tenant| tenant.0.as_str().into()), make)
}

/// Whose tokens are his name.
fn bearers(most: usize) -> Tenants<Bearer> {
    by_extension(|tenant| Bearer::new(tenant).unwrap()).max_tenants(NonZeroUsize::new(most).unwrap())
}

fn of(tenant: &str, uri: &str) -> Request<Full<Bytes>> {
    let mut request = request(uri);
    request.extensions_mut().insert(Named(tenant.into()));
    request
}

async fn token<A: Authorizer>(layer: &AuthLayer<A>, tenant: &str) -> String {
    let head = sent(layer, of(tenant, HERE)).await;
    head.headers[AUTHORIZATION].to_str().unwrap().trim_start_matches("Bearer ").to_owned()
}

#[tokio::test]
async fn each_goes_with_its_own_which_is_made_once() {
    let made = Arc::new(AtomicUsize::new(0));
    let tenants = by_extension({
        let made = made.clone();
        move |tenant| {
            made.fetch_add(1, Ordering::Relaxed);
            Bearer::new(tenant).unwrap()
        }
    });
    let layer = AuthLayer::new(here(), tenants.clone());
    for (tenant, known) in [("a", 1), ("b", 2), ("a", 2), ("c", 3), ("b", 3)] {
        assert_eq!(token(&layer, tenant).await, tenant);
        assert_eq!(made.load(Ordering::Relaxed), known);
    }
    tenants.get("b").unwrap().set_token("b2").unwrap();
    assert_eq!([token(&layer, "a").await, token(&layer, "b").await], ["a", "b2"]);
}

#[tokio::test]
async fn who_names_no_tenant_is_refused_or_goes_with_another_one() {
    let layer = AuthLayer::new(here(), bearers(9));
    let error = refused(&layer, HERE).await;
    assert_eq!(error.to_string(), "no credential for `https://api.example.com`: the request names no tenant");
    let missing = find_source::<NoCredential>(&*error).unwrap();
    assert!(missing.cause().unwrap().is::<NoTenant>() && missing.retry_in().is_none());
    assert!(sent(&layer.or_without(), request(HERE)).await.headers.is_empty());

    let layer = AuthLayer::new(here(), bearers(9).otherwise(Bearer::new("nobody").unwrap()));
    assert_eq!(sent(&layer, request(HERE)).await.headers[AUTHORIZATION], "Bearer nobody");
    assert_eq!(token(&layer, "a").await, "a");

    // Which may have to be fetched first.
    let tenants =
        by_extension(|_| Refreshing::new(|_: Option<Secret>| ready(Token::new("own").map_err(none))));
    let fetched = Refreshing::new(|_: Option<Secret>| ready(Token::new("nobody").map_err(none)));
    let layer = AuthLayer::new(here(), tenants.otherwise(fetched));
    assert_eq!(sent(&layer, request(HERE)).await.headers[AUTHORIZATION], "Bearer nobody");
    assert_eq!(token(&layer, "a").await, "own");
}

fn none(error: InvalidCredential) -> TokenError {
    TokenError::permanent(error)
}

#[tokio::test]
async fn who_was_forgotten_is_made_anew() {
    let made = Arc::new(AtomicUsize::new(0));
    let tenants = by_extension({
        let made = made.clone();
        move |tenant| Bearer::new(format!("{tenant}{}", made.fetch_add(1, Ordering::Relaxed))).unwrap()
    });
    let layer = AuthLayer::new(here(), tenants.max_tenants(NonZeroUsize::MIN));
    let mut tokens = Vec::new();
    for tenant in ["first", "a", "b", "b", "a", "first"] {
        tokens.push(token(&layer, tenant).await);
    }
    assert_eq!(tokens, ["first0", "a1", "b2", "b2", "a3", "first0"]);
}

#[tokio::test]
async fn where_nobody_can_be_forgotten_new_ones_are_refused_and_known_ones_go_on() {
    let tenants = bearers(1);
    let layer = AuthLayer::new(here(), tenants.clone());
    for tenant in ["first", "a"] {
        tenants.get(tenant).unwrap().set_token("by-hand").unwrap();
    }
    let inner = Inner::default();
    let error = layer.layer(inner.clone()).oneshot(of("b", HERE)).await.unwrap_err();
    assert!(inner.take().is_empty(), "nothing was sent");
    assert_eq!(
        error.to_string(),
        "no credential for `https://api.example.com`: no room for one more tenant: of 1 none can be forgotten without loss"
    );
    assert_eq!(Rejection::of(&*error).unwrap().retry_in(), Some(SECOND));
    assert_eq!(tenants.get("b").unwrap_err().most(), NonZeroUsize::MIN);
    assert_eq!([token(&layer, "first").await, token(&layer, "a").await], ["by-hand", "by-hand"]);
    assert_eq!(format!("{tenants:?}"), "Tenants { kept: 2, most: 1, .. }");
}

#[tokio::test]
async fn who_is_held_is_not_forgotten() {
    let tenants = bearers(1);
    tenants.get("first").unwrap();
    let held = tenants.get("a").unwrap();
    assert_eq!(format!("{held:?}"), "Tenant(Bearer(..))");
    let clone = held.clone();
    drop(held);
    assert!(tenants.get("b").is_err());
    drop(clone);
    assert!(tenants.get("b").is_ok());
}

/// Who was shown an answer, with which number.
type Log = Arc<Mutex<Vec<(String, u64)>>>;

/// Says of each answer whose it was shown, and can be waited for.
struct Shown {
    tenant: String,
    shown: Log,
    is_ready: bool,
}

impl Authorizer for Shown {
    fn authorize(&self, _: &mut Parts) -> Option<Stamp> {
        self.is_ready.then(|| Stamp::new(self.tenant.len() as u64))
    }

    fn prepare(&self, _: &Parts) -> Preparing {
        Box::pin(std::future::pending())
    }

    fn react(&self, stamp: Stamp, _: &Head<'_>) -> Reaction {
        self.shown.lock().unwrap().push((self.tenant.clone(), stamp.number()));
        Reaction::Replay
    }

    fn identity(&self, _: &RequestHead<'_>) -> Arc<str> {
        "me".into()
    }
}

fn shown(is_ready: bool) -> (Tenants<Shown>, Log) {
    let shown = Log::default();
    let tenants = by_extension({
        let shown = shown.clone();
        move |tenant| Shown { tenant: tenant.into(), shown: shown.clone(), is_ready }
    });
    (tenants.max_tenants(NonZeroUsize::MIN), shown)
}

#[tokio::test]
async fn answers_are_shown_to_whom_the_request_went_with_and_nobody_is_forgotten_before() {
    let (tenants, shown) = shown(true);
    let whose = Shown { tenant: "otherwise".into(), shown: shown.clone(), is_ready: true };
    let tenants = tenants.otherwise(whose);
    // The first one is kept in any case.
    tenants.get("first").unwrap();
    let (answer, answered) = tokio::sync::watch::channel(());
    let slow = tower::service_fn(move |_: Request<Full<Bytes>>| {
        let mut answered = answered.clone();
        async move {
            answered.changed().await.unwrap();
            Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
        }
    });
    let service = AuthLayer::new(here(), tenants.clone()).layer(slow);
    let calls = [of("ab", HERE), of("ab", HERE), of("first", HERE), request(HERE)];
    let mut calls = calls.map(|request| tokio_test_of(service.clone().oneshot(request)));
    assert!(calls.iter_mut().all(|call| call.poll().is_pending()));
    assert!(tenants.get("c").is_err(), "there are calls of `ab` under way");
    answer.send(()).unwrap();
    for call in &mut calls {
        let Poll::Ready(Ok(answer)) = call.poll() else { panic!("it was answered") };
        assert!(answer.extensions().get::<ReplayNow>().is_some());
    }
    assert!(tenants.get("c").is_ok());
    let expected = [("ab", 2), ("ab", 2), ("first", 5), ("otherwise", 9)];
    assert_eq!(*shown.lock().unwrap(), expected.map(|(tenant, number)| (tenant.to_owned(), number)));
}

#[tokio::test]
async fn who_is_waited_for_is_not_forgotten() {
    let (tenants, _) = shown(false);
    tenants.get("first").unwrap();
    let mut call =
        tokio_test_of(AuthLayer::new(here(), tenants.clone()).layer(Inner::default()).oneshot(of("a", HERE)));
    assert!(call.poll().is_pending());
    assert!(tenants.get("b").is_err());
    drop(call);
    assert!(tenants.get("b").is_ok());
}

#[test]
fn tenants_may_have_scopes() {
    let shown = Log::default();
    let tenants = by_extension({
        let shown = shown.clone();
        move |tenant| {
            let (tenant, shown) = (tenant.to_owned(), shown.clone());
            let make = move |scope: &str| Shown {
                tenant: format!("{tenant}/{scope}"),
                shown: shown.clone(),
                is_ready: true,
            };
            Tenants::new(|request| Some(request.uri.path().into()), make)
        }
    });
    let answer = Response::new(());
    for (tenant, uri) in [("a", "/x"), ("ab", "/x"), ("a", "/xy")] {
        let mut head = of(tenant, uri).into_parts().0;
        let stamp = tenants.authorize(&mut head).unwrap();
        assert_eq!(tenants.react(stamp, &Head::from(&answer)), Reaction::Replay);
    }
    let expected = [("a//x", 4), ("ab//x", 5), ("a//xy", 5)];
    assert_eq!(*shown.lock().unwrap(), expected.map(|(tenant, number)| (tenant.to_owned(), number)));
    let whose = |uri| tenants.identity(&RequestHead::from(&of("a", uri)));
    assert_ne!(whose("/x"), whose("/xy"));
    // A stamp of nobody here reaches nobody.
    assert_eq!(tenants.react(Stamp::new(1), &Head::from(&answer)), Reaction::Done);
}

#[test]
fn identities_are_apart_though_the_credentials_be_the_same() {
    let same = || by_extension(|_| ApiKey::new("same").unwrap()).max_tenants(NonZeroUsize::MIN);
    let (tenants, others) = (same(), same());
    let whose = |tenants: &Tenants<ApiKey>, tenant: Option<&str>| {
        let request = tenant.map_or(request(HERE), |tenant| of(tenant, HERE));
        tenants.identity(&RequestHead::from(&request)).to_string()
    };
    let first = whose(&tenants, Some("first"));
    let held = tenants.get("a").unwrap();
    let all = [
        first.clone(),
        whose(&tenants, Some("a")),
        whose(&tenants, Some("no room")),
        whose(&tenants, Some("nor here")),
        whose(&tenants, None),
        whose(&others, Some("first")),
        whose(&others, Some("a")),
        whose(&others, None),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(!all[index + 1..].contains(one), "{one}");
        assert!(!one.contains("first"), "{one}");
    }
    assert_eq!(whose(&tenants.clone(), Some("first")), first, "whoever asks");
    drop(held);
    let otherwise = ApiKey::new("other").unwrap();
    let tenants = same().otherwise(otherwise.clone());
    assert_eq!(*whose(&tenants, None), *otherwise.identity(&RequestHead::from(&request(HERE))));
}

#[tokio::test]
async fn what_any_tenant_sends_comes_off_where_it_is_not_meant_for() {
    let tenants = by_extension(|tenant| match tenant {
        "header" => ApiKey::new("k3y").unwrap(),
        name => ApiKey::query(name, "k3y").unwrap(),
    })
    .max_tenants(NonZeroUsize::MIN)
    .otherwise(ApiKey::query("o", "k3y").unwrap());
    tenants.get("header").unwrap();
    tenants.get("a").unwrap();

    let (mut uri, mut headers) = ("https://evil.example/?a=1&x=1&o=k3y".parse().unwrap(), HeaderMap::new());
    headers.insert("x-api-key", "k3y".parse().unwrap());
    tenants.strip(&mut uri, &mut headers);
    assert_eq!((uri.to_string(), headers.len()), ("https://evil.example/?x=1".into(), 0));

    let layer = AuthLayer::new(here(), tenants);
    let elsewhere = "https://evil.example/?a=k3y&x=1&b=k3y&o=k3y&a=2";
    assert_eq!(sent(&layer, request(elsewhere)).await.uri, "https://evil.example/?x=1&b=k3y&a=2");
    // Its own key even after it was forgotten, since the request says whose it is.
    assert_eq!(sent(&layer, of("b", elsewhere)).await.uri, "https://evil.example/?a=k3y&x=1&a=2");
}

/// A token endpoint for all, which takes a while, and an API that takes a tenant's own tokens alone.
#[derive(Clone, Default)]
struct Company {
    fetched: Arc<Mutex<HashMap<String, u32>>>,
    /// So many tokens of each were revoked.
    revoked: Arc<AtomicUsize>,
}

impl Company {
    fn tenants(&self) -> Tenants<Refreshing> {
        let this = self.clone();
        by_extension(move |tenant| {
            let (this, tenant) = (this.clone(), tenant.to_owned());
            Refreshing::new(move |_: Option<Secret>| {
                let (this, tenant) = (this.clone(), tenant.clone());
                async move {
                    sleep(SECOND).await;
                    let mut fetched = this.fetched.lock().unwrap();
                    let nth = fetched.entry(tenant.clone()).or_default();
                    *nth += 1;
                    Ok(Token::new(format!("{tenant}.{nth}")).unwrap())
                }
            })
        })
    }

    fn answer(&self, head: &Parts) -> Response<String> {
        let token = head.headers[AUTHORIZATION].to_str().unwrap().trim_start_matches("Bearer ");
        let (whose, nth) = token.split_once('.').unwrap();
        let is_own = whose == head.extensions.get::<Named>().unwrap().0;
        let is_good = nth.parse::<usize>().unwrap() > self.revoked.load(Ordering::Relaxed);
        let mut response = Response::new(token.to_owned());
        if !is_own || !is_good {
            *response.status_mut() = http::StatusCode::UNAUTHORIZED;
            let challenge = "Bearer error=\"invalid_token\"".parse().unwrap();
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_calls_of_twenty_tenants_go_with_their_own_tokens_which_are_fetched_once_each() {
    let company = Company::default();
    let api = {
        let company = company.clone();
        tower::service_fn(move |request: Request<Full<Bytes>>| {
            ready(Ok::<_, &'static str>(company.answer(&request.into_parts().0)))
        })
    };
    let service = AuthLayer::new(here(), company.tenants()).replay_alone().layer(api);
    let chance = bartizan_core::Chance::from_seed(7);
    for round in 1..4 {
        let calls = (0..200).map(|_| {
            let (service, tenant) = (service.clone(), format!("t{}", (chance.unit() * 20.0) as u32));
            tokio::spawn(async move { service.oneshot(of(&tenant, HERE)).await.unwrap().status().as_u16() })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), 200);
        }
        let fetched = company.fetched.lock().unwrap().clone();
        assert_eq!(fetched.len(), 20);
        assert!(fetched.values().all(|nth| *nth == round), "{fetched:?}");
        company.revoked.fetch_add(1, Ordering::Relaxed);
        advance(SECOND).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn of_many_tenants_each_goes_with_its_own_and_no_more_are_kept_than_may_be(
        most in 1_usize..6,
        asked in prop::collection::vec((0..12_u8, 0..4_u8), 1..200),
    ) {
        let tenants = bearers(most);
        let mut held = Vec::new();
        for (tenant, does) in asked {
            let name = format!("t{tenant}");
            let mut head = of(&name, HERE).into_parts().0;
            match tenants.authorize(&mut head) {
                Some(stamp) => {
                    prop_assert_eq!(&head.headers[AUTHORIZATION], &format!("Bearer {name}"));
                    match does {
                        0 => held.push(stamp),
                        1 => held.clear(),
                        _ => {}
                    }
                }
                None => prop_assert!(held.len() >= most, "there was room"),
            }
            prop_assert!(tenants.kept() <= most + 1);
        }
    }
}
