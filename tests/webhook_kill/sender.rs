use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use bartizan_core::WallClock;
use bartizan_webhook::{SignatureFormat, Signer};
use http::header::{CONTENT_LENGTH, HOST, HeaderName};
use http::{HeaderMap, HeaderValue};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::child::SECRET;
use crate::folder::{Folder, log};

/// Whose API calls the webhook, over one connection: the next event once the last one was acknowledged, and the same again where it was not.
#[derive(Debug)]
pub(crate) struct Sender {
    connection: usize,
    next: usize,
    acknowledged: File,
    signer: Signer,
}

impl Sender {
    pub(crate) fn new(connection: usize, folder: &Folder) -> Self {
        let signer = SignatureFormat::standard_webhooks().signer([SECRET]).expect("a key");
        Self { connection, next: 0, acknowledged: log(&folder.path().join("acknowledged")), signer }
    }

    /// Sends until the connection breaks.
    pub(crate) async fn send(mut self, socket: PathBuf) -> Self {
        // However it ends: the process was killed.
        let _ = self.over(socket).await;
        self
    }

    async fn over(&mut self, socket: PathBuf) -> io::Result<()> {
        let mut connection = BufReader::new(UnixStream::connect(socket).await?);
        loop {
            let id = format!("evt_{}_{}", self.connection, self.next);
            let body = format!(r#"{{"id":"{id}","type":"invoice.paid"}}"#);
            let mut headers = HeaderMap::from_iter([
                (HOST, HeaderValue::from_static("localhost")),
                (CONTENT_LENGTH, body.len().into()),
                (HeaderName::from_static("webhook-id"), id.parse().expect("digits")),
            ]);
            let now = WallClock::system().now();
            self.signer.sign(&mut headers, body.as_bytes(), now).expect("nothing is missing");
            let mut request = "POST / HTTP/1.1\r\n".to_owned();
            for (name, value) in &headers {
                let value = value.to_str().expect("ours are");
                request.push_str(&format!("{name}: {value}\r\n"));
            }
            request.push_str("\r\n");
            request.push_str(&body);
            connection.write_all(request.as_bytes()).await?;
            let mut status = String::new();
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                if connection.read_line(&mut line).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                if status.is_empty() {
                    status = line.clone();
                }
            }
            assert!(status.starts_with("HTTP/1.1 200"), "{status}");
            // In one piece, since others write there too.
            self.acknowledged.write_all(format!("{id}\n").as_bytes())?;
            self.acknowledged.sync_data()?;
            self.next += 1;
        }
    }
}
