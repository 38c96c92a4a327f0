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

#[cfg(test)]
mod tests {
    use ed25519_dalek::Verifier;
    use p256::pkcs8::{EncodePrivateKey, LineEnding};

    use super::*;

    fn p256() -> P256 {
        P256::from_slice(&[7; 32]).unwrap()
    }

    fn p256_pem() -> impl std::ops::Deref<Target = String> {
        p256::SecretKey::from(p256()).to_pkcs8_pem(LineEnding::LF).unwrap()
    }

    fn ed25519() -> Ed25519 {
        Ed25519::from_bytes(&[7; 32])
    }

    #[test]
    fn what_is_signed_is_verified_with_the_public_key() {
        let key = SigningKey::es256(&p256_pem()).unwrap().key_id("k1");
        let signature = key.sign(b"message").unwrap();
        assert_eq!(
            (key.algorithm(), AssertionSigner::key_id(&key), signature.len()),
            ("ES256", Some("k1"), 64)
        );
        p256().verifying_key().verify(b"message", &Signature::from_slice(&signature).unwrap()).unwrap();

        let key = SigningKey::ed25519(&ed25519().to_pkcs8_pem(LineEnding::LF).unwrap()).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert_eq!((key.algorithm(), AssertionSigner::key_id(&key), signature.len()), ("EdDSA", None, 64));
        ed25519().verifying_key().verify(b"message", &signature[..].try_into().unwrap()).unwrap();
    }

    #[test]
    fn what_is_no_such_key_is_refused_without_repeating_it() {
        let (p256, ed25519) = (p256_pem(), ed25519().to_pkcs8_pem(LineEnding::LF).unwrap());
        for (key, pem) in [(SigningKey::es256(&ed25519), "ES256"), (SigningKey::ed25519(&p256), "EdDSA")] {
            assert!(key.unwrap_err().to_string().contains(pem));
        }
        for bad in ["", "s3cr3t", "-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----\n"] {
            for refused in [SigningKey::es256(bad), SigningKey::ed25519(bad)] {
                assert!(!refused.unwrap_err().to_string().contains("s3cr3t"));
            }
        }
    }

    #[test]
    fn a_key_prints_no_secret() {
        let key = SigningKey::ed25519(&ed25519().to_pkcs8_pem(LineEnding::LF).unwrap()).unwrap().key_id("k1");
        assert_eq!(format!("{key:?}"), "SigningKey { algorithm: \"EdDSA\", key_id: Some(\"k1\"), .. }");
    }
}
