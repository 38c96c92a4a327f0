//! What happens while something else is on its way.

use std::future::Future;
use std::pin::Pin;
use std::task::{Wake, Waker};

use tokio::sync::oneshot;
use tokio::task::{JoinHandle, yield_now};

use super::*;

mod schedules;
mod threads;

const FRESH: (&str, &str) = ("cache-control", "max-age=99");
const TAGGED: [(&str, &str); 2] = [("cache-control", "max-age=9"), ("etag", "\"a\"")];

/// The fields of a call, and whom to tell its answer.
type Asked = (HeaderMap, Option<oneshot::Sender<Response<Full<Bytes>>>>);

/// An origin that answers when it is told to.
#[derive(Clone, Default)]
struct Held {
    layer: Option<CacheLayer>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// What a caller gets.
type Gets = JoinHandle<Result<String, &'static str>>;

impl Held {
    fn new(layer: CacheLayer) -> Self {
        Self { layer: Some(layer.wall_clock(clock())), ..Self::default() }
    }

    fn layer(&self) -> &CacheLayer {
        self.layer.as_ref().unwrap()
    }

    /// A call that is not polled yet.
    fn call(
        &self,
        request: Request<Full<Bytes>>,
    ) -> impl Future<Output = Result<Response<CacheBody<Full<Bytes>>>, &'static str>> + Send + 'static {
        let asked = self.asked.clone();
        let inner = tower::service_fn(move |request: Request<Full<Bytes>>| {
            let (answers, answered) = oneshot::channel();
            asked.lock().unwrap().push((request.headers().clone(), Some(answers)));
            async move { answered.await.map_err(|_| "unreachable") }
        });
        self.layer().layer(inner).oneshot(request)
    }

    /// Calls, and goes on until it waits.
    async fn calls(&self, method: &str, fields: &[(&str, &str)]) -> Gets {
        let call = self.call(request(method, URI, fields));
        let gets = tokio::spawn(async move {
            let body = call.await?.into_body().collect().await.map_err(|_| "broken off")?;
            Ok(String::from_utf8(body.to_bytes().to_vec()).unwrap())
        });
        settle().await;
        gets
    }

    /// Answers the call of this number.
    async fn answer(&self, number: usize, answer: Response<Full<Bytes>>) {
        self.asked.lock().unwrap()[number].1.take().unwrap().send(answer).map_err(|_| "has left").unwrap();
        settle().await;
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// What a call gets that the origin answers at once, and whether it was asked.
    async fn gets(&self, fields: &[(&str, &str)], answer: Response<Full<Bytes>>) -> (String, bool) {
        let (before, gets) = (self.asked(), self.calls("GET", fields).await);
        let was_asked = self.asked() > before;
        if was_asked {
            self.answer(before, answer).await;
        }
        (gets.await.unwrap().unwrap(), was_asked)
    }
}

/// All tasks go on until they wait.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

fn fresh(body: &'static str) -> Response<Full<Bytes>> {
    answer_of(200, &[FRESH], body)
}

/// Something that makes invalid what was asked for before.
#[derive(Clone, Copy, Debug)]
enum Change {
    Delete,
    Remove,
    Clear,
}

impl Change {
    const ALL: [Self; 3] = [Self::Delete, Self::Remove, Self::Clear];

