//! Where entries are kept, and how many.

use std::collections::HashMap;
use std::sync::Mutex;

use bartizan_test::bodies::{Body, Step};

use super::*;

const FRESH: (&str, &str) = ("cache-control", "max-age=1000");

/// Keeps a body of so many bytes for each of these targets, in turn.
fn fill(layer: &CacheLayer, targets: impl IntoIterator<Item = u32>, bytes: usize) {
    for target in targets {
        let (head, _) = answer_of(200, &[FRESH], "").into_parts();
        let answer = Response::from_parts(head, Bytes::from(vec![b'x'; bytes]));
        layer.insert(&request("GET", &uri(target), &[]), answer).unwrap();
    }
}

fn uri(target: u32) -> String {
    format!("http://a.example/{target}")
}

/// How many of these targets are there.
fn there(layer: &CacheLayer, targets: impl IntoIterator<Item = u32>) -> usize {
    targets.into_iter().filter(|target| layer.get(&request("GET", &uri(*target), &[])).is_some()).count()
}

#[tokio::test(start_paused = true)]
async fn no_more_entries_are_kept_than_there_may_be() {
    let layer = CacheLayer::ttl_lru(SECOND, 10);
    fill(&layer, 0..10, 1);
    assert_eq!(there(&layer, 0..10), 10);
    fill(&layer, 10..1000, 1);
    assert_eq!(there(&layer, 0..1000), 10);
    assert_eq!(there(&CacheLayer::ttl_lru(SECOND, 0), 0..1), 0);
}

