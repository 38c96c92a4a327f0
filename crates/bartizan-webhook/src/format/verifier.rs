use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bartizan_core::RequestHead;
use bytes::{Bytes, BytesMut};
use http::HeaderValue;

use super::field::{self, Signatures};
use super::ring::{Keyed, Material};
use super::template::Filling;
use super::{Algorithm, Handshake, IdPlace, SignatureFormat};
use crate::member::member;
use crate::{Check, EventId, Fault, FaultKind, InvalidFormat, Key, Proof, Scheme};

/// A [`SignatureFormat`] with the keys of a sender: a [`Scheme`] for [`VerifyLayer`](crate::VerifyLayer).
#[derive(Clone)]
pub struct SignatureVerifier(Arc<Keyed>);

impl SignatureVerifier {
    pub(super) fn new(
        format: SignatureFormat,
        keys: impl Iterator<Item = Key>,
    ) -> Result<Self, InvalidFormat> {
        Keyed::new(format, keys).map(Arc::new).map(Self)
    }
}

impl Keyed {
    /// Whether it is within the window, and which date it is.
    fn date(&self, timestamp: &[u8], now: SystemTime) -> Result<SystemTime, Fault> {
        let seconds = field::seconds(timestamp).ok_or(FaultKind::NoNumber)?;
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        let tolerance = self.format.tolerance.as_secs();
        if seconds < now.saturating_sub(tolerance) {
            return Err(FaultKind::TooOld.into());
        }
        if seconds > now.saturating_add(tolerance) {
            return Err(FaultKind::TooNew.into());
        }
        let date = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        date.ok_or(FaultKind::TooNew.into())
    }
}

impl Scheme for SignatureVerifier {
    fn name(&self) -> &str {
        &self.0.format.name
    }

    fn begin(&self, request: &RequestHead<'_>, now: SystemTime) -> Result<Box<dyn Check>, Fault> {
        let Keyed { format, ring } = &*self.0;
        let only = |name| field::only(request.headers, name);
        let value = only(&format.field)?.ok_or(FaultKind::NoSignature)?;
        let Signatures { found, timestamp } = field::signatures(value.as_bytes(), &format.elements)?;
        let timestamp = match &format.timestamp_field {
            Some(name) => only(name)?.map(HeaderValue::as_bytes),
            None => timestamp,
        };
        let signed_at = if format.template.has_timestamp() {
            Some(self.0.date(timestamp.ok_or(FaultKind::NoTimestamp)?, now)?)
        } else {
            None
        };
        let id = match &format.id {
            Some(IdPlace::Field(name)) => only(name)?,
            _ => None,
        };
        let filling = Filling { id, timestamp, headers: request.headers };
        let (before, after) = format.template.fill(&filling)?;
        let event_id = id.map(|id| Ok::<_, Fault>(EventId::new(field::text(id)?, format.template.has_id())));
        let event_id = event_id.transpose()?;
        let active = ring.iter().enumerate().filter(|(_, key)| key.is_active(now));
        let mut candidates = Vec::new();
        for (nth, key) in active {
            for (algorithm, material) in &key.material {
                if found.iter().any(|(found, _)| found == algorithm) {
                    let mut material = material.clone();
                    if let Material::Mac(mac) = &mut material {
                        mac.update(&before);
                    }
                    candidates.push(Candidate { key: nth, algorithm: *algorithm, material });
                }
            }
        }
        if candidates.is_empty() {
            let is_over = !ring.iter().any(|key| key.is_active(now));
            return Err(if is_over { FaultKind::NoKey } else { FaultKind::NoMatch }.into());
        }
        let verifier = self.0.clone();
        Ok(Box::new(Checking { verifier, candidates, found, before, after, event_id, signed_at }))
    }

    fn handshake(&self, body: &Bytes) -> Option<String> {
        match self.0.format.handshake? {
            Handshake::Slack => {
                // Events are many, and this is once.
                let is_one = body.starts_with(b"{") && member(body, "/type")? == "url_verification";
                is_one.then(|| member(body, "/challenge"))?
            }
        }
    }
}

struct Checking {
    verifier: Arc<Keyed>,
    candidates: Vec<Candidate>,
    found: Vec<(Algorithm, Vec<u8>)>,
    before: BytesMut,
    after: BytesMut,
    event_id: Option<EventId>,
    signed_at: Option<SystemTime>,
}

/// A key that may have made a signature.
struct Candidate {
    key: usize,
    algorithm: Algorithm,
    material: Material,
}

impl Checking {
    fn matching(&mut self, body: &[u8]) -> Option<usize> {
        let Self { candidates, found, before, after, .. } = self;
        // Of what one key of a pair needs the other ones have no use for another copy.
        let message = OnceCell::new();
        candidates.iter_mut().find_map(|Candidate { key, algorithm, material }| {
            let mut of_this = found.iter().filter(|(found, _)| found == algorithm);
            let is_it = match material {
                Material::Mac(mac) => {
                    mac.update(after);
                    of_this.any(|(_, signature)| mac.is(signature))
                }
                Material::Pair(pair) => {
                    let message = message.get_or_init(|| [before, body, after].concat());
                    of_this.any(|(_, signature)| pair.verifies(message, signature))
                }
            };
            is_it.then_some(*key)
        })
    }
}

impl Check for Checking {
    fn update(&mut self, piece: &[u8]) {
        for Candidate { material, .. } in &mut self.candidates {
            if let Material::Mac(mac) = material {
                mac.update(piece);
            }
        }
    }

    fn finish(mut self: Box<Self>, body: &[u8]) -> Result<Proof, Fault> {
        let key = self.matching(body).ok_or(FaultKind::NoMatch)?;
        let Keyed { format, ring } = &*self.verifier;
        let event_id = match &format.id {
            Some(IdPlace::Body(pointer)) => member(body, pointer).map(|id| EventId::new(id, true)),
            _ => self.event_id,
        };
        Ok(Proof { key_id: Some(ring[key].id.clone()), event_id, signed_at: self.signed_at })
    }
}

impl fmt::Debug for SignatureVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show("SignatureVerifier", f)
    }
}
