//! Keys of Ed25519 (RFC 8032).

use std::sync::Arc;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

#[derive(Clone)]
pub(crate) enum EdKey {
    Public(Arc<VerifyingKey>),
    Pair(Arc<SigningKey>),
}

impl EdKey {
    pub(crate) fn public(bytes: &[u8]) -> Result<Self, &'static str> {
        let bytes = bytes.try_into().map_err(|_| "has not the 32 bytes of a public key of Ed25519")?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| "is no public key of Ed25519")?;
        if key.is_weak() {
            return Err("is a weak key of Ed25519, under which one signature fits many messages");
        }
        Ok(Self::Public(Arc::new(key)))
    }

    /// The 32 bytes of the private key, with those of the public one behind them or without.
    pub(crate) fn pair(bytes: &[u8]) -> Result<Self, &'static str> {
        let key = match bytes.len() {
            32 => SigningKey::from_bytes(bytes.try_into().expect("32 bytes")),
            64 => SigningKey::from_keypair_bytes(bytes.try_into().expect("64 bytes"))
                .map_err(|_| "has a public key that belongs to another private one")?,
            _ => return Err("has neither 32 nor 64 bytes, as a private key of Ed25519"),
        };
        Ok(Self::Pair(Arc::new(key)))
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        match self {
            Self::Public(key) => key.verify_strict(message, &signature).is_ok(),
            Self::Pair(key) => key.verifying_key().verify_strict(message, &signature).is_ok(),
        }
    }

    /// `None` for a public key.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Public(_) => None,
            Self::Pair(key) => Some(key.sign(message).to_vec()),
        }
    }

    pub(crate) fn is_public(&self) -> bool {
        matches!(self, Self::Public(_))
    }
}
