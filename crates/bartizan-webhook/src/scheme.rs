use std::fmt;
use std::time::SystemTime;

use bartizan_core::RequestHead;
use bytes::Bytes;

use crate::{EventId, Fault};

/// How a sender proves that a request is his. [`SignatureFormat`](crate::SignatureFormat) makes one of a table; others are yours to write.
///
/// ```
/// use std::time::SystemTime;
/// use bartizan_core::RequestHead;
/// use bartizan_webhook::{Check, Fault, FaultKind, Proof, Scheme, VerifyLayer};
///
/// /// The body ends with a word that only the sender knows.
/// struct Password(&'static [u8]);
///
/// struct Ending(&'static [u8]);
///
/// impl Scheme for Password {
///     fn name(&self) -> &str {
///         "password"
///     }
///
///     fn begin(&self, _: &RequestHead<'_>, _: SystemTime) -> Result<Box<dyn Check>, Fault> {
///         Ok(Box::new(Ending(self.0)))
///     }
/// }
///
/// impl Check for Ending {
///     fn update(&mut self, _: &[u8]) {}
///
///     fn finish(self: Box<Self>, body: &[u8]) -> Result<Proof, Fault> {
///         if body.ends_with(self.0) { Ok(Proof::default()) } else { Err(FaultKind::Other.into()) }
///     }
/// }
///
/// let layer = VerifyLayer::new(Password(b"open sesame"));
/// # let _ = layer;
/// ```
pub trait Scheme: Send + Sync + 'static {
    /// What it is called in [`Verified`](crate::Verified), logs and metrics.
    fn name(&self) -> &str;

    /// Looks at the head of a request, before its body is read.
    ///
    /// # Errors
    /// If the body need not be read, whatever it is.
    fn begin(&self, request: &RequestHead<'_>, now: SystemTime) -> Result<Box<dyn Check>, Fault>;

    /// The answer to a request that is verified and is not meant for the app: the sender asks whether somebody is there. Most have none.
    fn handshake(&self, body: &Bytes) -> Option<String> {
        let _ = body;
        None
    }
}

/// A request of which the body is still to come.
pub trait Check: Send {
    /// The next piece of the body.
    fn update(&mut self, piece: &[u8]);

    /// The body has ended; here is all of it.
    ///
    /// # Errors
    /// If it was not shown that the sender has sent it.
    fn finish(self: Box<Self>, body: &[u8]) -> Result<Proof, Fault>;
}

/// What a request was verified by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The id of the key.
    pub key_id: Option<String>,
    /// The sender's own name of the event.
    pub event_id: Option<EventId>,
    /// When it was signed, as the sender says under his signature.
    pub signed_at: Option<SystemTime>,
}

impl fmt::Debug for dyn Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
