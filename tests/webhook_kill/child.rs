//! The process that is killed.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::WallClock;
use bartizan_webhook::inbox::{Claim, Claimed, Event, Inbox, Put, Settlement};
use bartizan_webhook_redb::RedbInbox;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{UnixListener, UnixStream};

use crate::folder::{Folder, log};

/// The mark of an event that the inbox is about to be given.
pub(crate) const PUT: &str = "put ";

/// The mark of an event that the inbox has, before it is acknowledged.
pub(crate) const KEPT: &str = "kept ";

/// The mark of an event that the inbox had already: it was kept, and the process was killed before it was acknowledged.
pub(crate) const KNOWN: &str = "known ";

/// The mark of an event that was claimed, before it is handled.
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
    let marks = Arc::new(log(&folder.join("marks")));
    tokio::spawn(process(inbox.clone(), log(&folder.join("handled")), marks.clone()));
    loop {
        let (stream, _) = listener.accept().await.expect("it listens");
        let (inbox, marks) = (inbox.clone(), marks.clone());
        let service = service_fn(move |request| receive(inbox.clone(), marks.clone(), request));
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn receive(
    inbox: RedbInbox,
    marks: Arc<File>,
    request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let id = request.headers()["webhook-id"].to_str().expect("ours are").to_owned();
    let body = request.into_body().collect().await.expect("the sender lives on").to_bytes();
    let event = Event::new("billing", "invoice.paid", WallClock::default().now(), body).with_id(&id, true);
    mark(&marks, PUT, &id);
    let status = match inbox.put(event).await {
        Ok(Put::Duplicate) => {
            mark(&marks, KNOWN, &id);
            StatusCode::NO_CONTENT
        }
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    mark(&marks, KEPT, &id);
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    Ok(response)
}

/// In one piece, since others write there too.
fn mark(mut marks: &File, mark: &str, id: &str) {
    marks.write_all(format!("{mark}{id}\n").as_bytes()).expect("the folder is there");
}

/// Handles what is due, one after the other.
async fn process(inbox: RedbInbox, mut handled: File, marks: Arc<File>) {
    loop {
        let changed = inbox.changed();
        // Long enough that no lease ends while its owner lives.
        let lease = Duration::from_secs(5);
        let claim = Claim { now: WallClock::default().now(), lease, most: 8 };
        let claims = inbox.claim(claim).await.expect("the inbox is there");
        if claims.claimed.is_empty() {
            let _ = tokio::time::timeout(Duration::from_millis(100), changed).await;
        }
        for claimed in &claims.claimed {
            mark(&marks, CLAIMED, id(claimed));
        }
        for claimed in &claims.claimed {
            handled.write_all(format!("{}\n", id(claimed)).as_bytes()).expect("the folder is there");
            inbox.settle(claimed.lease, Settlement::Done).await.expect("it is leased");
            mark(&marks, SETTLED, id(claimed));
        }
    }
}

fn id(claimed: &Claimed) -> &str {
    claimed.event.id().expect("each has one").as_str()
}
