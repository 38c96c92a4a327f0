//! The outage of `examples/outage` in virtual time: the same server and clients over pipes in memory.

#[path = "../examples/outage/answer.rs"]
mod answer;
#[path = "../examples/outage/clients.rs"]
mod clients;
#[path = "outage/counts.rs"]
mod counts;
#[path = "../examples/outage/plot.rs"]
mod plot;
#[path = "../examples/outage/report.rs"]
mod report;
#[path = "../examples/outage/run.rs"]
mod run;
#[path = "../examples/outage/scenario.rs"]
mod scenario;
#[path = "../examples/outage/server.rs"]
mod server;

use std::collections::BTreeSet;
use std::future::{Ready, ready};
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::io::DuplexStream;
use tower::Service;

use crate::counts::Counted;
use crate::report::{Figures, Table, complaint};
use crate::run::{CLIENTS, Live, Network};
use crate::scenario::Scenario;
use crate::server::Server;

#[tokio::test(start_paused = true)]
async fn the_stack_does_better_than_naive_retries_and_repeats_no_post() {
    let scenario = Scenario::new(1, 1.0);
    let runs = play(scenario.clone()).await;
    assert_eq!(complaint(&scenario, &runs), None);
    let [bare, naive, _, stack, _] = runs;
    assert_eq!((stack.reached_twice, stack.worked_twice), (0, 0));
    // Else the line above would show nothing.
    assert!(naive.worked_twice > 0);
    assert!(stack.goodput() > bare.goodput() + 5.0);
}

#[tokio::test(start_paused = true)]
async fn the_breaker_spares_a_server_that_is_down() {
    let [_, _, retry, stack, _] = outage(2, 1.0).await;
    assert!(2 * stack.seen_while_down <= retry.seen_while_down);
    assert_eq!(retry.counted.refusals, 0);
    assert!(stack.counted.refusals > 0);
    assert!(stack.goodput() >= retry.goodput());
}

#[tokio::test(start_paused = true)]
async fn with_a_cache_what_is_read_is_answered_through_the_outage() {
    let [_, _, _, stack, cached] = outage(2, 1.0).await;
    assert!(cached.reads_while_down >= 99.0, "{}", cached.reads_while_down);
    assert!(stack.reads_while_down < 50.0, "else that shows nothing: {}", stack.reads_while_down);
    assert!(cached.goodput() > stack.goodput() + 10.0);
    assert!(cached.seen < stack.seen && cached.seen_while_down < stack.seen_while_down);
    assert!(cached.counted.hits > 0 && cached.counted.stale_hits > 0);
}

#[tokio::test(start_paused = true)]
async fn retry_and_timeouts_alone_do_better_than_naive_retries_in_a_short_outage_too() {
    let scenario = Scenario::new(1, 0.4);
    let runs = play(scenario.clone()).await;
    assert_eq!(complaint(&scenario, &runs), None);
}

#[tokio::test(start_paused = true)]
async fn what_was_promised_and_not_shown_is_told() {
    let (short, long) = (Scenario::new(1, 0.1), Scenario::new(1, 1.0));
    let runs = play(short.clone()).await.map(|run| Figures { good: 9, seen_while_down: 2, ..run });
    let with = |change: &dyn Fn(&mut [Figures; CLIENTS])| {
        let mut runs = runs.clone();
        // By their order: 2 is retry and timeouts alone, 3 the stack, 4 that with a cache.
        runs[3].seen_while_down = 1;
        runs[4].reads_while_down = 99.0;
        change(&mut runs);
        [&short, &long].map(|scenario| complaint(scenario, &runs).is_some())
    };
    assert_eq!(with(&|_| ()), [false, false]);
    assert_eq!(with(&|runs| runs[2].reached_twice = 1), [true, true]);
    assert_eq!(with(&|runs| runs[3].reached_twice = 1), [true, true]);
    assert_eq!(with(&|runs| runs[2].good = 8), [true, true]);
    assert_eq!(with(&|runs| runs[3].good = 8), [false, true]);
    assert_eq!(with(&|runs| runs[2].good = 900), [false, true]);
    assert_eq!(with(&|runs| runs[3].seen_while_down = 2), [false, true]);
    assert_eq!(with(&|runs| runs[4].reached_twice = 1), [true, true]);
    assert_eq!(with(&|runs| runs[4].reads_while_down = 98.9), [false, true]);
    assert_eq!(with(&|runs| runs[4].good = 8), [false, true]);
}

