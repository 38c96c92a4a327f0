use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderMap;
use sha2::{Digest, Sha256};

use crate::EventId;

/// What somebody else's API has told us: a webhook that was verified.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use bartizan_webhook::inbox::Event;
///
/// let received = SystemTime::UNIX_EPOCH + Duration::from_secs(1_614_265_330);
/// let event = Event::new("billing", "invoice.paid", received, r#"{"type":"invoice.paid"}"#).with_id("evt_1", true);
/// assert_eq!(event.event_type(), "invoice.paid");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    source: String,
    event_type: String,
    id: Option<EventId>,
    order_key: Option<String>,
    received: SystemTime,
    headers: HeaderMap,
    body: Bytes,
}

/// By what two deliveries are known to be of one event. 32 bytes: the SHA-256 digest of what it is made of.
///
/// That is the source and the id, if the id is signed; the source, the id and the body, if it is not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupeKey([u8; 32]);

impl DedupeKey {
    /// The digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Event {
    /// One of that type, received from `source` at that date. The source is a name of your own for the API and the account: `billing`, `stripe-eu`.
    pub fn new(
        source: impl Into<String>,
        event_type: impl Into<String>,
        received: SystemTime,
        body: impl Into<Bytes>,
    ) -> Self {
        Self {
            source: source.into(),
            event_type: event_type.into(),
            id: None,
            order_key: None,
            received,
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }

    /// With the sender's own name of it. Without one, the default, no two events are known to be the same, and each delivery is processed.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>, is_signed: bool) -> Self {
        self.id = Some(EventId::new(id, is_signed));
        self
    }

    /// Events of one source with the same key are processed one after the other, in the order in which they were put. None by default: then they overtake each
    /// other.
    #[must_use]
    pub fn with_order_key(mut self, key: impl Into<String>) -> Self {
        self.order_key = Some(key.into());
        self
    }

    /// With header fields of the request; none by default.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// Where it comes from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What happened, as the sender calls it: `invoice.paid`. Empty where the sender does not say.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// The sender's own name of it.
    pub fn id(&self) -> Option<&EventId> {
        self.id.as_ref()
    }

    /// What it is kept in order by.
    pub fn order_key(&self) -> Option<&str> {
        self.order_key.as_deref()
    }

    /// When it was received.
    pub fn received(&self) -> SystemTime {
        self.received
    }

    /// The header fields of the request that were kept.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The raw body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// By what an inbox knows that it has it already.
    pub fn dedupe_key(&self) -> Option<DedupeKey> {
        let id = self.id.as_ref()?;
        let mut hasher = Sha256::new();
        // Each part is preceded by its length, so that no two pairs of parts read the same.
        for part in [&*self.source, id.as_str()] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        if !id.is_signed() {
            hasher.update(Sha256::digest(&self.body));
        }
        Some(DedupeKey(hasher.finalize().into()))
    }
}

/// Without the body and the values of the header fields, which may be secret.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("source", &self.source)
            .field("event_type", &self.event_type)
            .field("id", &self.id.as_ref().map(EventId::as_str))
            .field("order_key", &self.order_key)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DedupeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DedupeKey({})", hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_pairs_of_source_and_id_read_the_same() {
        let key = |source: &str, id: &str| {
            Event::new(source, "", SystemTime::UNIX_EPOCH, "").with_id(id, true).dedupe_key()
        };
        assert_eq!(key("ab", "c"), key("ab", "c"));
        assert_ne!(key("ab", "c"), key("a", "bc"));
        assert_ne!(key("ab", "c"), key("c", "ab"));
    }
}
