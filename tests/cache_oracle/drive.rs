//! Runs a history through the cache, and has each turn judged.

use std::time::{Duration, SystemTime};

use bartizan_cache::{Cache, CacheLayer};
use bartizan_core::WallClock;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt};

use crate::history::{History, Step};
use crate::message::{self, Turn};
use crate::oracle::Oracle;
use crate::origin::{BEGAN, Origin, plain};
use crate::verdict::{Fault, Way};
use crate::words::written;

pub struct Run {
    pub ways: Vec<Way>,
    /// What was wrong first.
    pub fault: Option<Fault>,
}

pub fn run(history: &History) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("no more than memory").block_on(async {
        let origin = Origin::new();
        // Less memory than by default is set up sooner.
        let mut layer = CacheLayer::rfc9111().max_bytes(8 * 1024 * 1024).wall_clock(WallClock::from_fn({
            let origin = origin.clone();
            move || SystemTime::UNIX_EPOCH + Duration::from_millis(origin.now() as u64)
        }));
        if history.is_shared {
            layer = layer.shared();
        }
        let cache = layer.layer(origin.clone());
        let mut oracle = Oracle::new(history.is_shared);
        let mut run = Run { ways: Vec::new(), fault: None };
        for step in &history.steps {
            let turn = take(step, &cache, &origin).await;
            match oracle.judge(&turn) {
                Ok(way) => run.ways.push(way),
                Err(fault) => {
                    run.fault = Some(fault);
                    break;
                }
            }
        }
        run
    })
}

async fn take(step: &Step, cache: &Cache<Origin>, origin: &Origin) -> Turn {
    tokio::time::advance(Duration::from_millis(step.wait)).await;
    origin.says(step.answers.clone());
    let asked = origin.now();
    let mut request = Request::builder().method(step.method).uri(step.target);
    for (name, value) in &step.fields {
        request = request.header(name, written(value, asked, BEGAN));
    }
    let request = request.body(Full::<Bytes>::default()).expect("all words are fields");
    let plain_request = message::Request {
        method: step.method.to_string(),
        target: request.uri().to_string(),
        fields: plain(request.headers()),
    };
    let answer = cache.clone().oneshot(request).await;
    let (exchanges, answered) = (origin.exchanges(), origin.now());
    let mut is_read = true;
    let answer = match answer {
        Err(_) => None,
        Ok(answer) => {
            let (head, mut body) = answer.into_parts();
            let mut plain_answer = message::Response {
                status: head.status.as_u16(),
                fields: plain(&head.headers),
                body: String::new(),
                is_whole: true,
            };
            // Who has the origin's own answer may leave it.
            let passed = exchanges.last().and_then(|last| last.response.as_ref());
            let passed = passed.filter(|said| said.status == plain_answer.status && !said.body.is_empty());
            if let (false, Some(said), false) = (step.is_read, passed, head.headers.contains_key("age")) {
                (plain_answer.body, is_read) = (said.body.clone(), false);
            } else {
                while let Some(frame) = body.frame().await {
                    let Ok(frame) = frame else {
                        plain_answer.is_whole = false;
                        break;
                    };
                    let data = frame.data_ref().expect("no trailers");
                    plain_answer.body += std::str::from_utf8(data).expect("ASCII");
                }
            }
            Some(plain_answer)
        }
    };
    settle(origin).await;
    Turn {
        request: plain_request,
        asked,
        exchanges,
        answered,
        answer,
        is_read,
        meanwhile: origin.exchanges(),
    }
}

/// What goes on behind the client's back goes on to its end.
async fn settle(origin: &Origin) {
    loop {
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        if !origin.is_busy() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
