use std::fmt;
use std::time::{Duration, SystemTime};

use bartizan_core::BoxError;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey as Ed25519};
use p256::ecdsa::{Signature, SigningKey as P256};
use serde_json::json;

use crate::oauth::{Assertion, Claims, ClientAuth, random};
use crate::{InvalidCredential, Secret};

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

    fn algorithm(&self) -> &'static str {
        match self.key {
            Key::P256(_) => "ES256",
            Key::Ed25519(_) => "EdDSA",
        }
    }

    fn sign_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::P256(key) => {
                let signature: Signature = key.sign(bytes);
                signature.to_bytes().to_vec()
            }
            Key::Ed25519(key) => key.sign(bytes).to_bytes().to_vec(),
        }
    }
}

impl ClientAuth {
    /// By a token that is signed for each request: `private_key_jwt` of OpenID Connect Core 1.0 section 9, by RFC 7523. It is made out to the issuer, or to the
    /// token endpoint where no issuer is known, and good for a minute.
    pub fn private_key_jwt(key: SigningKey) -> Self {
        Self::assertion(key)
    }
}

/// From one clock to the other, and on the way.
const LIFETIME: Duration = Duration::from_secs(60);

impl Assertion for SigningKey {
    fn sign(&self, claims: &Claims<'_>) -> Result<Secret, BoxError> {
        let now = claims.now.duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let header = match &self.id {
            None => json!({ "alg": self.algorithm(), "typ": "JWT" }),
            Some(id) => json!({ "alg": self.algorithm(), "typ": "JWT", "kid": id }),
        };
        let claims = json!({
            "iss": claims.client_id,
            "sub": claims.client_id,
            "aud": claims.audience,
            "jti": random()?.expose(),
            "iat": now,
            "exp": now + LIFETIME.as_secs(),
        });
        let encode = |part: String| BASE64_URL_SAFE_NO_PAD.encode(part);
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.sign_bytes(signed.as_bytes()));
        Ok(Secret::from(format!("{signed}.{signature}")))
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
