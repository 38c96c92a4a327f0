//! The process that is killed.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bartizan_core::WallClock;
use bartizan_webhook::inbox::{
    Claim, Claims, DeadLetter, EntryId, Event, Inbox, InboxFuture, Lease, Progress, Put, Settlement, Stats,
};
use bartizan_webhook::processor::{Processor, Told};
use bartizan_webhook::{Receiver, SignatureFormat, VerifyLayer};
use bartizan_webhook_redb::RedbInbox;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tower::Layer;

use crate::folder::{Folder, log};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What each event has to go through.
pub(crate) const HANDLERS: [&str; 2] = ["receipt", "ledger"];

/// The mark of an event that the inbox is about to be given.
pub(crate) const PUT: &str = "put ";

/// The mark of an event that the inbox has, before it is acknowledged.
pub(crate) const KEPT: &str = "kept ";

/// The mark of an event that the inbox had already: it was kept, and the process was killed before it was acknowledged.
pub(crate) const KNOWN: &str = "known ";

/// The mark of an event that was claimed.
pub(crate) const CLAIMED: &str = "claimed ";

/// The mark of an event whose settlement is done.
pub(crate) const SETTLED: &str = "settled ";

const FOLDER: &str = "WEBHOOK_KILL_FOLDER";

/// It ends with its owner at the latest.
pub(crate) struct Child {
    process: std::process::Child,
    folder: PathBuf,
}

impl Child {
    /// Ready once it takes connections.
    pub(crate) async fn start(folder: &Folder) -> Self {
        folder.remove("socket");
        let process = Command::new(std::env::current_exe().expect("this program is there"))
            .args(["--exact", "child::the_process_that_is_killed"])
            .env(FOLDER, folder.path())
            // Its end is the end of the child.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("this program runs");
        let mut child = Self { process, folder: folder.path().to_owned() };
        while UnixStream::connect(child.socket()).await.is_err() {
            let ended = child.process.try_wait().expect("it was started here");
            assert!(ended.is_none(), "the child ended before it was killed: {ended:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        child
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// Ready once an event was marked as being put and none of the same number is marked as kept, as far as can be told from outside.
    pub(crate) async fn is_between_put_and_answer(&self) {
        loop {
            let marks = fs::read_to_string(self.folder.join("marks")).unwrap_or_default();
            let count = |mark| marks.lines().filter(|line| line.starts_with(mark)).count();
            if count(PUT) > count(KEPT) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn kill(&mut self) {
        // SIGKILL.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What the child runs. In the parent there is nothing to do.
#[test]
fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(serve(Path::new(&folder)));
}

async fn serve(folder: &Path) {
    let inbox = RedbInbox::open(folder.join("inbox.redb")).expect("a kill leaves no damage");
    let listener = UnixListener::bind(folder.join("socket")).expect("the last one is gone");
    let inbox = Marked { inbox, marks: Arc::new(log(&folder.join("marks"))) };
    let processor =
        processor(Arc::new(log(&folder.join("handled"))), inbox.marks.clone(), WallClock::system());
    tokio::spawn(processor.run(inbox.clone(), std::future::pending()));
    let verifier = SignatureFormat::standard_webhooks().verifier([SECRET]).expect("a key");
    let hook = VerifyLayer::new(verifier).layer(Receiver::new("billing", inbox));
    loop {
        let (stream, _) = listener.accept().await.expect("it listens");
        let service = TowerToHyperService::new(hook.clone());
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

/// Two handlers, each of which writes down what it has done.
pub(crate) fn processor(handled: Arc<File>, marks: Arc<File>, clock: WallClock) -> Processor {
    let handler = |name: &'static str| {
        let handled = handled.clone();
        move |event: Event| {
            let line = format!("{name} {}\n", id(&event));
            let written = (&*handled).write_all(line.as_bytes());
            async move { written.map_err(Into::into) }
        }
    };
    Processor::builder()
        .on_named("invoice.paid", "receipt", handler(HANDLERS[0]))
        .on_named("*", "ledger", handler(HANDLERS[1]))
        // Long enough that none ends while its owner lives.
        .lease(Duration::from_secs(5))
        .wall_clock(clock)
        .hook(move |told: &Told<'_>| match told {
            Told::Claimed { event, .. } => mark(&marks, CLAIMED, id(event)),
            Told::Done { event, .. } => mark(&marks, SETTLED, id(event)),
            _ => {}
        })
        .build()
        .expect("two names")
}

/// In one piece, since others write there too.
fn mark(mut marks: &File, mark: &str, id: &str) {
    marks.write_all(format!("{mark}{id}\n").as_bytes()).expect("the folder is there");
}

fn id(event: &Event) -> &str {
    event.id().expect("each has one").as_str()
}

/// Writes down when an event is put, and when it is there.
#[derive(Clone)]
struct Marked {
    inbox: RedbInbox,
    marks: Arc<File>,
}

impl Inbox for Marked {
    fn put(&self, event: Event) -> InboxFuture<'_, Put> {
        Box::pin(async move {
            let id = id(&event).to_owned();
            mark(&self.marks, PUT, &id);
            let put = self.inbox.put(event).await;
            if matches!(put, Ok(Put::Duplicate)) {
                mark(&self.marks, KNOWN, &id);
            }
            mark(&self.marks, KEPT, &id);
            put
        })
    }

    fn claim(&self, claim: Claim) -> InboxFuture<'_, Claims> {
        self.inbox.claim(claim)
    }

    fn extend(&self, lease: Lease, now: SystemTime, duration: Duration) -> InboxFuture<'_, ()> {
        self.inbox.extend(lease, now, duration)
    }

    fn progress(&self, lease: Lease, progress: Progress) -> InboxFuture<'_, ()> {
        self.inbox.progress(lease, progress)
    }

    fn settle(&self, lease: Lease, settlement: Settlement) -> InboxFuture<'_, ()> {
        self.inbox.settle(lease, settlement)
    }

    fn dead(&self, after: Option<EntryId>, most: usize) -> InboxFuture<'_, Vec<DeadLetter>> {
        self.inbox.dead(after, most)
    }

    fn dead_letter(&self, id: EntryId) -> InboxFuture<'_, Option<DeadLetter>> {
        self.inbox.dead_letter(id)
    }

    fn redrive(&self, ids: Vec<EntryId>, now: SystemTime) -> InboxFuture<'_, usize> {
        self.inbox.redrive(ids, now)
    }

    fn drop_dead(&self, ids: Vec<EntryId>) -> InboxFuture<'_, usize> {
        self.inbox.drop_dead(ids)
    }

    fn stats(&self, now: SystemTime) -> InboxFuture<'_, Stats> {
        self.inbox.stats(now)
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.inbox.changed()
    }
}
