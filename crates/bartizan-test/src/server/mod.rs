//! A scripted loopback server for HTTP/1.1 and HTTP/2 that misbehaves on command and logs all it saw.
//!
//! A [`Script`] picks an [`Act`] for each request, once its head is complete; the [`Log`] holds the request from that
//! moment on, whatever becomes of it. It speaks plain TCP on 127.0.0.1, HTTP/2 with prior knowledge, and both also over
//! in-memory pipes, where tokio's paused clock drives every delay. It knows no TLS, no upgrade and no pipelining: a
//! pipelined request waits for its turn.
//!
//! ```
//! use bartizan_test::server::{Act, Sequence, Server};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = Server::h1_in_memory(Sequence::new([Act::reply(503), Act::reply(200).body("hello")]));
//! let mut client = server.connect()?;
//! client.write_all(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n").await?;
//! client.write_all(b"GET /b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
//! let mut answers = String::new();
//! client.read_to_string(&mut answers).await?;
//!
//! assert!(answers.starts_with("HTTP/1.1 503 Service Unavailable"));
//! assert!(answers.ends_with("hello"));
//! assert_eq!(server.log().requests()[1].path, "/b");
//! # Ok(())
//! # }
//! ```

mod act;
mod h1;
mod h2;
mod log;
mod script;
mod wire;

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::DuplexStream,
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::Instant,
};

use self::wire::Wire;
pub use self::{
    act::Act,
    log::{Log, Seen},
    script::{Script, Sequence},
};

/// How many bytes an in-memory connection holds each way before a writer waits.
const PIPE: usize = 64 * 1024;

/// The server. Dropping it ends its tasks and closes its connections.
pub struct Server {
    addr: Option<SocketAddr>,
    protocol: Protocol,
    context: Context,
    tasks: Mutex<JoinSet<()>>,
}

impl Server {
    /// An HTTP/1.1 server on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// If the port cannot be bound.
    pub async fn h1(script: impl Script) -> io::Result<Self> {
        Self::listen(Protocol::H1, script).await
    }

    /// An HTTP/2 server on a free port of 127.0.0.1, for clients with prior knowledge.
    ///
    /// # Errors
    ///
    /// If the port cannot be bound.
    pub async fn h2(script: impl Script) -> io::Result<Self> {
        Self::listen(Protocol::H2, script).await
    }

    /// An HTTP/1.1 server without a socket: see [`connect`](Server::connect).
    pub fn h1_in_memory(script: impl Script) -> Self {
        Self::new(Protocol::H1, script)
    }

    /// An HTTP/2 server without a socket: see [`connect`](Server::connect).
    pub fn h2_in_memory(script: impl Script) -> Self {
        Self::new(Protocol::H2, script)
    }

    /// Opens a connection to a server that runs in memory. Call it inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) if this server listens on a socket.
    pub fn connect(&self) -> io::Result<DuplexStream> {
        if self.addr.is_some() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this server listens on a socket: connect to its addr",
            ));
        }
        let (client, server) = tokio::io::duplex(PIPE);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(self.context.clone().serve(self.protocol, server));
        Ok(client)
    }

    /// Where the server listens.
    ///
    /// # Panics
    ///
    /// If it runs in memory.
    pub fn addr(&self) -> SocketAddr {
        self.addr.expect("a server in memory has no address")
    }

    /// The URI of a path on this server; `path` begins with a slash. In memory its authority is `in-memory.test`.
    pub fn uri(&self, path: &str) -> String {
        match self.addr {
            Some(addr) => format!("http://{addr}{path}"),
            None => format!("http://in-memory.test{path}"),
        }
    }

    /// What the server saw so far, and will see.
    pub fn log(&self) -> Log {
        self.context.log.clone()
    }

    async fn listen(protocol: Protocol, script: impl Script) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut server = Self::new(protocol, script);
        server.addr = Some(listener.local_addr()?);
        let accepting = server.context.clone().accept(protocol, listener);
        server.tasks.get_mut().unwrap_or_else(PoisonError::into_inner).spawn(accepting);
        Ok(server)
    }

    fn new(protocol: Protocol, script: impl Script) -> Self {
        let context = Context { script: Arc::new(script), log: Log::default(), started: Instant::now() };
        Self { addr: None, protocol, context, tasks: Mutex::default() }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addr", &self.addr)
            .field("protocol", &self.protocol)
            .field("log", &self.context.log)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug)]
enum Protocol {
    H1,
    H2,
}

/// What every connection of a server shares.
#[derive(Clone)]
struct Context {
    script: Arc<dyn Script>,
    log: Log,
    started: Instant,
}

impl Context {
    async fn accept(self, protocol: Protocol, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        // Small frames are the rule here, and Nagle's algorithm would stretch every gap by 40 ms.
                        let _ = TcpStream::set_nodelay(&stream, true);
                        connections.spawn(self.clone().serve(protocol, stream));
                    }
                    // Out of file descriptors, as a rule: try again when some may be free.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn serve(self, protocol: Protocol, wire: impl Wire) {
        let connection = self.log.connected();
        match protocol {
            Protocol::H1 => h1::serve(wire, self, connection).await,
            Protocol::H2 => h2::serve(wire, self, connection).await,
        }
    }

    /// Logs a request whose head just arrived, and asks the script about it.
    fn decide(&self, head: &http::request::Parts, connection: usize) -> (log::Entry, Act) {
        let entry = self.log.arrived(head, connection, self.started);
        let act = self.script.act(&entry.seen());
        entry.decided(&act);
        (entry, act)
    }
}
