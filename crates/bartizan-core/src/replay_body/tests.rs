use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use http_body_util::BodyExt;
use proptest::prelude::*;

use super::*;

/// What a source does at each poll.
enum Item {
    Data(&'static str),
    Trailers,
    Pending,
    Error,
    Panic,
}

struct Script(VecDeque<Item>);

fn script(items: impl IntoIterator<Item = Item>) -> ReplayBody<Script> {
    limited(items, 16)
}

fn limited(items: impl IntoIterator<Item = Item>, limit: usize) -> ReplayBody<Script> {
    ReplayBody::new(Script(items.into_iter().collect()), limit)
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static("x"), http::HeaderValue::from_static("y"))])
}

impl Body for Script {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.0.pop_front() {
            None => Poll::Ready(None),
            Some(Item::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data.into())))),
            Some(Item::Trailers) => Poll::Ready(Some(Ok(Frame::trailers(trailers())))),
            Some(Item::Pending) => Poll::Pending,
            Some(Item::Error) => Poll::Ready(Some(Err("broken source".into()))),
            Some(Item::Panic) => panic!("the source panics"),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let data = |item: &Item| if let Item::Data(data) = item { data.len() } else { 0 };
        SizeHint::with_exact(self.0.iter().map(data).sum::<usize>() as u64)
    }
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls once; `Ok(text)` is data, `Err(text)` is anything else.
fn poll(body: &mut ReplayBody<Script>) -> Result<String, String> {
    poll_with(body, &mut Context::from_waker(Waker::noop()))
}

fn poll_with(body: &mut ReplayBody<Script>, cx: &mut Context<'_>) -> Result<String, String> {
    match Pin::new(body).poll_frame(cx) {
        Poll::Pending => Err("pending".into()),
        Poll::Ready(None) => Err("end".into()),
        Poll::Ready(Some(Err(error))) => Err(error.to_string()),
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(data) => Ok(String::from_utf8(data.to_vec()).unwrap()),
            Err(_) => Err("trailers".into()),
        },
    }
}

fn ok(text: &str) -> Result<String, String> {
    Ok(text.into())
}

fn end(text: &str) -> Result<String, String> {
    Err(text.into())
}

const SUPERSEDED: &str = "a newer copy of this request body is being sent";

#[test]
fn a_copy_gives_what_was_kept_and_reads_on() {
    let kept = script([Item::Data("ab"), Item::Data("cd"), Item::Trailers]);
    let mut first = kept.replay().unwrap();
    assert_eq!(poll(&mut first), ok("ab"));
    let mut second = kept.replay().unwrap();
    assert_eq!(second.size_hint().exact(), Some(4));
    assert_eq!(poll(&mut second), ok("ab"));
    assert_eq!(second.size_hint().exact(), Some(2));
    assert_eq!(poll(&mut second), ok("cd"));
    assert_eq!(poll(&mut second), end("trailers"));
    assert!(second.is_end_stream());
    assert_eq!(poll(&mut second), end("end"));
    assert_eq!(poll(&mut second), end("end"));
}

#[test]
fn an_older_copy_ends_with_an_error_and_takes_nothing() {
    let kept = script([Item::Data("ab"), Item::Data("cd")]);
    let (mut first, mut older) = (kept.replay().unwrap(), kept.replay().unwrap());
    let mut second = kept.replay().unwrap();
    assert!(!first.is_end_stream());
    assert_eq!(poll(&mut first), end(SUPERSEDED));
    assert!(matches!(&kept.lock().source, Source::Here(script) if script.0.len() == 2), "not even polled");
    assert!(first.is_end_stream());
    assert_eq!(first.size_hint().exact(), Some(0));
    assert_eq!(poll(&mut first), end("end"));
    assert_eq!(poll(&mut second), ok("ab"));
    assert_eq!(poll(&mut older), end(SUPERSEDED), "not what is kept either");
    assert_eq!(poll(&mut second), ok("cd"));
}

#[test]
fn a_layer_inside_another_may_replay_as_well() {
    let outer = script([Item::Data("ab"), Item::Data("cd")]);
    let inner = outer.replay().unwrap();
    let mut sent = inner.replay().unwrap();
    assert_eq!(poll(&mut sent), ok("ab"));
    let mut again = inner.replay().unwrap();
    assert_eq!(poll(&mut again), ok("ab"));
    let mut outermost = outer.replay().unwrap();
    assert_eq!(poll(&mut again), end(SUPERSEDED));
    assert_eq!(poll(&mut outermost), ok("ab"));
    assert_eq!(poll(&mut outermost), ok("cd"));
}

