use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpStream,
};

/// What a connection runs over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// Ends the connection as rudely as the transport can.
    fn reset(self);
}

impl Wire for TcpStream {
    fn reset(self) {
        // Fails only on a socket that is gone already, and then there is nothing left to reset.
        let _ = self.set_zero_linger();
    }
}

impl Wire for DuplexStream {
    fn reset(self) {}
}
