use bytes::Bytes;
use http::{HeaderMap, Version, header};

use super::{
    connection::{Broken, Connection},
    head::Head,
};
use crate::server::{
    act::{Act, Kind},
    log::Entry,
    wire::Wire,
};

/// What becomes of the connection after an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    KeepAlive,
    Close,
    /// Read on until the client leaves.
    Linger,
    Reset,
}

pub(super) async fn perform<W: Wire>(
    connection: &mut Connection<W>,
    act: &Act,
    request: &Head,
    entry: &Entry,
) -> Result<Then, Broken> {
    connection.pause(act.delay).await?;
    match act.kind {
        Kind::Reset => Ok(Then::Reset),
        Kind::Hang => Ok(Then::Linger),
        Kind::Close | Kind::Goaway | Kind::RefuseStream => {
            entry.finished();
            Ok(Then::Close)
        }
        Kind::HalfClose => {
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-le").await?;
            connection.shutdown().await?;
            entry.finished();
            Ok(Then::Linger)
        }
        Kind::Reply | Kind::ResetAfterHead | Kind::ResetMidBody(_) => {
            let answer = Answer::new(act, request);
            answer.write_head(connection).await?;
            match act.kind {
                Kind::ResetAfterHead => return Ok(Then::Reset),
                Kind::ResetMidBody(after_bytes) => {
                    answer.write_body(connection, after_bytes).await?;
                    return Ok(Then::Reset);
                }
                _ => answer.write_body(connection, usize::MAX).await?,
            }
            answer.write_end(connection).await?;
            entry.finished();
            let close = act.then_close || act.content_length.is_some() || !request.keep_alive;
            Ok(if close { Then::Close } else { Then::KeepAlive })
        }
    }
}

/// An act's answer to one request, with its framing chosen.
struct Answer<'a> {
    act: &'a Act,
    keep_alive: bool,
    has_body: bool,
    body: Bytes,
    chunked: bool,
}

impl<'a> Answer<'a> {
    fn new(act: &'a Act, request: &Head) -> Self {
        let wants_chunks = act.chunked || act.trailers.is_some();
        let own_framing = act.content_length.is_some() || frames_itself(&act.headers);
        let has_body = act.has_body(&request.parts.method);
        Self {
            act,
            keep_alive: request.keep_alive,
            has_body,
            body: act.announced_body(),
            chunked: wants_chunks && !own_framing && request.parts.version == Version::HTTP_11,
        }
    }

    async fn write_head<W: Wire>(&self, connection: &mut Connection<W>) -> Result<(), Broken> {
        for status in &self.act.interim {
            connection.write(format!("{}\r\n", status_line(*status)).as_bytes()).await?;
        }
        let lines = self.head_lines();
        let Some(gap) = self.act.slow_head else {
            return connection.write(&lines.concat()).await;
        };
        for line in lines {
            connection.pause(gap).await?;
            connection.write(&line).await?;
        }
        Ok(())
    }

    fn head_lines(&self) -> Vec<Vec<u8>> {
        let mut lines = vec![status_line(self.act.status).into_bytes()];
        lines.extend(field_lines(&self.act.headers));
        if let Some(declared) = self.act.content_length {
            lines.push(format!("content-length: {declared}\r\n").into_bytes());
        } else if self.chunked {
            lines.push(b"transfer-encoding: chunked\r\n".to_vec());
        } else if !frames_itself(&self.act.headers) && self.act.status != http::StatusCode::NO_CONTENT {
            lines.push(format!("content-length: {}\r\n", self.body.len()).into_bytes());
        }
        if !self.keep_alive {
            lines.push(b"connection: close\r\n".to_vec());
        }
        lines.push(b"\r\n".to_vec());
        lines
    }

    /// Writes the body's first `limit` bytes.
    async fn write_body<W: Wire>(&self, connection: &mut Connection<W>, limit: usize) -> Result<(), Broken> {
        if !self.has_body {
            return Ok(());
        }
        let body = self.body.slice(..limit.min(self.body.len()));
        let (piece_len, gap) = self.act.slow_body.unwrap_or((body.len().max(1), std::time::Duration::ZERO));
        for piece in body.chunks(piece_len) {
            connection.pause(gap).await?;
            if self.chunked {
                let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
                chunk.extend_from_slice(piece);
                chunk.extend_from_slice(b"\r\n");
                connection.write(&chunk).await?;
            } else {
                connection.write(piece).await?;
            }
        }
        Ok(())
    }

    /// Writes what ends a chunked body: the last chunk and the trailers.
    async fn write_end<W: Wire>(&self, connection: &mut Connection<W>) -> Result<(), Broken> {
        if !self.chunked || !self.has_body {
            return Ok(());
        }
        let mut end = b"0\r\n".to_vec();
        end.extend(self.act.trailers.iter().flat_map(field_lines).flatten());
        end.extend_from_slice(b"\r\n");
        connection.write(&end).await
    }
}

fn frames_itself(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING)
}

fn status_line(status: http::StatusCode) -> String {
    format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default())
}

fn field_lines(fields: &HeaderMap) -> impl Iterator<Item = Vec<u8>> {
    fields.iter().map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat())
}
