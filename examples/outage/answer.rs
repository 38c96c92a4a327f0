//! The body of an answer, which may break off in the middle.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

const TEXT: &[u8] = b"{\"state\":\"accepted\"}";

/// Half of it arrives before a torn answer breaks off: hyper must have had the time to write it.
const TEAR_AFTER: Duration = Duration::from_millis(5);

pub(crate) struct Answer {
    left: Bytes,
    tear: Option<Pin<Box<Sleep>>>,
}

/// The connection ends here.
#[derive(Debug)]
pub(crate) struct Reset;

impl Answer {
    pub(crate) fn whole() -> Self {
        Self { left: Bytes::from_static(TEXT), tear: None }
    }

    pub(crate) fn torn() -> Self {
        Self { tear: Some(Box::pin(sleep(TEAR_AFTER))), ..Self::whole() }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Reset;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Reset>>> {
        let this = self.get_mut();
        let piece = match &mut this.tear {
            None => std::mem::take(&mut this.left),
            Some(_) if this.left.len() == TEXT.len() => this.left.split_to(TEXT.len() / 2),
            Some(tear) => {
                ready!(tear.as_mut().poll(cx));
                return Poll::Ready(Some(Err(Reset)));
            }
        };
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the scenario resets this connection")
    }
}

impl std::error::Error for Reset {}
