//! Relays interim responses (103 Early Hints and other 1xx), which hyper's server cannot send: they are written between what hyper writes.
//!
//! While a request is with the service, and hyper has written all that it had, each of its polls flushes the connection. That is the moment: no
//! byte of a final response can be under way.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use http::{HeaderMap, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// No origin makes the proxy keep more than so many bytes for a client that does not read.
const MOST: usize = 64 * 1024;

/// What one connection has to send before the final response.
#[derive(Clone, Default)]
pub(crate) struct Interim(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    queue: VecDeque<Bytes>,
    /// Which request the client waits for: what others are told is not for it.
    turn: u64,
    is_open: bool,
    /// The task of the connection.
    waker: Option<Waker>,
}

impl Interim {
    /// The next request is with the service.
    pub(crate) fn open(&self) -> Turn {
        let mut state = self.lock();
        state.turn += 1;
        state.is_open = true;
        Turn { interim: self.clone(), turn: state.turn }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to send interim responses to one request.
#[derive(Clone)]
pub(crate) struct Turn {
    interim: Interim,
    turn: u64,
}

impl Turn {
    /// Sends it before the final response, if that is not there yet.
    pub(crate) fn send(&self, status: StatusCode, headers: &HeaderMap) {
        let mut head = format!("HTTP/1.1 {status}\r\n").into_bytes();
        for (name, value) in headers {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        let mut state = self.interim.lock();
        let queued: usize = state.queue.iter().map(Bytes::len).sum();
        if !state.is_open || state.turn != self.turn || queued + head.len() > MOST {
            return;
        }
        state.queue.push_back(head.into());
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Once the final response is there: waits until all has been written, and takes no more.
    pub(crate) async fn close(self) {
        poll_fn(|cx| {
            let mut state = self.interim.lock();
            if state.queue.is_empty() {
                state.is_open = false;
                return Poll::Ready(());
            }
            state.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// A connection on which interim responses are sent.
pub(crate) struct Connection {
    stream: TcpStream,
    interim: Interim,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> (Self, Interim) {
        let interim = Interim::default();
        (Self { stream, interim: interim.clone() }, interim)
    }

    fn write_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut state = self.interim.lock();
            let Some(next) = state.queue.front_mut() else {
                state.waker = Some(cx.waker().clone());
                return Poll::Ready(Ok(()));
            };
            match ready!(Pin::new(&mut self.stream).poll_write(cx, next))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => next.advance(written),
            }
            if next.is_empty() {
                state.queue.pop_front();
            }
            // Whoever waits for the last one to be written is in this task too.
            if state.queue.is_empty() {
                cx.waker().wake_by_ref();
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_interim(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
