//! Caches that have the answer, as they mostly do, and one that may not keep it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_cache::CacheLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use http_cache::MokaManager;
use http_cache_tower::HttpCacheLayer;
use tower_layer::Layer;
use tower_resilience_cache::CacheLayer as ResilienceLayer;
use tower_service::Service;

use crate::drive::{by_one, get, reads};
use crate::{Group, Row};

const SHORT: usize = 128;
const LONG: usize = 1024 * 1024;

/// See the titles.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Cache, a hit of 128 B",
        note: "tower-resilience's keeps the answer under a string that the caller makes, for a time, behind one lock, and knows no HTTP; moka's \
               own `get` is what ours finds an entry with.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("the origin, which is at hand", |n| reads(Origin::fresh(SHORT), &get(), n)),
            Row::new("`CacheLayer::rfc9111()`", |n| {
                reads(CacheLayer::rfc9111().layer(Origin::fresh(SHORT)), &get(), n);
            }),
            Row::new("`CacheLayer::rfc9111()`, with status", |n| {
                reads(CacheLayer::rfc9111().status().layer(Origin::fresh(SHORT)), &get(), n);
            }),
            Row::new("`CacheLayer::classic()`", |n| {
                reads(CacheLayer::classic().layer(Origin::fresh(SHORT)), &get(), n);
            }),
            Row::new("http-cache-tower with moka", |n| {
                reads(HttpCacheLayer::new(MokaManager::default()).layer(Origin::fresh(SHORT)), &get(), n);
            }),
            Row::new("tower-resilience `CacheLayer`", |n| resilience(SHORT, n)),
            Row::new("moka, `get` alone", |n| {
                let map = moka::sync::Cache::<String, Arc<Bytes>>::new(100);
                let key = "http://api.example.com/v1/items?page=1";
                map.insert(key.to_owned(), Arc::default());
                by_one(n, || drop(black_box(map.get(black_box(key)).expect("it is there"))));
            }),
        ],
    },
    Group {
        title: "Cache, a hit of 1 MiB",
        note: "The same, eight thousand times as long. http-cache-tower with moka writes the answer out and reads it back: some 17 million instructions and \
               2 MB for each hit, which was counted over a few calls and is left out here, since it would take hours.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("the origin, which is at hand", |n| reads(Origin::fresh(LONG), &get(), n)),
            Row::new("`CacheLayer::rfc9111()`", |n| {
                reads(CacheLayer::rfc9111().layer(Origin::fresh(LONG)), &get(), n);
            }),
            Row::new("tower-resilience `CacheLayer`", |n| resilience(LONG, n)),
        ],
    },
    Group {
        title: "Cache, what is not to be stored",
        note: "`no-store`, 128 B. Ours passes the body as it comes; one call at a time, so nobody waits for anybody.",
        paused: false,
        at_most: None,
        rows: &[
            Row::new("the origin, which is at hand", |n| reads(Origin::never(SHORT), &get(), n)),
            Row::new("`CacheLayer::rfc9111()`", |n| {
                reads(CacheLayer::rfc9111().layer(Origin::never(SHORT)), &get(), n);
            }),
            Row::new("http-cache-tower with moka", |n| {
                reads(HttpCacheLayer::new(MokaManager::default()).layer(Origin::never(SHORT)), &get(), n);
            }),
        ],
    },
];

/// Answers at once, with five fields as an API sends them.
#[derive(Clone, Debug)]
struct Origin {
    says: &'static str,
    body: Bytes,
}

impl Origin {
    fn fresh(length: usize) -> Self {
        Self { says: "max-age=3600", body: vec![b'x'; length].into() }
    }

    fn never(length: usize) -> Self {
        Self { says: "no-store", ..Self::fresh(length) }
    }
}

impl<B> Service<Request<B>> for Origin {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        drop(black_box(request));
        let response = Response::builder()
            .header("cache-control", self.says)
            .header("content-type", "application/json")
            .header("etag", "\"33a64df551425fcc55e4d42a148795d9f25f89d4\"")
            .header("vary", "accept")
            .header("x-request-id", "8f4e9c52");
        ready(Ok(response.body(Full::new(self.body.clone())).expect("a valid answer")))
    }
}

fn resilience(length: usize, n: u64) {
    let layer = ResilienceLayer::<Request<Full<Bytes>>, String>::builder()
        .max_size(100)
        .ttl(Duration::from_secs(3600))
        .key_extractor(|request: &Request<Full<Bytes>>| request.uri().to_string())
        .build()
        .expect("a valid configuration");
    reads(layer.layer(Origin::fresh(length)), &get(), n);
}