    async fn happens(self, held: &Held) {
        match self {
            Self::Delete => {
                let (number, gets) = (held.asked(), held.calls("DELETE", &[]).await);
                held.answer(number, answer_of(204, &[], "")).await;
                gets.await.unwrap().unwrap();
            }
            Self::Remove => held.layer().remove(&URI.parse().unwrap()),
            Self::Clear => held.layer().clear(),
        }
    }
}

/// Goes on until it waits.
fn goes<F: Future>(call: &mut Pin<Box<F>>) {
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[tokio::test(start_paused = true)]
async fn who_asks_after_a_change_gets_nothing_that_was_asked_for_before() {
    for change in Change::ALL {
        for grows in [false, true] {
            let held = Held::new(CacheLayer::rfc9111());
            let mut old = Box::pin(held.call(request("GET", URI, &[])));
            goes(&mut old);
            if grows {
                held.answer(0, fresh("old")).await;
            }
            let unread = if grows { Some(old.as_mut().await.unwrap()) } else { None };
            change.happens(&held).await;
            let before = held.asked();
            let waits = [held.calls("GET", &[]).await, held.calls("GET", &[]).await];
            assert_eq!(held.asked(), before + 1, "{change:?} {grows}: one fetch for both");
            held.answer(before, fresh("new")).await;
            for waits in waits {
                assert_eq!(waits.await.unwrap().unwrap(), "new", "{change:?} {grows}");
            }
            let unread = match unread {
                Some(unread) => unread,
                None => {
                    held.answer(0, fresh("old")).await;
                    old.await.unwrap()
                }
            };
            assert_eq!(unread.into_body().collect().await.unwrap().to_bytes(), "old", "who asked before");
            assert_eq!(held.gets(&[], fresh("third")).await, ("new".into(), false), "{change:?} {grows}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_wait_when_something_changes_are_one_more_fetch() {
    for change in Change::ALL {
        for reads in [true, false] {
            let held = Held::new(CacheLayer::rfc9111());
            let leads = tokio::spawn(held.call(request("GET", URI, &[])));
            settle().await;
            let waits = [held.calls("GET", &[]).await, held.calls("GET", &[]).await];
            change.happens(&held).await;
            let before = held.asked();
            held.answer(0, fresh("old")).await;
            let old = leads.await.unwrap().unwrap();
            let unread =
                if reads { old.into_body().collect().await.map(|_| None).unwrap() } else { Some(old) };
            settle().await;
            assert_eq!(held.asked(), before + 1, "{change:?} {reads}");
            held.answer(before, fresh("new")).await;
            for waits in waits {
                assert_eq!(waits.await.unwrap().unwrap(), "new", "{change:?} {reads}");
            }
            drop(unread);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_change_overtakes_keeps_the_next_from_going_all_at_once() {
    for change in Change::ALL {
        let held = Held::new(CacheLayer::rfc9111());
        let overtaken = held.calls("GET", &[]).await;
        change.happens(&held).await;
        held.answer(0, fresh("old")).await;
        assert_eq!(overtaken.await.unwrap().unwrap(), "old");
        let before = held.asked();
        let waits = [held.calls("GET", &[]).await, held.calls("GET", &[]).await];
        assert_eq!(held.asked(), before + 1, "{change:?}");
        held.answer(before, fresh("new")).await;
        for waits in waits {
            assert_eq!(waits.await.unwrap().unwrap(), "new");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_304_that_a_change_overtakes_is_not_stored() {
    for change in Change::ALL {
        let held = Held::new(CacheLayer::rfc9111());
        held.gets(&[], answer_of(200, &TAGGED, "old")).await;
        advance(10 * SECOND).await;
        let validates = held.calls("GET", &[]).await;
        change.happens(&held).await;
        held.answer(1, answer_of(304, &TAGGED, "")).await;
        assert_eq!(validates.await.unwrap().unwrap(), "old", "it asked before");
        assert_eq!(held.gets(&[], fresh("new")).await, ("new".into(), true), "{change:?}");
        assert!(!held.asked.lock().unwrap().last().unwrap().0.contains_key("if-none-match"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_again_after_a_change_is_stored() {
    let held = Held::new(CacheLayer::rfc9111());
    held.gets(&[], answer_of(200, &TAGGED, "old")).await;
    advance(10 * SECOND).await;
    let validates = held.calls("GET", &[]).await;
    held.layer().clear();
    held.answer(1, answer_of(304, &[("etag", "\"b\"")], "")).await;
    held.answer(2, fresh("new")).await;
    assert_eq!(validates.await.unwrap().unwrap(), "new");
    assert_eq!(held.gets(&[], fresh("third")).await, ("new".into(), false));
}

#[tokio::test(start_paused = true)]
async fn a_304_to_who_asked_earlier_takes_no_newer_ones_place() {
    let held = Held::new(CacheLayer::rfc9111());
    held.gets(&[], answer_of(200, &TAGGED, "old")).await;
    advance(10 * SECOND).await;
    let validates = held.calls("GET", &[]).await;
    assert_eq!(held.gets(&[("range", "lines=1")], fresh("new")).await.0, "new");
    held.answer(1, answer_of(304, &TAGGED, "")).await;
    assert_eq!(validates.await.unwrap().unwrap(), "old");
    assert_eq!(held.gets(&[], fresh("third")).await, ("new".into(), false));
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_earlier_takes_no_place_of_what_a_304_confirmed() {
    let held = Held::new(CacheLayer::rfc9111());
    held.gets(&[], answer_of(200, &TAGGED, "confirmed")).await;
    advance(10 * SECOND).await;
    let slow = held.calls("GET", &[("cache-control", "no-store")]).await;
    let slow_and_stored = tokio::spawn(held.call(reload()));
    settle().await;
    let validates = held.calls("GET", &[]).await;
    held.answer(3, answer_of(304, &TAGGED, "")).await;
    assert_eq!(validates.await.unwrap().unwrap(), "confirmed");
    held.answer(1, fresh("slow")).await;
    held.answer(2, fresh("slow")).await;
    assert_eq!(slow.await.unwrap().unwrap(), "slow");
    slow_and_stored.await.unwrap().unwrap().into_body().collect().await.unwrap();
    assert_eq!(held.gets(&[], fresh("third")).await, ("confirmed".into(), false));
}

fn reload() -> Request<Full<Bytes>> {
    let mut request = request("GET", URI, &[]);
    CallContext::edit(request.extensions_mut()).cache_mut().mode = bartizan_core::CacheMode::Reload;
    request
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_while_something_changes_is_invalid_afterwards() {
    let held = Held::new(CacheLayer::rfc9111());
    let changes = held.calls("DELETE", &[]).await;
    assert_eq!(held.gets(&[], fresh("old")).await.0, "old");
    assert_eq!(held.gets(&[], fresh("new")).await, ("old".into(), false), "nobody knows yet");
    held.answer(0, answer_of(204, &[], "")).await;
    changes.await.unwrap().unwrap();
    assert_eq!(held.gets(&[], fresh("new")).await, ("new".into(), true));
}

#[tokio::test(start_paused = true)]
async fn what_is_put_in_by_hand_stays_when_what_was_asked_for_earlier_comes() {
    let held = Held::new(CacheLayer::rfc9111());
    let earlier = held.calls("GET", &[]).await;
    let by_hand = fresh("").map(|_| Bytes::from("by hand"));
    held.layer().insert(&request("GET", URI, &[]), by_hand).unwrap();
    held.answer(0, fresh("old")).await;
    assert_eq!(earlier.await.unwrap().unwrap(), "old");
    assert_eq!(held.gets(&[], fresh("third")).await, ("by hand".into(), false));
}

#[tokio::test(start_paused = true)]
async fn of_two_principals_who_ask_at_once_each_gets_his_own() {
    let held = Held::new(CacheLayer::rfc9111());
    let who = [[("authorization", "a")], [("authorization", "b")]];
    let mut waits = Vec::new();
    for who in [&who[0], &who[1], &who[0], &who[1]] {
        waits.push(held.calls("GET", who).await);
    }
    assert_eq!(held.asked(), 2);
    held.answer(1, fresh("b's")).await;
    held.answer(0, fresh("a's")).await;
    for (waits, his) in waits.into_iter().zip(["a's", "b's", "a's", "b's"]) {
        assert_eq!(waits.await.unwrap().unwrap(), his);
    }
    for (who, his) in who.iter().zip(["a's", "b's"]) {
        assert_eq!(held.gets(who, fresh("again")).await, (his.into(), false));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_fetched_in_the_background_when_something_changes_is_for_nobody() {
    for change in Change::ALL {
        let held = Held::new(CacheLayer::rfc9111());
        let says = [("cache-control", "max-age=9, stale-while-revalidate=99")];
        held.gets(&[], answer_of(200, &says, "old")).await;
        advance(10 * SECOND).await;
        assert_eq!(held.calls("GET", &[]).await.await.unwrap().unwrap(), "old");
        settle().await;
        assert_eq!(held.asked(), 2);
        change.happens(&held).await;
        let (before, waits) = (held.asked(), held.calls("GET", &[]).await);
        assert_eq!(held.asked(), before + 1, "{change:?}");
        held.answer(1, answer_of(200, &says, "older than the change")).await;
        held.answer(before, answer_of(200, &says, "new")).await;
        assert_eq!(waits.await.unwrap().unwrap(), "new", "{change:?}");
        assert_eq!(held.gets(&[], fresh("third")).await, ("new".into(), false), "{change:?}");
        // And it was not in vain.
        advance(9 * SECOND).await;
        assert_eq!(held.calls("GET", &[]).await.await.unwrap().unwrap(), "new");
        settle().await;
        assert_eq!(held.asked(), before + 2, "{change:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_before_a_change_keeps_nothing_from_being_fetched_in_the_background() {
    let held = Held::new(CacheLayer::rfc9111());
    let old = held.call(request("GET", URI, &[]));
    let old = tokio::spawn(old);
    settle().await;
    held.answer(0, fresh("old")).await;
    let unread = old.await.unwrap().unwrap();
    held.layer().clear();
    let says = [("cache-control", "max-age=9, stale-while-revalidate=99")];
    assert_eq!(held.gets(&[], answer_of(200, &says, "new")).await.0, "new");
    advance(10 * SECOND).await;
    assert_eq!(held.calls("GET", &[]).await.await.unwrap().unwrap(), "new");
    settle().await;
    assert_eq!(held.asked(), 3);
    drop(unread);
}

#[tokio::test(start_paused = true)]
async fn who_waits_gets_what_grows_if_it_may_answer_and_else_goes() {
    for (fields, is_shared) in [
        (&[("x", "a")][..], true),
        (&[("x", "a"), ("cache-control", "min-fresh=99")], true),
        (&[("x", "a"), ("cache-control", "min-fresh=100")], false),
        (&[("x", "a"), ("cache-control", "no-cache")], false),
        (&[("x", "b")], false),
        (&[], false),
    ] {
        let held = Held::new(CacheLayer::rfc9111().status());
        let leads = tokio::spawn(held.call(request("GET", URI, &[("x", "a")])));
        settle().await;
        let waits = tokio::spawn(held.call(request("GET", URI, fields)));
        settle().await;
        assert_eq!(held.asked(), 1, "{fields:?}: what it varies by is not known");
        held.answer(0, answer_of(200, &[FRESH, ("vary", "x")], "one")).await;
        let unread = leads.await.unwrap().unwrap();
        assert_eq!(held.asked() == 1, is_shared, "{fields:?}");
        if !is_shared {
            held.answer(1, answer_of(200, &[FRESH, ("vary", "x")], "another")).await;
        }
        let response = waits.await.unwrap().unwrap();
        let told = response.extensions().get::<CacheStatus>().unwrap().to_string();
        let expected = if is_shared { "; collapsed" } else { "" };
        assert_eq!(told, format!("fwd=uri-miss; fwd-status=200; stored{expected}"), "{fields:?}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, if is_shared { "one" } else { "another" }, "{fields:?}");
        drop(unread);
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_fetch_tells_of_the_target_is_known_to_the_next() {
    let varied = || answer_of(200, &[FRESH, ("vary", "x")], "one");
    for is_stored in [false, true] {
        let held = Held::new(CacheLayer::rfc9111());
        let first = tokio::spawn(held.call(request("GET", URI, &[("x", "a")])));
        settle().await;
        held.answer(0, varied()).await;
        let unread = first.await.unwrap().unwrap();
        if is_stored {
            unread.into_body().collect().await.unwrap();
            // It goes for its own variant, and what is stored is forgotten.
            held.calls("GET", &[("x", "b")]).await;
            held.layer().clear();
        }
        let before = held.asked();
        held.calls("GET", &[("x", "c")]).await;
        held.calls("GET", &[("x", "d")]).await;
        assert_eq!(held.asked(), before + 2, "{is_stored}: neither waits for the other");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_one_fetch_leaves_that_of_another_variant_alone() {
    let varied = |body| answer_of(200, &[FRESH, ("vary", "x")], body);
    let held = Held::new(CacheLayer::rfc9111());
    held.gets(&[("x", "a")], varied("a")).await;
    let b = held.calls("GET", &[("x", "b")]).await;
    let c = held.calls("GET", &[("x", "c")]).await;
    held.answer(2, varied("c")).await;
    assert_eq!(c.await.unwrap().unwrap(), "c");
    let later = held.calls("GET", &[("x", "b")]).await;
    assert_eq!(held.asked(), 3);
    held.answer(1, varied("b")).await;
    assert_eq!((b.await.unwrap().unwrap(), later.await.unwrap().unwrap()), ("b".into(), "b".into()));
}

/// Goes on within the call that wakes it, as executors may that run on one thread.
struct AtOnce<F: Future> {
    call: Mutex<Option<Pin<Box<F>>>>,
    came: Mutex<Option<F::Output>>,
}

impl<F: Future + Send + 'static> Wake for AtOnce<F>
where
    F::Output: Send,
{
    fn wake(self: Arc<Self>) {
        let Some(mut call) = self.call.lock().unwrap().take() else { return };
        match call.as_mut().poll(&mut Context::from_waker(&Waker::from(self.clone()))) {
            Poll::Ready(output) => *self.came.lock().unwrap() = Some(output),
            Poll::Pending => *self.call.lock().unwrap() = Some(call),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_woken_may_go_on_at_once() {
    for (leaves, says, asked) in
        [(false, "max-age=99", 1), (false, "max-age=99, no-store", 2), (true, "max-age=99", 2)]
    {
        let held = Held::new(CacheLayer::rfc9111());
        let mut leads = Box::pin(held.call(request("GET", URI, &[])));
        goes(&mut leads);
        let call = Mutex::new(Some(Box::pin(held.call(request("GET", URI, &[])))));
        let waits = Arc::new(AtOnce { call, came: Mutex::new(None) });
        waits.clone().wake();
        assert!(waits.call.lock().unwrap().is_some());
        if leaves {
            drop(leads);
        } else {
            held.answer(0, answer_of(200, &[("cache-control", says)], "one")).await;
            drop(leads.await.unwrap());
        }
        assert_eq!(held.asked(), asked, "{says} {leaves}");
        if asked == 2 {
            held.answer(1, fresh("two")).await;
        }
        assert!(waits.came.lock().unwrap().as_ref().unwrap().is_ok());
    }
}

/// Where somebody leaves who leads.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leaves {
    BeforeItIsPolled,
    BeforeTheHead,
    /// What confirms nothing is asked for again.
    BeforeTheSecondHead,
    BeforeTheBody,
    WithinTheBody,
}

#[tokio::test(start_paused = true)]
async fn wherever_who_leads_leaves_those_who_wait_get_it_by_one_more_fetch_at_most() {
    use Leaves::*;

    for (leaves, asked) in [
        (BeforeItIsPolled, 1),
        (BeforeTheHead, 2),
        (BeforeTheSecondHead, 3),
        (BeforeTheBody, 1),
        (WithinTheBody, 1),
    ] {
        let held = Held::new(CacheLayer::rfc9111());
        let already = if leaves == BeforeTheSecondHead {
            held.gets(&[], answer_of(200, &TAGGED, "old")).await;
            advance(10 * SECOND).await;
            1
        } else {
            0
        };
        let mut leads = Box::pin(held.call(request("GET", URI, &[])));
        if leaves != BeforeItIsPolled {
            goes(&mut leads);
        }
        let waits = [held.calls("GET", &[]).await, held.calls("GET", &[]).await];
        match leaves {
            BeforeItIsPolled | BeforeTheHead => drop(leads),
            BeforeTheSecondHead => {
                held.answer(1, answer_of(304, &[("etag", "\"b\"")], "")).await;
                goes(&mut leads);
                drop(leads);
            }
            BeforeTheBody | WithinTheBody => {
                held.answer(0, fresh("new")).await;
                let mut body = leads.await.unwrap().into_body();
                if leaves == WithinTheBody {
                    body.frame().await.unwrap().unwrap();
                }
                settle().await;
                drop(body);
            }
        }
        settle().await;
        assert_eq!(held.asked(), asked + already, "{leaves:?}");
        if held.asked.lock().unwrap().last().unwrap().1.is_some() {
            held.answer(held.asked() - 1, fresh("new")).await;
        }
        for waits in waits {
            assert_eq!(waits.await.unwrap().unwrap(), "new", "{leaves:?}");
        }
        assert_eq!(held.gets(&[], fresh("third")).await, ("new".into(), false), "{leaves:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_all_have_left_the_next_goes() {
    for leader_first in [false, true] {
        let held = Held::new(CacheLayer::rfc9111());
        let leads = held.calls("GET", &[]).await;
        let waits = [held.calls("GET", &[]).await, held.calls("GET", &[]).await];
        assert_eq!(held.asked(), 1);
        if leader_first {
            leads.abort();
            settle().await;
            assert_eq!(held.asked(), 2, "one of those who waited");
        }
        waits.iter().for_each(JoinHandle::abort);
        settle().await;
        leads.abort();
        settle().await;
        let before = held.asked();
        assert_eq!(held.gets(&[], fresh("new")).await, ("new".into(), true));
        assert_eq!((before, held.asked()), if leader_first { (2, 3) } else { (1, 2) });
    }
}
