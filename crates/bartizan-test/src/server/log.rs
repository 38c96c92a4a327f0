use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, Method, StatusCode, request};
use tokio::{sync::Notify, time::Instant};

use super::Act;

/// A request as the server saw it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Seen {
    /// Its place in the order of arrival over all connections, from 0.
    pub sequence: usize,
    /// The connection it came over, in the order they were accepted, from 0.
    pub connection: usize,
    /// Its `x-request-id`, if that is text.
    pub id: Option<String>,
    /// Its method.
    pub method: Method,
    /// Path and query; the target as it stands for `*` and for CONNECT.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// The body so far, without transfer coding; what lies beyond the first MiB is counted and not kept.
    pub body: Vec<u8>,
    /// How many bytes of body arrived so far.
    pub body_len: u64,
    /// Its trailers, once they arrived.
    pub trailers: Option<HeaderMap>,
    /// Whether the body arrived to its end.
    pub complete: bool,
    /// When the head was complete, since the server started, by tokio's clock.
    pub arrived: Duration,
    /// The [name](Act::name) of what the script chose; `undecided` while it chooses.
    pub act: &'static str,
    /// The status of the head that the act sends, if it sends one.
    pub status: Option<StatusCode>,
    /// `false` if the server told the client that it has not processed this request (HTTP/2's GOAWAY with a lower last
    /// stream, and `REFUSED_STREAM`), so that it may be sent again whatever its method.
    pub processed: bool,
    /// Whether the act was carried out to its end. Stays `false` if the client left first.
    pub finished: bool,
}

/// How much of each request body the log keeps.
const KEPT_BODY: usize = 1024 * 1024;

/// All that a server saw: a live view, which a clone shares.
#[derive(Clone, Default)]
pub struct Log(Arc<Shared>);

#[derive(Default)]
struct Shared {
    entries: Mutex<Entries>,
    changed: Notify,
}

#[derive(Default)]
struct Entries {
    requests: Vec<Seen>,
    connections: usize,
    malformed: usize,
}

impl Log {
    /// Every request whose head arrived, in the order of arrival.
    pub fn requests(&self) -> Vec<Seen> {
        self.lock().requests.clone()
    }

    /// The requests that carried this `x-request-id`, in the order of arrival.
    pub fn by_id(&self, id: &str) -> Vec<Seen> {
        self.lock().requests.iter().filter(|seen| seen.id.as_deref() == Some(id)).cloned().collect()
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    /// How many connections were given up because what came over them breaks the protocol.
    pub fn malformed(&self) -> usize {
        self.lock().malformed
    }

    /// How many requests met each act, by its [name](Act::name).
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for seen in &self.lock().requests {
            *counts.entry(seen.act).or_default() += 1;
        }
        counts
    }

    /// Waits until `done` accepts the requests so far: the server may learn of a thing (a body's end, a client that
    /// left) after the client has moved on. Waits for ever if that never happens.
    pub async fn until(&self, mut done: impl FnMut(&[Seen]) -> bool) {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if done(&self.requests()) {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn connected(&self) -> usize {
        let mut entries = self.lock();
        entries.connections += 1;
        entries.connections - 1
    }

    pub(super) fn record_malformed(&self) {
        self.lock().malformed += 1;
        self.0.changed.notify_waiters();
    }

    /// Records a request whose head just arrived.
    pub(super) fn arrived(&self, head: &request::Parts, connection: usize, started: Instant) -> Entry {
        let mut entries = self.lock();
        let sequence = entries.requests.len();
        let id = head.headers.get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let path = match head.uri.path_and_query() {
            Some(path) if head.method != Method::CONNECT => path.as_str().to_owned(),
            _ => head.uri.to_string(),
        };
        entries.requests.push(Seen {
            sequence,
            connection,
            id,
            method: head.method.clone(),
            path,
            headers: head.headers.clone(),
            body: Vec::new(),
            body_len: 0,
            trailers: None,
            complete: false,
            arrived: started.elapsed(),
            act: "undecided",
            status: None,
            processed: true,
            finished: false,
        });
        drop(entries);
        self.0.changed.notify_waiters();
        Entry { log: self.clone(), sequence }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("connections", &self.connections())
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// The handle by which a connection keeps its request's entry up to date.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    log: Log,
    sequence: usize,
}

impl Entry {
    pub(super) fn seen(&self) -> Seen {
        self.log.lock().requests[self.sequence].clone()
    }

    pub(super) fn decided(&self, act: &Act) {
        self.update(|seen| {
            seen.act = act.name();
            seen.status = act.sent_status();
        });
    }

    pub(super) fn body(&self, bytes: &[u8]) {
        self.update(|seen| {
            let kept = bytes.len().min(KEPT_BODY - seen.body.len());
            seen.body.extend_from_slice(&bytes[..kept]);
            seen.body_len += bytes.len() as u64;
        });
    }

    pub(super) fn complete(&self, trailers: Option<HeaderMap>) {
        self.update(|seen| {
            seen.trailers = trailers;
            seen.complete = true;
        });
    }

    pub(super) fn unprocessed(&self) {
        self.update(|seen| seen.processed = false);
    }

    pub(super) fn finished(&self) {
        self.update(|seen| seen.finished = true);
    }

    fn update(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.log.lock().requests[self.sequence]);
        self.log.0.changed.notify_waiters();
    }
}
