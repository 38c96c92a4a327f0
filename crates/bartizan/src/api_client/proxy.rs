//! Connections straight to the origin, or through an HTTP proxy.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan_core::BoxError;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

/// Connects to the origin, or for all origins to one proxy: by CONNECT for `https`, so that the proxy sees no more than
/// the host, and with absolute targets for `http` (RFC 9112 section 3.2.2).
#[derive(Clone, Debug)]
pub(super) struct Connector {
    tcp: HttpConnector,
    proxy: Option<Uri>,
}

impl Connector {
    pub(super) fn new(tcp: HttpConnector, proxy: Option<Uri>) -> Self {
        Self { tcp, proxy }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        match &self.proxy {
            None => {
                let connecting = self.tcp.call(target);
                Box::pin(async { Ok(Stream { tcp: connecting.await?, is_to_proxy: false }) })
            }
            Some(proxy) if target.scheme_str() == Some("https") => {
                let connecting = Tunnel::new(proxy.clone(), self.tcp.clone()).call(target);
                Box::pin(async { Ok(Stream { tcp: connecting.await?, is_to_proxy: false }) })
            }
            Some(proxy) => {
                let connecting = self.tcp.call(proxy.clone());
                Box::pin(async { Ok(Stream { tcp: connecting.await?, is_to_proxy: true }) })
            }
        }
    }
}

/// A connection that knows whether requests on it need absolute targets.
#[derive(Debug)]
pub(super) struct Stream {
    tcp: TokioIo<TcpStream>,
    is_to_proxy: bool,
}

impl Stream {
    fn tcp(self: Pin<&mut Self>) -> Pin<&mut TokioIo<TcpStream>> {
        Pin::new(&mut self.get_mut().tcp)
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.tcp.connected().proxy(self.is_to_proxy)
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.tcp().poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.tcp().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp().poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.tcp().poll_write_vectored(cx, bytes)
    }
}
