use std::{
    io,
    net::SocketAddr,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    time::{Instant, sleep},
};

use super::{Counts, Fault};

const BUFFER: usize = 16 * 1024;

/// Carries one client's connection, as its fault will have it.
pub(super) async fn run(mut client: TcpStream, upstream: SocketAddr, fault: Fault, counts: Arc<Counts>) {
    match fault {
        Fault::Refuse => return reset(&client),
        Fault::BlackHole => return swallow(&mut client, &counts.swallowed).await,
        Fault::Delay(delay) => sleep(delay).await,
        _ => {}
    }
    let Ok(mut upstream) = TcpStream::connect(upstream).await else {
        return reset(&client);
    };
    let _ = upstream.set_nodelay(true);
    if join(&mut client, &mut upstream, fault, &counts).await == Ending::Reset {
        reset(&client);
        reset(&upstream);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Close,
    Reset,
}

async fn join(client: &mut TcpStream, upstream: &mut TcpStream, fault: Fault, counts: &Counts) -> Ending {
    let (from_client, to_client) = client.split();
    let (from_upstream, to_upstream) = upstream.split();
    let last_byte = LastByte::default();
    let pipe = |from, to, total| Pipe {
        from,
        to,
        total,
        last_byte: &last_byte,
        limit: u64::MAX,
        fin_at_limit: false,
        pace: None,
    };
    let mut up = pipe(from_client, to_upstream, &counts.up);
    let mut down = pipe(from_upstream, to_client, &counts.down);
    match fault {
        Fault::ResetAfterUp(limit) => up.limit = limit,
        Fault::ResetAfterDown(limit) => down.limit = limit,
        Fault::HalfCloseAfterDown(limit) => {
            down.limit = limit;
            down.fin_at_limit = true;
        }
        Fault::Throttle { bytes, tick } => {
            up.pace = Some(Pace::new(bytes, tick));
            down.pace = Some(Pace::new(bytes, tick));
        }
        _ => {}
    }

    let both = async {
        let (up, down) = (up.run(), down.run());
        tokio::pin!(up, down);
        let mut ended = (false, false);
        while ended != (true, true) {
            let end = tokio::select! {
                end = &mut up, if !ended.0 => { ended.0 = true; end }
                end = &mut down, if !ended.1 => { ended.1 = true; end }
            };
            match end {
                Ok(End::Fin) => {}
                Ok(End::Limit) | Err(_) => return Ending::Reset,
            }
        }
        Ending::Close
    };
    let Fault::CloseIdle(idle) = fault else {
        return both.await;
    };
    tokio::select! {
        // Bytes that are there count before the clock does.
        biased;
        ending = both => ending,
        () = last_byte.older_than(idle) => Ending::Close,
    }
}

/// Why a direction stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Its receiver got a FIN.
    Fin,
    /// Its limit was reached, and its receiver knows nothing yet.
    Limit,
}

/// One direction of a link.
struct Pipe<'a> {
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
    total: &'a AtomicU64,
    last_byte: &'a LastByte,
    limit: u64,
    fin_at_limit: bool,
    pace: Option<Pace>,
}

impl Pipe<'_> {
    async fn run(mut self) -> io::Result<End> {
        let mut buffer = vec![0; BUFFER];
        let mut left = self.limit;
        while left > 0 {
            let mut room = BUFFER.min(usize::try_from(left).unwrap_or(BUFFER));
            if let Some(pace) = &mut self.pace {
                room = room.min(pace.room().await);
            }
            let read = self.from.read(&mut buffer[..room]).await?;
            if read == 0 {
                self.to.shutdown().await?;
                return Ok(End::Fin);
            }
            // Counted first: whoever sees the bytes finds them counted.
            self.total.fetch_add(read as u64, Ordering::Relaxed);
            self.to.write_all(&buffer[..read]).await?;
            self.last_byte.now();
            left -= read as u64;
            if let Some(pace) = &mut self.pace {
                pace.spend(read);
            }
        }
        if !self.fin_at_limit {
            return Ok(End::Limit);
        }
        self.to.shutdown().await?;
        Ok(End::Fin)
    }
}

/// So many bytes in each window; a window opens with its first byte.
#[derive(Debug)]
struct Pace {
    bytes: NonZeroUsize,
    tick: Duration,
    opened: Instant,
    spent: usize,
}

impl Pace {
    fn new(bytes: NonZeroUsize, tick: Duration) -> Self {
        Self { bytes, tick, opened: Instant::now(), spent: 0 }
    }

    /// How many bytes may pass now, after waiting for the next window if this one is used up.
    async fn room(&mut self) -> usize {
        if self.spent == self.bytes.get() {
            sleep(self.tick.saturating_sub(self.opened.elapsed())).await;
        }
        if self.opened.elapsed() >= self.tick {
            self.spent = 0;
        }
        self.bytes.get() - self.spent
    }

    fn spend(&mut self, bytes: usize) {
        if self.spent == 0 {
            self.opened = Instant::now();
        }
        self.spent += bytes;
    }
}

async fn swallow(client: &mut TcpStream, swallowed: &AtomicU64) {
    let mut buffer = vec![0; BUFFER];
    while let Ok(read @ 1..) = client.read(&mut buffer).await {
        swallowed.fetch_add(read as u64, Ordering::Relaxed);
    }
}

/// Makes the drop of this socket an RST.
fn reset(socket: &TcpStream) {
    // Fails only on a socket that is gone already, and then there is nothing left to reset.
    let _ = socket.set_zero_linger();
}

/// When a byte last passed, either way.
#[derive(Debug)]
struct LastByte(Mutex<Instant>);

impl Default for LastByte {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl LastByte {
    fn now(&self) {
        *self.lock() = Instant::now();
    }

    async fn older_than(&self, idle: Duration) {
        loop {
            let left = idle.saturating_sub(self.lock().elapsed());
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
