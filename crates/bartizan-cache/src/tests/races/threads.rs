//! The same on several threads, as far as chance has it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bartizan_test::bodies::{Body, Step};

use super::*;

/// A text that its origin changes, and how often that was done for sure.
#[derive(Clone, Default)]
struct Changing {
    version: Arc<AtomicU64>,
    known: Arc<AtomicU64>,
}

impl Changing {
    /// What it is at a GET, in two pieces; anything else changes it.
    async fn answer(self, method: Method) -> Result<Response<Body>, &'static str> {
        let text = if method == Method::GET {
            self.version.load(Ordering::SeqCst)
        } else {
            self.version.fetch_add(1, Ordering::SeqCst) + 1
        };
        yield_now().await;
        let text = text.to_string();
        let body = Body::frames([Step::data(" "), Step::Pending, Step::data(text)]);
        Ok(answer_of(200, &[FRESH], "").map(|_| body))
    }

    async fn ask(&self, layer: &CacheLayer, method: &str) {
        let this = self.clone();
        let inner = tower::service_fn(move |request: Request<Full<Bytes>>| {
            this.clone().answer(request.method().clone())
        });
        let least = self.known.load(Ordering::SeqCst);
        let response = layer.layer(inner).oneshot(request(method, URI, &[])).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let version = std::str::from_utf8(&body).unwrap().trim().parse().unwrap();
        assert!(version >= least, "{method} got {version}, and {least} had been there");
        if method != "GET" {
            self.known.fetch_max(version, Ordering::SeqCst);
        }
    }
}

#[test]
fn on_several_threads_nobody_gets_what_was_there_before_a_change() {
    let (layer, text) = (CacheLayer::rfc9111(), Changing::default());
    thread::scope(|scope| {
        for number in 0..4 {
            let (layer, text) = (&layer, &text);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                runtime.block_on(async {
                    for turn in 0..500 {
                        let method = if (turn + number) % 7 == 0 { "PUT" } else { "GET" };
                        text.ask(layer, method).await;
                    }
                });
            });
        }
    });
}
