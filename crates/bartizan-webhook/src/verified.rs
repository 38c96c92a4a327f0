use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{EventId, Proof};

/// What [`VerifyLayer`](crate::VerifyLayer) knows of a request, in the request's extensions.
#[derive(Clone)]
pub struct Verified(Arc<Facts>);

struct Facts {
    scheme: String,
    proof: Proof,
    body: Bytes,
    body_hash: OnceLock<[u8; 32]>,
}

impl Verified {
    /// For tests of what stands inside of the layer.
    pub fn new(scheme: impl Into<String>, proof: Proof, body: Bytes) -> Self {
        Self(Arc::new(Facts { scheme: scheme.into(), proof, body, body_hash: OnceLock::new() }))
    }

    /// The name of the scheme: `stripe`.
    pub fn scheme(&self) -> &str {
        &self.0.scheme
    }

    /// The id of the key that made the signature.
    pub fn key_id(&self) -> Option<&str> {
        self.0.proof.key_id.as_deref()
    }

    /// The sender's own name of the event, and whether it is signed.
    pub fn event_id(&self) -> Option<&EventId> {
        self.0.proof.event_id.as_ref()
    }

    /// When it was signed, to the second, under the signature.
    pub fn signed_at(&self) -> Option<SystemTime> {
        self.0.proof.signed_at
    }

    /// The body that was verified.
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// Its SHA-256 digest, made when it is asked for.
    pub fn body_hash(&self) -> &[u8; 32] {
        self.0.body_hash.get_or_init(|| Sha256::digest(&self.0.body).into())
    }
}

/// Without the body.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("scheme", &self.scheme())
            .field("key_id", &self.key_id())
            .field("event_id", &self.event_id())
            .field("signed_at", &self.signed_at())
            .field("body_bytes", &self.0.body.len())
            .finish()
    }
}
