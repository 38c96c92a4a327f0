//! HTTP/2 with the `h2` crate, behind a pump that passes its frames on one at a time.
//!
//! The crate offers no GOAWAY that disowns a stream, no end of the sending side, and no way to learn that a frame has
//! left; the pump does all three.

mod pump;
mod stream;

use std::collections::HashMap;

use bytes::Bytes;
use http::Request;
use tokio::{
    sync::mpsc,
    task::{self, AbortHandle, JoinSet},
};

use self::{pump::Pump, stream::Stream};
use super::{Act, Context, PIPE, Wire, log::Entry};

const MAX_HEADER_LIST: u32 = 64 * 1024;

/// What a stream asks of its connection.
#[derive(Debug)]
enum Order {
    /// Disown this stream and all above it, finish those below, end.
    Goaway(u32),
    HalfClose,
    Close,
}

pub(super) async fn serve(wire: impl Wire, context: Context, number: usize) {
    let (near, far) = tokio::io::duplex(PIPE);
    let (pump, pumping) = Pump::start(wire, far);
    let mut handshake = ::h2::server::Builder::new();
    handshake.max_header_list_size(MAX_HEADER_LIST);
    match handshake.handshake(near).await {
        Ok(h2) => Connection::new(h2, context, number, pump).serve().await,
        Err(error) => record_malformed(&context, &error),
    }
    // The pump ends by itself once it has passed on what is left.
    pumping.finish().await;
}

fn record_malformed(context: &Context, error: &::h2::Error) {
    if error.is_library() {
        context.log.record_malformed();
    }
}

struct Connection {
    h2: ::h2::server::Connection<tokio::io::DuplexStream, Bytes>,
    context: Context,
    number: usize,
    pump: Pump,
    streams: JoinSet<()>,
    running: HashMap<task::Id, Running>,
    orders: (mpsc::UnboundedSender<Order>, mpsc::UnboundedReceiver<Order>),
    /// The last stream that is carried out, once there was a GOAWAY.
    last: Option<u32>,
}

struct Running {
    id: u32,
    entry: Entry,
    abort: AbortHandle,
}

impl Connection {
    fn new(
        h2: ::h2::server::Connection<tokio::io::DuplexStream, Bytes>,
        context: Context,
        number: usize,
        pump: Pump,
    ) -> Self {
        Self {
            h2,
            context,
            number,
            pump,
            streams: JoinSet::new(),
            running: HashMap::new(),
            orders: mpsc::unbounded_channel(),
            last: None,
        }
    }

    async fn serve(mut self) {
        while self.last.is_none() || !self.running.is_empty() {
            tokio::select! {
                accepted = self.h2.accept() => match accepted {
                    Some(Ok((request, respond))) => self.accept(request, respond),
                    Some(Err(error)) => return record_malformed(&self.context, &error),
                    None => return,
                },
                Some(order) = self.orders.1.recv() => match order {
                    Order::Goaway(stream) => self.go_away(stream),
                    Order::HalfClose => self.pump.half_close(),
                    Order::Close => return,
                },
                Some(ended) = self.streams.join_next_with_id() => {
                    let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    self.running.remove(&id);
                }
            }
        }
    }

    fn accept(&mut self, request: Request<::h2::RecvStream>, respond: ::h2::server::SendResponse<Bytes>) {
        let id = respond.stream_id().as_u32();
        let (head, body) = request.into_parts();
        if self.last.is_some_and(|last| id > last) {
            // On its way when the GOAWAY was sent: disowned like the stream that led to it.
            let entry = self.context.log.arrived(&head, self.number, self.context.started);
            entry.decided(&Act::goaway());
            entry.unprocessed();
            return;
        }
        let (entry, act) = self.context.decide(&head, self.number);
        let stream = Stream {
            id,
            method: head.method,
            act,
            entry: entry.clone(),
            sent: self.pump.sent(),
            orders: self.orders.0.clone(),
        };
        let abort = self.streams.spawn(stream.run(body, respond));
        self.running.insert(abort.id(), Running { id, entry, abort });
    }

    fn go_away(&mut self, stream: u32) {
        // Client streams have odd numbers, and 0 stands for none.
        let last = stream.saturating_sub(2);
        if self.last.is_some_and(|before| before <= last) {
            return;
        }
        self.last = Some(last);
        self.pump.go_away(last);
        for running in self.running.values().filter(|running| running.id > last) {
            running.entry.unprocessed();
            running.abort.abort();
        }
    }
}
