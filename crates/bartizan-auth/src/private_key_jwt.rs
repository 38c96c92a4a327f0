use std::fmt;

use bartizan_core::BoxError;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey as Ed25519};
use p256::ecdsa::{Signature, SigningKey as P256};

use crate::InvalidCredential;
use crate::oauth::AssertionSigner;

/// A key by which a client proves itself, in PEM as PKCS #8 (`-----BEGIN PRIVATE KEY-----`). Overwritten when it is dropped.
pub struct SigningKey {
    key: Key,
    id: Option<Box<str>>,
}

enum Key {
    P256(Box<P256>),
    Ed25519(Box<Ed25519>),
}

impl SigningKey {
    /// For `ES256` (RFC 7518 section 3.4): ECDSA with P-256 and SHA-256.
    ///
    /// # Errors
    /// If it is no such key.
    pub fn es256(pem: &str) -> Result<Self, InvalidCredential> {
        let key = P256::from_pkcs8_pem(pem)
            .map_err(|_| InvalidCredential::new("a key for ES256", "is a P-256 key in PEM, as PKCS #8"))?;
        Ok(Self { key: Key::P256(Box::new(key)), id: None })
    }

    /// For `EdDSA` (RFC 8037 section 3.1) with Ed25519.
    ///
    /// # Errors
    /// If it is no such key.
    pub fn ed25519(pem: &str) -> Result<Self, InvalidCredential> {
        let key = Ed25519::from_pkcs8_pem(pem)
            .map_err(|_| InvalidCredential::new("a key for EdDSA", "is an Ed25519 key in PEM, as PKCS #8"))?;
        Ok(Self { key: Key::Ed25519(Box::new(key)), id: None })
    }

    /// What the server calls it: `kid`. By default it is found by trying.
    #[must_use]
    pub fn key_id(mut self, id: &str) -> Self {
        self.id = Some(id.into());
        self
    }
}

impl AssertionSigner for SigningKey {
    fn algorithm(&self) -> &str {
        match self.key {
            Key::P256(_) => "ES256",
            Key::Ed25519(_) => "EdDSA",
        }
    }

    fn key_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BoxError> {
        Ok(match &self.key {
            Key::P256(key) => {
                let signature: Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Key::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm())
            .field("key_id", &self.id)
            .finish_non_exhaustive()
    }
}
