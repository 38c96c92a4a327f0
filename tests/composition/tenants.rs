//! Two tenants through one stack: what one was answered is never shown to the other.

use std::sync::atomic::{AtomicU32, Ordering};

use bartizan::Stack;
use bartizan_auth::{AuthLayer, Origins, Refreshing, Tenants, Token, TokenError};
use bartizan_cache::{CacheLayer, CacheStatus};
use bartizan_circuit_breaker::CircuitBreakerLayer;
use bartizan_core::{BoxError, Chance};
use bartizan_rate_limit::RateLimitLayer;
use bartizan_retry::RetryLayer;
use bartizan_test::bodies::{Body, Step};
use bartizan_timeout::{AttemptTimeoutLayer, BodyTimeoutLayer, DeadlineLayer};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::origin::MS;
use crate::part::{AnyService, BASE, erased};

const CALLS: u32 = 500;
const TENANTS: [&str; 2] = ["acme", "globex"];
/// The last one says that it may be answered stale while it is fetched anew.
const PATHS: [(&str, &str); 5] = [
    ("/me", "max-age=10"),
    ("/me?page=2", "public, max-age=5"),
    ("/orders", "private, max-age=30"),
    ("/orders/1", "no-cache"),
    ("/news", "max-age=1, stale-while-revalidate=60"),
];

#[derive(Clone)]
struct Tenant(&'static str);

fn draw(chance: &Chance, below: u32) -> u32 {
    (chance.unit() * f64::from(below)) as u32
}

/// Tokens that say whose they are and live for half a minute.
fn auth() -> AuthLayer<Tenants<Refreshing>> {
    let tenants = Tenants::new(
        |request| request.extensions.get::<Tenant>().map(|tenant| tenant.0.into()),
        |tenant| {
            let (tenant, fetched) = (tenant.to_owned(), AtomicU32::new(0));
            Refreshing::new(move |_| {
                let token = format!("{tenant}.{}", fetched.fetch_add(1, Ordering::Relaxed));
                async move {
                    sleep(5 * MS).await;
                    let token = Token::new(token).map_err(TokenError::permanent)?;
                    Ok(token.lifetime(30_000 * MS))
                }
            })
        },
    );
    AuthLayer::new(Origins::new([BASE]).expect("an origin"), tenants)
}

/// Answers each with his name and what he asked for; is busy at times, and now and then does not like a token.
fn origin(
    chance: Chance,
) -> impl Service<
    Request<Full<Bytes>>,
    Response = Response<Body>,
    Error = BoxError,
    Future = impl Future<Output = Result<Response<Body>, BoxError>> + Send,
> + Clone
+ Send {
    service_fn(move |request: Request<Full<Bytes>>| {
        let (lot, head, body) = (draw(&chance, 100), draw(&chance, 200), draw(&chance, 200));
        async move {
            let token = request.headers()["authorization"].to_str()?.to_owned();
            let tenant = token.trim_start_matches("Bearer ").split('.').next().unwrap_or_default().to_owned();
            sleep(head * MS).await;
            let response = Response::builder();
            if lot < 3 {
                let challenge = "Bearer error=\"invalid_token\"";
                return Ok(response.status(401).header("www-authenticate", challenge).body(Body::empty())?);
            }
            if lot < 6 {
                return Ok(response.status(503).body(Body::empty())?);
            }
            let target = request.uri().path_and_query().map_or("", |target| target.as_str());
            let (_, control) = PATHS.iter().find(|(path, _)| *path == target).ok_or("no such path")?;
            let end = if lot < 9 { Step::Error } else { Step::data(format!(" asked for {target}")) };
            let body = Body::frames([Step::data(tenant), Step::Wait(body * MS), end]);
            Ok(response.header("cache-control", *control).header("etag", "\"1\"").body(body)?)
        }
    })
}

/// How calls ended.
#[derive(Debug, Default)]
struct Ended {
    answered: u32,
    from_memory: u32,
    otherwise: u32,
}

fn mingled(stack: impl Fn(AuthLayer<Tenants<Refreshing>>, CacheLayer, Chance) -> AnyService) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime of one thread can be built").block_on(async {
        let chance = Chance::from_seed(9);
        let service = stack(auth(), CacheLayer::rfc9111().status(), chance.clone());
        let mut calls = JoinSet::new();
        for _ in 0..CALLS {
            let tenant = TENANTS[draw(&chance, 2) as usize];
            let (path, _) = PATHS[draw(&chance, PATHS.len() as u32) as usize];
            let (starts, leaves) = (draw(&chance, 90_000), draw(&chance, 1_000));
            let service = service.clone();
            calls.spawn(async move {
                sleep(starts * MS).await;
                let request =
                    Request::get(format!("{BASE}{path}")).extension(Tenant(tenant)).body(Full::default());
                let call = async {
                    let response = service.oneshot(request?).await?;
                    let is_hit = matches!(
                        response.extensions().get(),
                        Some(CacheStatus::Hit { .. } | CacheStatus::Forwarded { collapsed: true, .. })
                    );
                    let status = response.status();
                    Ok::<_, BoxError>((status, is_hit, response.into_body().collect().await?.to_bytes()))
                };
                // Every fifth leaves, most of them too early.
                let patience = if leaves < 200 { leaves } else { 100_000 };
                match timeout(patience * MS, call).await {
                    Ok(Ok((status, is_hit, body))) if status == 200 => {
                        assert_eq!(body, format!("{tenant} asked for {path}"));
                        Ended { answered: 1, from_memory: u32::from(is_hit), otherwise: 0 }
                    }
                    _ => Ended { otherwise: 1, ..Ended::default() },
                }
            });
        }
        let mut sum = Ended::default();
        while let Some(ended) = calls.join_next().await {
            let ended = ended.expect("each answer is the tenant's own");
            sum.answered += ended.answered;
            sum.from_memory += ended.from_memory;
            sum.otherwise += ended.otherwise;
        }
        println!("{sum:?}");
        assert_eq!(sum.answered + sum.otherwise, CALLS);
        assert!(sum.answered > 350 && sum.from_memory > 100, "too few to tell: {sum:?}");
    });
}

#[test]
fn two_tenants_never_see_each_others_data_through_stack() {
    mingled(|auth, cache, chance| {
        let stack = Stack::standard().cache(cache).auth(auth).build().expect("it can be meant");
        erased(stack.layer(origin(chance)))
    });
}

#[test]
fn two_tenants_never_see_each_others_data_by_hand() {
    mingled(|auth, cache, chance| {
        let breaker = CircuitBreakerLayer::new();
        erased(
            ServiceBuilder::new()
                .layer(auth.identity_layer())
                .layer(DeadlineLayer::default())
                .layer(cache)
                .layer(RetryLayer::new())
                .layer(auth)
                .layer(breaker.gate())
                .layer(RateLimitLayer::without_quota())
                .layer(breaker)
                .layer(AttemptTimeoutLayer::default())
                .layer(BodyTimeoutLayer::default())
                .service(origin(chance)),
        )
    });
}