#[test]
fn exactly_the_limit_is_kept_and_one_byte_more_is_not() {
    for (limit, can) in [(4, true), (3, false)] {
        let kept = limited([Item::Data("ab"), Item::Data("cd")], limit);
        let mut sent = kept.replay().unwrap();
        assert_eq!((poll(&mut sent), poll(&mut sent)), (ok("ab"), ok("cd")));
        assert_eq!(poll(&mut sent), end("end"));
        assert_eq!(kept.can_replay(), can, "limit {limit}");
        assert_eq!(kept.replay().is_some(), can, "limit {limit}");
    }
}

#[test]
fn trailers_count_towards_the_limit() {
    for (limit, can) in [(6, true), (5, false)] {
        let kept = limited([Item::Data("abcd"), Item::Trailers], limit);
        let mut sent = kept.replay().unwrap();
        assert_eq!((poll(&mut sent), poll(&mut sent)), (ok("abcd"), end("trailers")));
        assert_eq!(kept.replay().is_some(), can, "limit {limit}");
    }
}

#[test]
fn over_the_limit_the_body_is_still_sent_whole() {
    let kept = limited([Item::Data("ab"), Item::Data("cd"), Item::Data("ef"), Item::Trailers], 3);
    let mut sent = kept.replay().unwrap();
    assert_eq!((poll(&mut sent), poll(&mut sent), poll(&mut sent)), (ok("ab"), ok("cd"), ok("ef")));
    assert_eq!(sent.lock().kept.len(), 0, "nothing is held any more");
    assert_eq!(poll(&mut sent), end("trailers"));
    assert_eq!(poll(&mut sent), end("end"));
    assert!(kept.replay().is_none());
}

#[test]
fn the_last_copy_keeps_nothing() {
    let kept = script([Item::Data("ab"), Item::Data("cd")]);
    let mut sent = kept.replay().unwrap();
    assert_eq!(poll(&mut sent), ok("ab"));
    drop(kept);
    assert_eq!(poll(&mut sent), ok("cd"));
    assert!(sent.lock().kept.is_empty());
    assert!(sent.replay().is_none(), "what was not kept cannot be sent again");
}

#[test]
fn empty_frames_are_not_kept() {
    let kept = script([Item::Data(""), Item::Trailers]);
    let mut sent = kept.replay().unwrap();
    assert_eq!((poll(&mut sent), poll(&mut sent)), (ok(""), end("trailers")));
    assert_eq!(poll(&mut kept.replay().unwrap()), end("trailers"));
}

#[test]
fn a_copy_is_at_its_end_once_it_has_given_all_and_is_the_live_one() {
    let kept = script([Item::Data("ab"), Item::Data("cd")]);
    let mut first = kept.replay().unwrap();
    let mut ends = vec![first.is_end_stream()];
    while poll(&mut first).is_ok() {
        ends.push(first.is_end_stream());
    }
    assert_eq!(ends, [false, false, true]);
    let mut second = kept.replay().unwrap();
    let mut ends = vec![second.is_end_stream()];
    while poll(&mut second).is_ok() {
        ends.push(second.is_end_stream());
    }
    assert_eq!(ends, [false, true], "the source is at its end all the time, and its frames are one");
    let third = kept.replay().unwrap();
    assert!(!third.is_end_stream());
    assert!(second.is_end_stream(), "it was whole before it was superseded");
    assert_eq!(poll(&mut second), end("end"));

    let kept = script([Item::Data("ab")]);
    let mut superseded = kept.replay().unwrap();
    assert_eq!(poll(&mut superseded), ok("ab"));
    let newer = kept.replay().unwrap();
    assert!(!superseded.is_end_stream(), "what follows is an error");
    assert!(!newer.is_end_stream());
}

#[test]
fn many_small_frames_are_kept_as_few() {
    let kept = limited((0..5_000).map(|n| Item::Data(["a", "bc"][n % 2])), 10_000);
    let mut sent = kept.replay().unwrap();
    let mut whole = String::new();
    while let Ok(data) = poll(&mut sent) {
        whole += &data;
    }
    let frames = kept.lock().kept.len();
    assert!(frames <= 16, "{frames} frames for 7500 bytes");
    let mut again = kept.replay().unwrap();
    let mut read = String::new();
    while let Ok(data) = poll(&mut again) {
        assert_eq!(again.size_hint().exact(), Some((whole.len() - read.len() - data.len()) as u64));
        read += &data;
    }
    assert_eq!(read, whole);
}

#[test]
fn an_empty_source_is_at_its_end_from_the_start() {
    let body = script([]);
    assert!(body.is_end_stream());
    let copy = body.replay().unwrap();
    assert!(copy.is_end_stream());
    assert_eq!(copy.size_hint().exact(), Some(0));
}

