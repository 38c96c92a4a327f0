use http::StatusCode;

use super::{
    BAD_REQUEST,
    connection::{Broken, Connection, MAX_HEAD},
    head,
};
use crate::server::{log::Entry, wire::Wire};

/// A chunk's size line, with its extensions, is no longer than this.
const MAX_SIZE_LINE: usize = 1024;

/// How a request body is delimited. A length is a claim: nothing is allocated for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

/// Reads a request body to its end, into the log.
pub(super) async fn read<W: Wire>(
    connection: &mut Connection<W>,
    framing: Framing,
    entry: &Entry,
) -> Result<(), Broken> {
    let trailers = match framing {
        Framing::Length(length) => {
            read_exactly(connection, length, entry).await?;
            None
        }
        Framing::Chunked => read_chunks(connection, entry).await?,
    };
    entry.complete(trailers);
    Ok(())
}

async fn read_chunks<W: Wire>(
    connection: &mut Connection<W>,
    entry: &Entry,
) -> Result<Option<http::HeaderMap>, Broken> {
    loop {
        let line = connection.take_through(b"\r\n", MAX_SIZE_LINE, StatusCode::BAD_REQUEST).await?;
        let size = chunk_size(&line).ok_or(BAD_REQUEST)?;
        if size == 0 {
            return read_trailers(connection).await;
        }
        read_exactly(connection, size, entry).await?;
        // A limit of two leaves room for nothing but the CRLF itself.
        connection.take_through(b"\r\n", 2, StatusCode::BAD_REQUEST).await?;
    }
}

async fn read_trailers<W: Wire>(connection: &mut Connection<W>) -> Result<Option<http::HeaderMap>, Broken> {
    let mut section = Vec::new();
    loop {
        let left = MAX_HEAD - section.len();
        let line =
            connection.take_through(b"\r\n", left, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE).await?;
        if line == b"\r\n".as_slice() {
            break;
        }
        section.extend_from_slice(&line);
    }
    if section.is_empty() {
        return Ok(None);
    }
    head::fields(&section).map(Some).ok_or(BAD_REQUEST)
}

async fn read_exactly<W: Wire>(
    connection: &mut Connection<W>,
    mut left: u64,
    entry: &Entry,
) -> Result<(), Broken> {
    while left > 0 {
        if connection.buf.is_empty() {
            connection.fill().await?;
        }
        let arrived = usize::try_from(left).unwrap_or(usize::MAX).min(connection.buf.len());
        entry.body(&connection.buf.split_to(arrived));
        left -= arrived as u64;
    }
    Ok(())
}

/// The size in a chunk's first line; extensions are skipped (RFC 9112, section 7.1.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\r\n")?;
    let digits = line.split(|&byte| byte == b';').next()?.trim_ascii_end();
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_sizes_are_hexadecimal_and_bounded() {
        assert_eq!(chunk_size(b"1aF\r\n"), Some(0x1af));
        assert_eq!(chunk_size(b"a ;name=value\r\n"), Some(10));
        assert_eq!(chunk_size(b"ffffffffffffffff\r\n"), Some(u64::MAX));
        for wrong in [&b"\r\n"[..], b"+1\r\n", b"-1\r\n", b" 1\r\n", b"0x1\r\n", b"10000000000000000\r\n"] {
            assert_eq!(chunk_size(wrong), None, "{wrong:?}");
        }
    }
}
