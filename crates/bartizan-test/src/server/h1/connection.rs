use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::Wire;

/// A head, a chunk's size line or a trailer section longer than this is refused.
pub(super) const MAX_HEAD: usize = 64 * 1024;

const READ: usize = 8 * 1024;

/// Why a connection cannot go on.
#[derive(Debug)]
pub(super) enum Broken {
    /// The client left, or the transport failed.
    Gone,
    /// The client sent what HTTP does not allow, or too much of it.
    Malformed(StatusCode),
}

/// A transport and the bytes read from it that nobody asked for yet.
#[derive(Debug)]
pub(super) struct Connection<W> {
    // `None` once it was reset.
    wire: Option<W>,
    pub(super) buf: BytesMut,
}

impl<W: Wire> Connection<W> {
    pub(super) fn new(wire: W) -> Self {
        Self { wire: Some(wire), buf: BytesMut::new() }
    }

    /// Reads some more bytes.
    pub(super) async fn fill(&mut self) -> Result<(), Broken> {
        let wire = self.wire.as_mut().ok_or(Broken::Gone)?;
        self.buf.reserve(READ);
        match wire.read_buf(&mut self.buf).await {
            Ok(0) | Err(_) => Err(Broken::Gone),
            Ok(_) => Ok(()),
        }
    }

    /// Takes everything up to and including `delimiter`, which lies within the next `limit` bytes.
    pub(super) async fn take_through(
        &mut self,
        delimiter: &[u8],
        limit: usize,
        too_long: StatusCode,
    ) -> Result<Bytes, Broken> {
        let mut searched = 0;
        loop {
            let unsearched = &self.buf[searched..];
            if let Some(at) = unsearched.windows(delimiter.len()).position(|window| window == delimiter) {
                let end = searched + at + delimiter.len();
                if end > limit {
                    return Err(Broken::Malformed(too_long));
                }
                return Ok(self.buf.split_to(end).freeze());
            }
            if self.buf.len() >= limit {
                return Err(Broken::Malformed(too_long));
            }
            searched = self.buf.len().saturating_sub(delimiter.len() - 1);
            self.fill().await?;
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let wire = self.wire.as_mut().ok_or(Broken::Gone)?;
        wire.write_all(bytes).await.map_err(|_| Broken::Gone)?;
        wire.flush().await.map_err(|_| Broken::Gone)
    }

    /// Lets time pass, unless the client leaves meanwhile.
    pub(super) async fn pause(&mut self, pause: Duration) -> Result<(), Broken> {
        if pause.is_zero() {
            return Ok(());
        }
        let sleep = tokio::time::sleep(pause);
        tokio::pin!(sleep);
        loop {
            tokio::select! {
                biased;
                () = &mut sleep => return Ok(()),
                filled = self.fill(), if self.buf.len() < MAX_HEAD => filled?,
            }
        }
    }

    /// Reads and forgets what comes until the client leaves.
    pub(super) async fn drain(&mut self) -> Result<(), Broken> {
        loop {
            self.buf.clear();
            self.fill().await?;
        }
    }

    /// Ends the sending side.
    pub(super) async fn shutdown(&mut self) -> Result<(), Broken> {
        let wire = self.wire.as_mut().ok_or(Broken::Gone)?;
        wire.shutdown().await.map_err(|_| Broken::Gone)
    }

    pub(super) async fn close(&mut self) -> Result<(), Broken> {
        self.shutdown().await?;
        self.wire = None;
        Ok(())
    }

    pub(super) fn reset(&mut self) {
        if let Some(wire) = self.wire.take() {
            wire.reset();
        }
    }

    /// Answers a request that is none, and gives the connection up.
    pub(super) async fn refuse(&mut self, status: StatusCode) {
        let reason = status.canonical_reason().unwrap_or("Refused");
        let answer = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            status.as_u16()
        );
        if self.write(answer.as_bytes()).await.is_ok() {
            // A client that left already needs no farewell.
            let _ = self.close().await;
        }
    }
}