#[test]
fn a_broken_source_cannot_be_replayed() {
    let kept = script([Item::Data("ab"), Item::Error, Item::Data("never")]);
    let mut sent = kept.replay().unwrap();
    assert_eq!(poll(&mut sent), ok("ab"));
    let frame = Pin::new(&mut sent).poll_frame(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Some(Err(error))) = frame else { panic!("{frame:?}") };
    assert_eq!(error.to_string(), "the request body failed");
    assert!(!error.is_superseded());
    assert_eq!(error.source().unwrap().to_string(), "broken source");
    assert!(kept.replay().is_none());
}

#[test]
fn a_panicking_source_is_lost_for_all_copies_and_blocks_none() {
    let kept = script([Item::Data("ab"), Item::Panic]);
    let mut sent = kept.replay().unwrap();
    assert_eq!(poll(&mut sent), ok("ab"));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll(&mut sent)));
    assert!(panic.is_err());
    assert!(kept.replay().is_none());
    assert_eq!(poll(&mut sent), end("the request body failed earlier and cannot be read on"));
}

/// Notes, when it wakes, whether the lock of the body was free.
struct NotesWake {
    body: Arc<Mutex<Shared<Script>>>,
    was_free: Mutex<Option<bool>>,
}

impl Wake for NotesWake {
    fn wake(self: Arc<Self>) {
        *self.was_free.lock().unwrap() = Some(self.body.try_lock().is_ok());
    }
}

#[test]
fn nobody_is_woken_under_the_lock() {
    let kept = script([Item::Panic]);
    let mut sent = kept.replay().unwrap();
    let notes = Arc::new(NotesWake { body: kept.shared.clone(), was_free: Mutex::default() });
    let waker = Waker::from(notes.clone());
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        poll_with(&mut sent, &mut Context::from_waker(&waker))
    }));
    assert!(panic.is_err());
    assert_eq!(*notes.was_free.lock().unwrap(), Some(true));

    let kept = script([Item::Pending]);
    let mut sent = kept.replay().unwrap();
    let notes = Arc::new(NotesWake { body: kept.shared.clone(), was_free: Mutex::default() });
    let waker = Waker::from(notes.clone());
    assert_eq!(poll_with(&mut sent, &mut Context::from_waker(&waker)), end("pending"));
    assert!(kept.replay().is_some());
    assert_eq!(*notes.was_free.lock().unwrap(), Some(true));
}

#[test]
fn a_waiting_copy_is_woken_when_it_is_superseded() {
    let kept = script([Item::Pending, Item::Data("ab")]);
    let mut first = kept.replay().unwrap();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    assert_eq!(poll_with(&mut first, &mut Context::from_waker(&waker)), end("pending"));
    let mut second = kept.replay().unwrap();
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert_eq!(poll(&mut first), end(SUPERSEDED));
    assert_eq!(poll(&mut second), ok("ab"));
}

/// A source that makes a newer copy, and polls it, in the midst of its own poll: what a second thread would do.
struct Reentrant {
    kept: Option<Arc<Mutex<Option<ReplayBody<Reentrant>>>>>,
    newer: Arc<Mutex<Option<ReplayBody<Reentrant>>>>,
    waker: Waker,
    first: Option<Result<Frame<Bytes>, BoxError>>,
}

impl Body for Reentrant {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(kept) = self.kept.take() {
            let mut newer = kept.lock().unwrap().as_ref().unwrap().replay().unwrap();
            let polled = Pin::new(&mut newer).poll_frame(&mut Context::from_waker(&self.waker));
            assert!(polled.is_pending(), "the source is lent");
            *self.newer.lock().unwrap() = Some(newer);
        }
        Poll::Ready(self.first.take())
    }
}

/// What is kept, its older copy superseded by a newer one in the midst of its poll, and how often the newer was woken.
fn superseded_in_mid_poll(
    limit: usize,
    first: Result<Frame<Bytes>, BoxError>,
) -> (ReplayBody<Reentrant>, ReplayBody<Reentrant>, usize) {
    let (slot, newer) = (Arc::default(), Arc::default());
    let woken = Arc::new(Woken::default());
    let source = Reentrant {
        kept: Some(Arc::clone(&slot)),
        newer: Arc::clone(&newer),
        waker: Waker::from(woken.clone()),
        first: Some(first),
    };
    let kept = ReplayBody::new(source, limit);
    let mut first = kept.replay().unwrap();
    *slot.lock().unwrap() = Some(kept);
    let cx = &mut Context::from_waker(Waker::noop());
    let Poll::Ready(Some(Err(error))) = Pin::new(&mut first).poll_frame(cx) else { panic!("not superseded") };
    assert!(error.is_superseded());
    let (kept, newer) = (slot.lock().unwrap().take().unwrap(), newer.lock().unwrap().take().unwrap());
    (kept, newer, woken.0.load(Ordering::Relaxed))
}

