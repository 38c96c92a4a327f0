use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::*;

mod any;
mod gate;
mod told_apart;
mod written;

fn batch(documents: &[&str]) -> Vec<Operation> {
    documents.iter().map(|document| Operation::new(*document)).collect()
}

/// The members of each request.
fn groups(operations: &[Operation], settings: Settings) -> Vec<Vec<usize>> {
    plan(operations, settings).iter().map(|sending| sending.members().to_vec()).collect()
}

/// The one request of a batch.
fn merged(operations: &[Operation]) -> Sending {
    let mut sendings = plan(operations, Settings::default().with_mutations());
    assert_eq!(sendings.len(), 1, "{sendings:?}");
    sendings.remove(0)
}

fn answer(value: &Value) -> Answer {
    Answer::read(&value.to_string().into()).expect("an answer")
}
