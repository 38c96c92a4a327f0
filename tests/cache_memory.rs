//! What the cache takes of memory, by the allocator's count, under load from far more targets than it has room for.

#![allow(missing_docs)]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bartizan_cache::CacheLayer;
use bartizan_test::alloc::{self, CountingAllocator};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

const TARGETS: u64 = 1_000_000;

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// An origin whose bodies are parts of a large buffer, as connections give them.
#[derive(Clone)]
struct Origin {
    buffer: Bytes,
    longest: u64,
    random: Arc<Mutex<Random>>,
}

impl Service<Request<Full<Bytes>>> for Origin {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        let mut random = self.random.lock().expect("nothing panics under it");
        let length = usize::try_from(random.below(self.longest)).expect("a short body");
        let answer = Response::builder()
            .header("cache-control", "max-age=100000")
            .header("content-type", "application/json")
            .header("x-request-id", random.below(u64::MAX).to_string())
            .header("etag", format!("\"{}\"", random.below(u64::MAX)));
        ready(Ok(answer.body(Full::from(self.buffer.slice(..length))).expect("a valid answer")))
    }
}

/// The most that was live of the cache during so many calls for random targets.
fn load(limit: u64, calls: u64, longest: u64) -> i64 {
    let origin = Origin {
        buffer: Bytes::from(vec![b'x'; 64 * 1024]),
        longest,
        random: Arc::new(Mutex::new(Random(0x9e37_79b9_7f4a_7c15))),
    };
    let mut targets = Random(0x2545_f491_4f6c_dd1d);
    let (mut live, mut most) = (0, 0);
    let mut count = |f: &mut dyn FnMut()| {
        let ((), counts) = alloc::count(f);
        live += counts.bytes as i64 - counts.freed as i64;
        most = most.max(live);
    };
    let mut cache = None;
    count(&mut || cache = Some(CacheLayer::rfc9111().max_bytes(limit).layer(origin.clone())));
    for _ in 0..calls {
        let target = format!("http://api.example.com/v1/items/{}", targets.below(TARGETS));
        count(&mut || {
            let request = Request::get(&target).body(Full::default()).expect("a valid request");
            let cache = cache.as_mut().expect("it was made above");
            let Ok(response) = at_once(cache.call(request));
            at_once(response.into_body().collect()).expect("it does not break off");
        });
    }
    most
}

#[test]
fn what_is_live_stays_within_the_limit_and_a_tenth() {
    for (limit, calls, longest) in [(16 << 20, 60_000, 64), (16 << 20, 30_000, 4096)] {
        let most = load(limit, calls, longest);
        let limit = i64::try_from(limit).unwrap();
        println!("{calls} calls, limit {limit}, live {most} ({} %)", most * 100 / limit);
        assert!(most <= limit + limit / 10);
        assert!(most >= limit * 7 / 10, "and is made use of");
    }
}
