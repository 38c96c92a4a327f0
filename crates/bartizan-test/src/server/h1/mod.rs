//! HTTP/1.1 by hand: a strict reader with limits, and a writer that can stop anywhere.

mod body;
mod connection;
mod head;
mod reply;

use http::StatusCode;

use self::{
    body::Framing,
    connection::{Broken, Connection},
    reply::Then,
};
use super::{Context, Wire};

pub(super) async fn serve(wire: impl Wire, context: Context, number: usize) {
    let mut connection = Connection::new(wire);
    if let Err(Broken::Malformed(status)) = serve_requests(&mut connection, &context, number).await {
        context.log.record_malformed();
        connection.refuse(status).await;
    }
}

/// Serves one request after the other, until the connection is over.
async fn serve_requests<W: Wire>(
    connection: &mut Connection<W>,
    context: &Context,
    number: usize,
) -> Result<(), Broken> {
    loop {
        let request = head::read(connection).await?;
        let (entry, act) = context.decide(&request.parts, number);

        let mut body = Some(request.framing);
        if !act.is_early() || request.framing == Framing::Length(0) {
            if request.expects_continue {
                connection.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            }
            body::read(connection, request.framing, &entry).await?;
            body = None;
        }

        let then = reply::perform(connection, &act, &request, &entry).await?;
        if then == Then::Reset {
            entry.finished();
            connection.reset();
            return Ok(());
        }
        if let Some(framing) = body {
            if request.expects_continue && then != Then::Linger {
                return connection.close().await;
            }
            body::read(connection, framing, &entry).await?;
        }
        match then {
            Then::KeepAlive => {}
            Then::Close => return connection.close().await,
            Then::Linger => return connection.drain().await,
            Then::Reset => unreachable!("a reset returns above"),
        }
    }
}

/// What to answer to bytes that are no request.
const BAD_REQUEST: Broken = Broken::Malformed(StatusCode::BAD_REQUEST);
