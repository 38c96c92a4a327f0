//! The program that runs the senders' own libraries.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

/// It ends with this, and with this process however that ends, since its stdin does.
pub(crate) struct Sdks {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Sdks {
    pub(crate) fn start() -> Self {
        let folder = env::var_os("BARTIZAN_WEBHOOK_SDKS").expect("it is set by `cargo xtask test`");
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/webhook_sdks/sdks.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("there is Node.js");
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, questions, answers }
    }

    /// As that library signs it, or why it does not.
    pub(crate) fn sign(
        &mut self,
        sdk: &str,
        key: &str,
        seconds: u64,
        body: &[u8],
    ) -> Result<HeaderMap, String> {
        let question = json!({
            "op": "sign", "sdk": sdk, "key": key, "seconds": seconds, "id": "msg_1", "body": STANDARD.encode(body),
        });
        let answer = self.ask(&question);
        let Some(fields) = answer["headers"].as_object() else { return Err(answer["why"].to_string()) };
        let field = |(name, value): (&String, &Value)| {
            let value = HeaderValue::from_str(value.as_str().expect("a text")).expect("a field");
            (HeaderName::try_from(name).expect("a name"), value)
        };
        Ok(fields.iter().map(field).collect())
    }

    /// Whether that library takes it, or why not.
    pub(crate) fn verify(
        &mut self,
        sdk: &str,
        key: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), String> {
        let headers: serde_json::Map<String, Value> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().expect("a text").into()))
            .collect();
        let question = json!({ "op": "verify", "sdk": sdk, "key": key, "headers": headers, "body": STANDARD.encode(body) });
        let answer = self.ask(&question);
        if answer["ok"] == true { Ok(()) } else { Err(answer["why"].to_string()) }
    }

    fn ask(&mut self, question: &Value) -> Value {
        let questions = self.questions.as_mut().expect("it is there until the end");
        // That it has ended is seen below.
        let _ = writeln!(questions, "{question}").and_then(|()| questions.flush());
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("a pipe can be read");
        if answer.is_empty() {
            let mut error = String::new();
            let stderr = self.child.stderr.as_mut().expect("it is piped");
            stderr.read_to_string(&mut error).expect("a pipe can be read");
            panic!("the program has ended:\n{error}");
        }
        serde_json::from_str(&answer).expect("it answers in JSON")
    }
}

impl Drop for Sdks {
    fn drop(&mut self) {
        drop(self.questions.take());
        // Both fail only where there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
