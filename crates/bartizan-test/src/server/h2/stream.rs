use std::{future, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream, server::SendResponse};
use http::{HeaderValue, Method, Response, header};
use tokio::sync::mpsc;

use super::{Order, pump::Sent};
use crate::server::{
    act::{Act, Kind},
    log::Entry,
};

/// The client reset the stream, or the connection is over.
struct Gone;

impl From<h2::Error> for Gone {
    fn from(_: h2::Error) -> Self {
        Self
    }
}

/// One request and the act it meets.
pub(super) struct Stream {
    pub(super) id: u32,
    pub(super) method: Method,
    pub(super) act: Act,
    pub(super) entry: Entry,
    pub(super) sent: Arc<Sent>,
    pub(super) orders: mpsc::UnboundedSender<Order>,
}

impl Stream {
    pub(super) async fn run(self, body: RecvStream, respond: SendResponse<Bytes>) {
        self.sent.track(self.id);
        // An error means that the client left, and the log shows it by what is not set.
        if self.act.is_early() {
            let _ = tokio::join!(biased; self.read(body), self.perform(respond));
        } else if self.read(body).await.is_ok() {
            let _ = self.perform(respond).await;
        }
        self.sent.forget(self.id);
    }

    async fn read(&self, mut body: RecvStream) -> Result<(), Gone> {
        while let Some(data) = body.data().await {
            let data = data?;
            self.entry.body(&data);
            body.flow_control().release_capacity(data.len())?;
        }
        let trailers = body.trailers().await?;
        self.entry.complete(trailers);
        Ok(())
    }

    async fn perform(&self, mut respond: SendResponse<Bytes>) -> Result<(), Gone> {
        self.pause(self.act.delay, &mut respond).await?;
        match self.act.kind {
            Kind::Hang => {}
            Kind::Reset => {
                self.entry.finished();
                respond.send_reset(Reason::INTERNAL_ERROR);
                self.reset_was_sent().await;
                return Ok(());
            }
            Kind::RefuseStream => {
                self.entry.unprocessed();
                self.entry.finished();
                respond.send_reset(Reason::REFUSED_STREAM);
                self.reset_was_sent().await;
                return Ok(());
            }
            Kind::Goaway => {
                self.entry.unprocessed();
                self.order(Order::Goaway(self.id));
            }
            Kind::HalfClose => self.order(Order::HalfClose),
            Kind::Close => self.order(Order::Close),
            Kind::Reply | Kind::ResetAfterHead | Kind::ResetMidBody(_) => return self.answer(respond).await,
        }
        // The connection ends the stream, or the client does.
        future::poll_fn(|cx| respond.poll_reset(cx)).await?;
        Err(Gone)
    }

    async fn answer(&self, mut respond: SendResponse<Bytes>) -> Result<(), Gone> {
        for status in &self.act.interim {
            let mut interim = Response::new(());
            *interim.status_mut() = *status;
            respond.send_informational(interim)?;
        }
        let head = self.head();
        if let Some(gap) = self.act.slow_head {
            let lines = u32::try_from(head.headers().len() + 1).unwrap_or(u32::MAX);
            self.pause(gap.saturating_mul(lines), &mut respond).await?;
        }

        let announced = self.act.announced_body();
        let body = match self.act.kind {
            Kind::ResetAfterHead => Bytes::new(),
            Kind::ResetMidBody(after_bytes) => announced.slice(..after_bytes),
            _ if self.act.has_body(&self.method) => announced,
            _ => Bytes::new(),
        };
        let breaks_off = self.act.kind != Kind::Reply;
        let ends_with_head = !breaks_off && body.is_empty() && self.act.trailers.is_none();
        let heads = self.act.interim.len() + 1;
        let body_len = body.len();

        let mut stream = respond.send_response(head, ends_with_head)?;
        if !ends_with_head {
            let ends_with_body = !breaks_off && self.act.trailers.is_none();
            self.send_body(&mut stream, body, ends_with_body).await?;
        }
        if breaks_off {
            let sent = self.sent.until(self.id, |sent| sent.heads >= heads && sent.data >= body_len);
            or_gone(sent, &mut stream).await?;
            self.entry.finished();
            stream.send_reset(Reason::INTERNAL_ERROR);
            self.reset_was_sent().await;
            return Ok(());
        }
        if let Some(trailers) = &self.act.trailers {
            stream.send_trailers(trailers.clone())?;
        }
        or_gone(self.sent.until(self.id, |sent| sent.ended), &mut stream).await?;
        self.entry.finished();
        if self.act.then_close {
            self.order(Order::Close);
        }
        Ok(())
    }

    fn head(&self) -> Response<()> {
        let mut head = Response::new(());
        *head.status_mut() = self.act.status;
        *head.headers_mut() = self.act.headers.clone();
        for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE] {
            head.headers_mut().remove(name);
        }
        for name in ["keep-alive", "proxy-connection"] {
            head.headers_mut().remove(name);
        }
        let declared = match self.act.content_length {
            Some(declared) => Some(declared),
            None if self.act.chunked
                || self.act.headers.contains_key(header::CONTENT_LENGTH)
                || self.act.status == http::StatusCode::NO_CONTENT =>
            {
                None
            }
            None => Some(self.act.announced_body().len() as u64),
        };
        if let Some(declared) = declared {
            head.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(declared));
        }
        head
    }

    async fn send_body(&self, stream: &mut SendStream<Bytes>, body: Bytes, end: bool) -> Result<(), Gone> {
        let (piece_len, gap) = self.act.slow_body.unwrap_or((body.len().max(1), Duration::ZERO));
        let mut left = body;
        while !left.is_empty() {
            if !gap.is_zero() {
                or_gone(tokio::time::sleep(gap), stream).await?;
            }
            let mut piece = left.split_to(piece_len.min(left.len()));
            while !piece.is_empty() {
                stream.reserve_capacity(piece.len());
                let capacity = future::poll_fn(|cx| stream.poll_capacity(cx)).await.ok_or(Gone)??;
                let part = piece.split_to(capacity.min(piece.len()));
                let is_last = end && piece.is_empty() && left.is_empty();
                stream.send_data(part, is_last)?;
            }
        }
        Ok(())
    }

    /// Lets time pass, unless the client resets the stream meanwhile.
    async fn pause(&self, pause: Duration, respond: &mut SendResponse<Bytes>) -> Result<(), Gone> {
        if pause.is_zero() {
            return Ok(());
        }
        tokio::select! {
            biased;
            () = tokio::time::sleep(pause) => Ok(()),
            _ = future::poll_fn(|cx| respond.poll_reset(cx)) => Err(Gone),
        }
    }

    /// Until then a GOAWAY may still disown this stream, and the client would never see the reset.
    async fn reset_was_sent(&self) {
        self.sent.until(self.id, |sent| sent.ended).await;
    }

    fn order(&self, order: Order) {
        self.entry.finished();
        // A connection that is over carries out nothing more.
        let _ = self.orders.send(order);
    }
}

/// Waits for `done`, unless the client resets the stream first.
async fn or_gone(done: impl Future<Output = ()>, stream: &mut SendStream<Bytes>) -> Result<(), Gone> {
    tokio::select! {
        biased;
        () = done => Ok(()),
        _ = future::poll_fn(|cx| stream.poll_reset(cx)) => Err(Gone),
    }
}
