use std::str;

use bartizan_graphql::merge::{Sending, Settings, Verdict, plan};
use bartizan_graphql::{Answer, Operation};
use bytes::Bytes;
use serde_json::value::RawValue;

/// Documents with a line `---` between them, and behind a line `===` an answer. Each operation is asked for once and told one thing; what is sent for
/// several is a document that is understood itself.
pub fn graphql_merge(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (documents, answer) = text.split_once("\n===\n").unwrap_or((text, ""));
    let operations: Vec<_> = documents.split("\n---\n").map(Operation::new).collect();
    let documents: Vec<_> = documents.split("\n---\n").collect();
    for settings in [Settings::default(), Settings::default().with_mutations()] {
        let sendings = plan(&operations, settings);
        let mut members: Vec<_> = sendings.iter().flat_map(|sending| sending.members()).copied().collect();
        members.sort_unstable();
        assert!(members.into_iter().eq(0..documents.len()));
        for sending in &sendings {
            match sending.members() {
                [index] => assert_eq!(sending.document(), documents[*index]),
                _ => understood(sending.document()),
            }
            if let Ok(answer) = Answer::read(&Bytes::copy_from_slice(answer.as_bytes())) {
                told_apart(sending, answer);
            }
        }
    }
}

/// Such a document would be merged in its turn.
fn understood(document: &str) {
    let other = if document.starts_with("mutation") { "mutation { a }" } else { "{ a }" };
    let both = [document, other].map(Operation::new);
    assert_eq!(plan(&both, Settings::default().with_mutations()).len(), 1, "{document}");
}

fn told_apart(sending: &Sending, answer: Answer) {
    let verdicts = sending.split(answer);
    assert!(verdicts.iter().map(|(member, _)| member).eq(sending.members()));
    for (_, verdict) in verdicts {
        let Verdict::Own(own) = verdict else { continue };
        match own.data() {
            Some(data) => drop(data.read::<Box<RawValue>>().expect("data is JSON")),
            None => assert!(!own.errors().is_empty(), "null without an error"),
        }
    }
}