#[tokio::test(start_paused = true)]
async fn no_more_bytes_are_kept_than_there_may_be_and_the_least_recently_used_makes_room() {
    let layer = CacheLayer::rfc9111().max_bytes(1 << 20);
    for round in 1..10 {
        fill(&layer, round * 100..round * 100 + 8, 100 * 1024);
        assert!(there(&layer, 101..round * 100 + 8) <= 9);
        assert_eq!(there(&layer, [100]), 1, "asked for in each round");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_of_more_than_an_eighth_of_the_memory_passes() {
    let layer = CacheLayer::rfc9111().max_bytes(1 << 20);
    for (length, is_stored) in [((1 << 17), true), ((1 << 17) + 1, false)] {
        let (head, _) = answer_of(200, &[FRESH], "").into_parts();
        let answer = Response::from_parts(head, Bytes::from(vec![b'x'; length]));
        let inserted = layer.insert(&request("GET", &uri(0), &[]), answer);
        assert_eq!(inserted, if is_stored { Ok(()) } else { Err(NotStored::TooLong) });
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_as_long_as_may_be_is_stored_and_one_that_is_longer_is_not() {
    for (body, asked) in [("one", 1), ("four", 2)] {
        let origin = Origin::of((0..2).map(|_| answer_of(200, &[FRESH], body)));
        let cache = CacheLayer::rfc9111().max_body(3).layer(origin.clone());
        for _ in 0..2 {
            assert_eq!(get(&cache, &[]).await.body, body);
        }
        assert_eq!(origin.asked(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn the_variants_of_one_target_take_no_more_than_a_quarter_of_the_memory() {
    let layer = CacheLayer::rfc9111().max_bytes(1 << 20);
    let of = |variant: u32| request("GET", &uri(0), &[("x-a", &variant.to_string())]);
    for variant in 0..10 {
        let (head, _) = answer_of(200, &[FRESH, ("vary", "x-a")], "").into_parts();
        let answer = Response::from_parts(head, Bytes::from(vec![b'x'; 60 * 1024]));
        layer.insert(&of(variant), answer).unwrap();
    }
    let there: Vec<_> = (0..10).filter(|variant| layer.get(&of(*variant)).is_some()).collect();
    assert_eq!(there, [6, 7, 8, 9], "the newest");
}

#[tokio::test(start_paused = true)]
async fn thirty_two_variants_of_one_target_are_kept_and_the_oldest_makes_room() {
    let plain = Arc::new(Plain::default());
    let layer = CacheLayer::rfc9111().store(plain.clone()).wall_clock(clock());
    let of = |variant: u32| request("GET", &uri(0), &[("x-a", &variant.to_string())]);
    let insert = |variant, date| {
        let (head, _) = answer_of(200, &[FRESH, ("vary", "x-a"), ("date", date)], "").into_parts();
        layer.insert(&of(variant), Response::from_parts(head, Bytes::from("x")))
    };
    for variant in (0..33).chain([32, 32]) {
        insert(variant, "Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    }
    let there: Vec<_> = (0..33).filter(|variant| layer.get(&of(*variant)).is_some()).collect();
    assert_eq!(there, (1..33).collect::<Vec<_>>());
    assert_eq!(plain.map.lock().unwrap().values().map(|entry| entry.variants()).collect::<Vec<_>>(), [32]);
    assert!(insert(0, "Sun, 06 Nov 1994 08:49:36 GMT").is_err(), "it is the oldest of all");
}

#[tokio::test(start_paused = true)]
async fn one_is_kept_however_little_room_there_is() {
    let layer = CacheLayer::rfc9111().store(Plain::default()).max_body(1);
    fill(&layer, 0..1, 1);
    assert_eq!(there(&layer, 0..1), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_cleared_takes_no_memory() {
    let memory = Arc::new(Memory::lru(1 << 20));
    let layer = CacheLayer::rfc9111().store(memory.clone());
    fill(&layer, 0..3, 100_000);
    assert_eq!(there(&layer, 0..3), 3);
    assert!(format!("{memory:?}").contains("entries: 3"), "{memory:?}");
    layer.clear();
    assert!(format!("{memory:?}").ends_with("entries: 0, bytes: 0 }"), "{memory:?}");
}

/// Forgets nothing, and counts.
#[derive(Default)]
struct Plain {
    map: Mutex<HashMap<u128, Arc<Entry>>>,
}

impl Store for Plain {
    fn get(&self, digest: u128) -> Option<Arc<Entry>> {
        self.map.lock().unwrap().get(&digest).cloned()
    }

    fn update(&self, digest: u128, change: &mut Change<'_>) {
        let mut map = self.map.lock().unwrap();
        if let Some(entry) = change(map.get(&digest)) {
            map.insert(digest, entry);
        }
    }

    fn clear(&self) {
        self.map.lock().unwrap().clear();
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_of_ones_own_is_used() {
    let plain = Arc::new(Plain::default());
    let layer = CacheLayer::rfc9111().store(plain.clone());
    fill(&layer, 0..3, 1000);
    assert_eq!(there(&layer, 0..4), 3);
    {
        let map = plain.map.lock().unwrap();
        assert!(map.values().all(|entry| entry.variants() == 1 && (1000..2500).contains(&entry.weight())));
        assert_eq!(map.len(), 3);
    }
    layer.clear();
    assert!(plain.map.lock().unwrap().is_empty());
}

/// What the entry weighs of a response with these fields, and if it has trailers with these too.
async fn weight(fields: &[(&str, &str)], body: &'static str, trailers: &[(&str, &str)]) -> usize {
    let map = |lines: &[(&str, &str)]| answer_of(200, lines, "").headers().clone();
    let (mut head, _) = answer_of(200, &[FRESH], "").into_parts();
    head.headers.extend(map(fields));
    let trailers = Some(map(trailers)).filter(|trailers| !trailers.is_empty()).map(Step::Trailers);
    let inner = tower::service_fn(move |_: Request<Full<Bytes>>| {
        let body = Body::frames([Step::data(body)].into_iter().chain(trailers.clone()));
        ready(Ok::<_, &str>(Response::from_parts(head.clone(), body)))
    });
    let plain = Arc::new(Plain::default());
    let cache = CacheLayer::rfc9111().store(plain.clone()).layer(inner);
    let response = cache.oneshot(request("GET", URI, &[("x-asked", "12345")])).await.unwrap();
    response.into_body().collect().await.unwrap();
    let map = plain.map.lock().unwrap();
    map.values().next().unwrap().weight()
}

#[tokio::test(start_paused = true)]
async fn an_entry_weighs_what_is_in_it() {
    let least = weight(&[], "x", &[]).await;
    assert!(least > size_of::<Entry>() + size_of::<stored::Stored>(), "{least}");
    let field = weight(&[("x-a", "1")], "x", &[]).await - least;
    assert!((4 + 64..4 + 256).contains(&field), "{field}: its text and its place");
    assert_eq!(weight(&[], "xxxxx", &[]).await, least + 4);
    assert_eq!(weight(&[("x-a", "1234")], "x", &[]).await, least + field + 3);
    assert_eq!(weight(&[("x-abc", "1")], "x", &[]).await, least + field + 2);
    assert_eq!(weight(&[("x-a", "1"), ("x-b", "2")], "x", &[]).await, least + 2 * field);
    let trailers = weight(&[], "x", &[("x-a", "1")]).await;
    assert!((least + field..least + 2 * field).contains(&trailers), "{trailers}");
    assert_eq!(weight(&[], "x", &[("x-a", "1"), ("x-b", "2")]).await, trailers + field);
    let plain = weight(&[("x-a", "x-asked")], "x", &[]).await;
    let varies = weight(&[("vary", "x-asked")], "x", &[]).await;
    assert!(varies >= plain + 1 + 5, "{varies}: what it was asked by, five bytes");
}

#[tokio::test(start_paused = true)]
async fn an_entry_weighs_what_it_is_asked_by() {
    let weight = |uri: &str, partition: Option<&str>| {
        let plain = Arc::new(Plain::default());
        let mut asks = request("GET", uri, &[]);
        if let Some(partition) = partition {
            CallContext::edit(asks.extensions_mut()).set_partition(partition);
        }
        let answer = answer_of(200, &[FRESH], "").map(|_| Bytes::new());
        CacheLayer::rfc9111().store(plain.clone()).insert(&asks, answer).unwrap();
        let map = plain.map.lock().unwrap();
        map.values().next().unwrap().weight()
    };
    let least = weight("http://a/", None);
    for (uri, partition, more) in [
        ("https://a/", None, 1),
        ("http://a.example/", None, 8),
        ("http://a/1234", None, 4),
        ("http://a/", Some("12345"), 5),
    ] {
        assert_eq!(weight(uri, partition), least + more, "{uri} {partition:?}");
    }
}

/// As if two targets had the same digest.
#[derive(Default)]
struct Mixed(Plain);

impl Store for Mixed {
    fn get(&self, _: u128) -> Option<Arc<Entry>> {
        self.0.get(0)
    }

    fn update(&self, _: u128, change: &mut Change<'_>) {
        self.0.update(0, change);
    }

    fn clear(&self) {
        self.0.clear();
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_gives_out_the_wrong_entry_answers_nobody_with_it() {
    let layer = CacheLayer::rfc9111().store(Mixed::default());
    fill(&layer, 0..1, 1);
    assert_eq!(there(&layer, 0..2), 1);
    fill(&layer, 1..2, 1);
    assert_eq!((there(&layer, 0..1), there(&layer, 1..2)), (0, 1));
    // Nor does it become a variant of another target.
    let mixed = Arc::new(Mixed::default());
    let layer = CacheLayer::rfc9111().store(mixed.clone());
    for (target, vary) in [(0, "x-a"), (1, "x-b")] {
        let (head, _) = answer_of(200, &[FRESH, ("vary", vary)], "").into_parts();
        layer.insert(&request("GET", &uri(target), &[]), Response::from_parts(head, Bytes::new())).unwrap();
    }
    assert_eq!(mixed.0.map.lock().unwrap()[&0].variants(), 1);
    for (target, range) in [(0, "bytes 0-0/9"), (1, "bytes 5-5/9")] {
        let part = answer_of(206, &[FRESH, ("etag", "\"a\""), ("content-range", range)], "");
        let asks = request("GET", &uri(target), &[("range", "bytes=0-8")]);
        layer.insert(&asks, part.map(|_| Bytes::from("x"))).unwrap();
    }
    assert_eq!(mixed.0.map.lock().unwrap()[&0].variants(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_often_stays_where_the_store_counts_that() {
    let layer = CacheLayer::rfc9111().store(Memory::tiny_lfu(20 * 1024));
    // It begins to count when it is half full.
    fill(&layer, 0..8, 1000);
    for _ in 0..100 {
        assert_eq!(there(&layer, 0..3), 3);
    }
    fill(&layer, 10..500, 1000);
    assert_eq!(there(&layer, 0..3), 3);
}