#[test]
fn a_copy_superseded_in_mid_poll_hands_on_what_it_read() {
    let (_kept, mut newer, woken) = superseded_in_mid_poll(16, Ok(Frame::data("ab".into())));
    assert_eq!(woken, 1, "the newer copy is told that the source is back");
    let cx = &mut Context::from_waker(Waker::noop());
    let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut newer).poll_frame(cx) else { panic!("lost a frame") };
    assert_eq!(frame.into_data().unwrap(), "ab");
}

#[test]
fn what_is_handed_on_may_be_above_the_limit_and_is_the_last_to_be_kept() {
    let (kept, mut newer, _) = superseded_in_mid_poll(1, Ok(Frame::data("ab".into())));
    assert!(kept.replay().is_none(), "a third copy would take the frame from the second");
    let cx = &mut Context::from_waker(Waker::noop());
    let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut newer).poll_frame(cx) else { panic!("lost a frame") };
    assert_eq!(frame.into_data().unwrap(), "ab");
    assert!(matches!(Pin::new(&mut newer).poll_frame(cx), Poll::Ready(None)));
    assert!(kept.lock().kept.is_empty(), "nothing is held any more");
}

#[test]
fn a_copy_superseded_in_mid_poll_hands_on_why_the_source_failed() {
    let (kept, mut newer, woken) = superseded_in_mid_poll(16, Err("broken source".into()));
    assert_eq!(woken, 1, "the newer copy is told that the source is lost");
    let frame = Pin::new(&mut newer).poll_frame(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Some(Err(error))) = frame else { panic!("{frame:?}") };
    assert_eq!(error.source().expect("the reason is handed on").to_string(), "broken source");
    assert!(kept.replay().is_none());
}

type SharedSource<B> = Arc<Mutex<Shared<B>>>;

/// Gives one frame; when it is dropped, notes whether the lock of the body was free.
struct NotesDrop {
    body: Arc<Mutex<Option<SharedSource<NotesDrop>>>>,
    given: bool,
    was_free: Arc<Mutex<Option<bool>>>,
}

impl Body for NotesDrop {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let given = std::mem::replace(&mut self.given, true);
        Poll::Ready((!given).then(|| Ok(Frame::data("ab".into()))))
    }
}

impl Drop for NotesDrop {
    fn drop(&mut self) {
        let body = self.body.lock().unwrap().take();
        *self.was_free.lock().unwrap() = body.map(|shared| shared.try_lock().is_ok());
    }
}

#[test]
fn a_source_that_is_over_is_dropped_outside_the_lock() {
    let (slot, was_free) = (Arc::default(), Arc::default());
    let source = NotesDrop { body: Arc::clone(&slot), given: false, was_free: Arc::clone(&was_free) };
    let mut body = ReplayBody::new(source, 16);
    *slot.lock().unwrap() = Some(Arc::clone(&body.shared));
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(matches!(Pin::new(&mut body).poll_frame(cx), Poll::Ready(Some(Ok(_)))));
    assert_eq!(*was_free.lock().unwrap(), None);
    assert!(matches!(Pin::new(&mut body).poll_frame(cx), Poll::Ready(None)));
    assert_eq!(*was_free.lock().unwrap(), Some(true));
}

#[tokio::test]
async fn an_unreplayed_body_is_the_source() {
    let body = script([Item::Data("ab"), Item::Data("cd"), Item::Trailers]);
    let whole = body.collect().await.unwrap();
    assert_eq!(whole.trailers(), Some(&trailers()));
    assert_eq!(whole.to_bytes(), "abcd");
}

proptest! {
    /// Whatever the frames, the limit, and where the attempts break off: the last copy gives the whole source, or there
    /// was no further copy and the reason is the limit.
    #[test]
    fn the_last_copy_is_whole(
        frames in proptest::collection::vec(prop_oneof![Just("a"), Just("bcd"), Just("efghij"), Just("")], 0..8),
        limit in 0..40_usize,
        breaks in proptest::collection::vec(0..8_usize, 0..4),
    ) {
        let whole: String = frames.concat();
        let kept = limited(frames.iter().map(|f| Item::Data(f)), limit);
        let mut most_read = 0;
        for stop in breaks {
            let Some(mut copy) = kept.replay() else {
                prop_assert!(most_read > limit);
                return Ok(());
            };
            prop_assert!(most_read <= limit);
            prop_assert_eq!(copy.size_hint().exact(), Some(whole.len() as u64));
            let mut read = String::new();
            for _ in 0..stop {
                read.extend(poll(&mut copy).into_iter());
            }
            prop_assert!(whole.starts_with(&read));
            most_read = most_read.max(read.len());
        }
        if let Some(mut copy) = kept.replay() {
            let mut read = String::new();
            while let Ok(data) = poll(&mut copy) {
                read += &data;
            }
            prop_assert_eq!(read, whole);
            prop_assert!(copy.is_end_stream());
        }
    }
}
