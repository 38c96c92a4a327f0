use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    sync::{Notify, mpsc},
    task::JoinSet,
};

use crate::server::wire::Wire;

const FRAME_HEAD: usize = 9;
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const GOAWAY: u8 = 0x7;
const CONTINUATION: u8 = 0x9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// The handle of a pump.
#[derive(Debug)]
pub(super) struct Pump {
    commands: mpsc::UnboundedSender<Command>,
    sent: Arc<Sent>,
}

/// The tasks of a pump; dropping this ends them.
#[derive(Debug)]
pub(super) struct Pumping {
    inbound: JoinSet<()>,
    outbound: JoinSet<()>,
}

#[derive(Debug)]
enum Command {
    Goaway(u32),
    HalfClose,
}

impl Pump {
    /// Moves bytes between `wire` and `far`, whose other end a server's `h2` connection holds.
    pub(super) fn start<W: Wire>(wire: W, far: DuplexStream) -> (Self, Pumping) {
        let (from_client, to_client) = tokio::io::split(wire);
        let (from_server, to_server) = tokio::io::split(far);
        let (commands, inbox) = mpsc::unbounded_channel();
        let sent = Arc::new(Sent::default());
        let (mut inbound, mut outbound) = (JoinSet::new(), JoinSet::new());
        inbound.spawn(pump_in(from_client, to_server));
        let frames = Frames { from_server, buf: BytesMut::new() };
        let passing = pump_out(frames, to_client, inbox, sent.clone());
        outbound.spawn(async {
            // A client that no longer takes frames has left, which the way in notices.
            let _ = passing.await;
        });
        (Self { commands, sent }, Pumping { inbound, outbound })
    }

    /// Sends a GOAWAY before the next frame, and from then on nothing for streams above `last`.
    pub(super) fn go_away(&self, last: u32) {
        self.command(Command::Goaway(last));
    }

    /// Sends the beginning of a HEADERS frame and ends the sending side; later frames go nowhere.
    pub(super) fn half_close(&self) {
        self.command(Command::HalfClose);
    }

    pub(super) fn sent(&self) -> Arc<Sent> {
        self.sent.clone()
    }

    fn command(&self, command: Command) {
        // A pump that has ended has no connection left to apply it to.
        let _ = self.commands.send(command);
    }
}

impl Pumping {
    /// Waits until all frames are passed on and the sending side is shut down.
    pub(super) async fn finish(mut self) {
        while self.outbound.join_next().await.is_some() {}
        drop(self.inbound);
    }
}

/// What has left for the client, by stream.
#[derive(Debug, Default)]
pub(super) struct Sent {
    streams: Mutex<HashMap<u32, Progress>>,
    changed: Notify,
}

/// How far one stream's answer has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// Heads so far, interim ones and trailers among them.
    pub(super) heads: usize,
    /// Bytes of body.
    pub(super) data: usize,
    /// By its last frame, or by a reset.
    pub(super) ended: bool,
}

impl Sent {
    /// Begins to count for `stream`.
    pub(super) fn track(&self, stream: u32) {
        self.lock().insert(stream, Progress::default());
    }

    /// Waits until a tracked stream has come this far.
    pub(super) async fn until(&self, stream: u32, reached: impl Fn(Progress) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.lock().get(&stream).copied().is_some_and(&reached) {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn forget(&self, stream: u32) {
        self.lock().remove(&stream);
    }

    fn record(&self, frame: &Frame) {
        if let Some(progress) = self.lock().get_mut(&frame.stream) {
            match frame.kind {
                DATA => progress.data += frame.bytes.len() - FRAME_HEAD,
                HEADERS | CONTINUATION => progress.heads += usize::from(frame.flags & END_HEADERS != 0),
                RST_STREAM => progress.ended = true,
                _ => return,
            }
            progress.ended |= frame.kind != CONTINUATION && frame.flags & END_STREAM != 0;
        }
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Progress>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn pump_in<W: Wire>(mut from_client: ReadHalf<W>, mut to_server: WriteHalf<DuplexStream>) {
    // However the client went, for the h2 connection it is the end of the stream.
    let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    let _ = to_server.shutdown().await;
}

async fn pump_out<W: Wire>(
    mut frames: Frames,
    mut to_client: WriteHalf<W>,
    mut inbox: mpsc::UnboundedReceiver<Command>,
    sent: Arc<Sent>,
) -> io::Result<()> {
    let mut last = u32::MAX;
    let mut open = true;
    loop {
        tokio::select! {
            // Commands first: what follows a command was caused by it.
            biased;
            Some(command) = inbox.recv() => match command {
                Command::Goaway(new_last) => {
                    last = new_last;
                    if open {
                        to_client.write_all(&go_away_frame(last)).await?;
                        to_client.flush().await?;
                    }
                }
                Command::HalfClose => {
                    open = false;
                    to_client.write_all(&TRUNCATED_FRAME).await?;
                    to_client.shutdown().await?;
                }
            },
            frame = frames.next() => {
                let Some(frame) = frame? else { break };
                if open && frame.stream <= last {
                    to_client.write_all(&frame.bytes).await?;
                    to_client.flush().await?;
                }
                sent.record(&frame);
            }
        }
    }
    to_client.shutdown().await
}

/// The first bytes of a HEADERS frame whose rest never comes.
const TRUNCATED_FRAME: [u8; 5] = [0, 0, 32, HEADERS, END_HEADERS];

/// `GOAWAY(NO_ERROR)`: RFC 9113, section 6.8.
fn go_away_frame(last: u32) -> [u8; 17] {
    let mut frame = [0; 17];
    frame[2] = 8;
    frame[3] = GOAWAY;
    frame[9..13].copy_from_slice(&last.to_be_bytes());
    frame
}

#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    bytes: Bytes,
}

/// The frames that our own h2 connection writes.
#[derive(Debug)]
struct Frames {
    from_server: ReadHalf<DuplexStream>,
    buf: BytesMut,
}

impl Frames {
    /// The next frame, whole. May be dropped and called again: what was read stays in the buffer.
    async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.buffered() {
                return Ok(Some(frame));
            }
            if self.from_server.read_buf(&mut self.buf).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn buffered(&mut self) -> Option<Frame> {
        let head: [u8; FRAME_HEAD] = *self.buf.first_chunk()?;
        let [len @ .., kind, flags, s0, s1, s2, s3] = head;
        let len = usize::from(len[0]) << 16 | usize::from(len[1]) << 8 | usize::from(len[2]);
        if self.buf.len() < FRAME_HEAD + len {
            return None;
        }
        let stream = u32::from_be_bytes([s0, s1, s2, s3]);
        Some(Frame { kind, flags, stream, bytes: self.buf.split_to(FRAME_HEAD + len).freeze() })
    }
}