#[tokio::test(start_paused = true)]
async fn each_layer_of_the_stack_had_something_to_do() {
    let [_, _, _, stack, _] = outage(2, 0.5).await;
    let counted = &stack.counted;
    assert!(counted.retries_after_backoff > 50, "{counted:?}");
    assert!(counted.pauses > 0 && counted.waits_for_turn > 50, "{counted:?}");
    assert!(counted.waits_for_circuit > 50, "{counted:?}");
    assert!(counted.attempts_timed_out > 10, "{counted:?}");
    assert!(counted.deadlines_exceeded > 0, "{counted:?}");
    assert!(counted.stops["method"] > 20 && counted.stops["attempts"] > 0, "{counted:?}");
    for (from, to) in report::CHANGES {
        assert!(counted.times(from, to).count() > 0, "{from} -> {to}: {counted:?}");
    }
}

/// The sum of what Prometheus reads in the lines of `name` that have all these labels.
fn read(text: &str, name: &str, labels: &[&str]) -> u64 {
    let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{')?.split_once("} "));
    lines
        .filter(|(has, _)| labels.iter().all(|label| has.split(',').any(|one| one == *label)))
        .map(|(_, count)| count.parse::<u64>().expect("a count"))
        .sum()
}

#[test]
fn what_prometheus_reads_is_what_the_hooks_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runs = metrics::with_local_recorder(&recorder, || runtime.unwrap().block_on(outage(2, 0.5)));
    let text = recorder.handle().render();
    let sum = |of: &dyn Fn(&Counted) -> u64| runs.iter().map(|run| of(&run.counted)).sum::<u64>();

    let retries = |cause| read(&text, "bartizan_retry_retries", &[cause]);
    assert_eq!(retries(r#"cause="refused""#), sum(&|run| run.waits_for_circuit + run.waits_for_limit));
    assert_eq!(retries(r#"cause="failed""#), sum(&|run| run.retries_after_backoff + run.retries_as_asked));
    let refused = |run: &Counted| run.waits_for_circuit + run.waits_for_limit;
    let all = sum(&|run| refused(run) + run.retries_after_backoff + run.retries_as_asked);
    assert_eq!(read(&text, "bartizan_retry_retries", &[]), all);

    let refused = [r#"error_type="circuit_open""#];
    let refusals =
        read(&text, "bartizan_retry_retries", &refused) + read(&text, "bartizan_retry_stopped", &refused);
    assert_eq!(refusals, sum(&|run| run.refusals));

    let reasons: BTreeSet<&str> = runs.iter().flat_map(|run| run.counted.stops.keys().copied()).collect();
    for why in &reasons {
        let counted = sum(&|run| run.stops.get(why).copied().unwrap_or_default());
        assert_eq!(read(&text, "bartizan_retry_stopped", &[&format!("why=\"{why}\"")]), counted, "{why}");
    }
    assert_eq!(read(&text, "bartizan_retry_stopped", &[]), sum(&|run| run.stops.values().sum()));

    for (from, to) in report::CHANGES {
        let labels = [&*format!("from=\"{}\"", from.as_str()), &*format!("to=\"{}\"", to.as_str())];
        let counted = sum(&|run| run.times(from, to).count() as u64);
        assert!(counted > 0, "else that shows nothing");
        assert_eq!(read(&text, "bartizan_circuit_transitions", &labels), counted, "{from} -> {to}");
    }
    assert_eq!(read(&text, "bartizan_circuit_transitions", &[]), sum(&|run| run.changes.len() as u64));

    let pauses = read(&text, "bartizan_limit_pauses", &[]);
    assert_eq!(pauses, sum(&|run| run.pauses));
    assert_eq!(read(&text, "bartizan_limit_refusals", &[]), sum(&|run| run.refusals_by_limit));
    let waits = text.lines().find_map(|line| line.strip_prefix("bartizan_limit_wait_count "));
    assert_eq!(waits.map_or(0, |count| count.parse().expect("a count")), sum(&|run| run.waits_for_turn));

    let answers = |result| read(&text, "bartizan_cache_answers", &[result]);
    assert_eq!(answers(r#"result="hit""#), sum(&|run| run.hits));
    assert_eq!(answers(r#"result="stale_hit""#), sum(&|run| run.stale_hits));
    let timeouts = |kind| read(&text, "bartizan_timeouts", &[kind]);
    assert_eq!(timeouts(r#"kind="attempt""#), sum(&|run| run.attempts_timed_out));
    assert_eq!(timeouts(r#"kind="deadline""#), sum(&|run| run.deadlines_exceeded));

    for (what, count) in [
        ("refusals", refusals),
        ("pauses", pauses),
        ("hits", answers(r#"result="hit""#)),
        ("stale hits", answers(r#"result="stale_hit""#)),
        ("attempts timed out", timeouts(r#"kind="attempt""#)),
        ("deadlines exceeded", timeouts(r#"kind="deadline""#)),
    ] {
        println!("{what}: {count}");
        assert!(count > 0, "else that shows nothing: {what}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_seed_gives_one_result() {
    let runs = outage(3, 0.2).await;
    assert_eq!(outage(3, 0.2).await, runs);
    assert_ne!(outage(4, 0.2).await, runs);
}

#[tokio::test(start_paused = true)]
async fn the_picture_names_what_it_shows() {
    let scenario = Scenario::new(1, 0.1);
    let runs = play(scenario.clone()).await;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outage.svg");
    plot::draw(&path, &scenario, &runs).unwrap();
    let picture = std::fs::read_to_string(path).unwrap();
    for phase in &scenario.phases {
        assert!(picture.contains(phase.weather.name()), "{phase:?}");
    }
    assert!(picture.contains(&format!("naive: {:.0} % good", runs[1].goodput())));
}

async fn outage(seed: u64, pace: f64) -> [Figures; CLIENTS] {
    play(Scenario::new(seed, pace)).await
}

async fn play(scenario: Scenario) -> [Figures; CLIENTS] {
    let live: [Arc<Live>; CLIENTS] = Default::default();
    let runs = run::side_by_side(&Arc::new(scenario), &Memory, &live).await.expect("memory can be opened");
    println!("{}", Table(&runs));
    for (run, live) in runs.iter().zip(&live) {
        assert_eq!((run.good, run.seen), (live.good(), live.seen()));
    }
    runs
}

/// Pipes in memory.
#[derive(Debug)]
struct Memory;

impl Network for Memory {
    type Connector = Connector;

    async fn open(&self, server: Arc<Server>) -> io::Result<(Connector, String)> {
        Ok((Connector(server), "in-memory.test".to_owned()))
    }
}

/// Makes a pipe and hands its other end to the server.
#[derive(Clone, Debug)]
struct Connector(Arc<Server>);

impl Service<Uri> for Connector {
    type Response = Pipe;
    type Error = io::Error;
    type Future = Ready<io::Result<Pipe>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (client, server) = tokio::io::duplex(16 * 1024);
        tokio::spawn(self.0.clone().serve(server));
        ready(Ok(Pipe(TokioIo::new(client))))
    }
}

/// The client's end. It is no socket, so it has to say itself that hyper-util may keep it in its pool.
#[derive(Debug)]
struct Pipe(TokioIo<DuplexStream>);

impl Connection for Pipe {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl Write for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
