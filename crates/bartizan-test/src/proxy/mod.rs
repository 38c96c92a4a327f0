//! A TCP proxy on the loopback that does a chosen wrong to each connection.
//!
//! It moves bytes and reads none, so it serves HTTP/1.1 and HTTP/2 alike, TLS as well, and any upstream. Faults that
//! need to know a request belong to [`server`](crate::server).
//!
//! ```
//! use bartizan_test::{
//!     proxy::{Fault, FaultProxy, Sequence},
//!     server::{Act, Server},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = Server::h1(Act::reply(200)).await?;
//! let proxy = FaultProxy::start(server.addr(), Sequence::new([Fault::Refuse, Fault::Pass])).await?;
//! let uri = format!("http://{}/", proxy.addr());
//! # drop(uri);
//! # Ok(())
//! # }
//! ```

mod fault;
mod link;

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

pub use self::fault::{Fault, Plan, Sequence};

/// The proxy. Dropping it ends its tasks and closes its connections.
pub struct FaultProxy {
    addr: SocketAddr,
    upstream: SocketAddr,
    counts: Arc<Counts>,
    _tasks: JoinSet<()>,
}

impl FaultProxy {
    /// A proxy to `upstream` on a free port of 127.0.0.1.
    ///
    /// It connects to the upstream once for each client. If that fails, the client's connection is reset.
    ///
    /// # Errors
    ///
    /// If the port cannot be bound.
    pub async fn start(upstream: SocketAddr, plan: impl Plan) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, upstream, plan, counts.clone()));
        Ok(Self { addr, upstream, counts, _tasks: tasks })
    }

    /// Where the proxy listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::Relaxed)
    }

    /// How many bytes went to the upstream, over all connections.
    pub fn bytes_up(&self) -> u64 {
        self.counts.up.load(Ordering::Relaxed)
    }

    /// How many bytes went to clients, over all connections.
    pub fn bytes_down(&self) -> u64 {
        self.counts.down.load(Ordering::Relaxed)
    }

    /// How many bytes a [`BlackHole`](Fault::BlackHole) swallowed, over all connections.
    pub fn bytes_swallowed(&self) -> u64 {
        self.counts.swallowed.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy")
            .field("addr", &self.addr)
            .field("upstream", &self.upstream)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    up: AtomicU64,
    down: AtomicU64,
    swallowed: AtomicU64,
}

async fn accept(listener: TcpListener, upstream: SocketAddr, plan: impl Plan, counts: Arc<Counts>) {
    let mut links = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    let connection = counts.connections.fetch_add(1, Ordering::Relaxed);
                    let fault = plan.fault(connection);
                    // Bytes leave as they came, not as Nagle's algorithm gathers them.
                    let _ = TcpStream::set_nodelay(&client, true);
                    links.spawn(link::run(client, upstream, fault, counts.clone()));
                }
                // Out of file descriptors, as a rule: try again when some may be free.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = links.join_next() => {}
        }
    }
}
