use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
#[cfg(feature = "ed25519")]
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use std::time::SystemTime;
use zeroize::Zeroizing;

use super::{Algorithm, SecretText, SignatureFormat, Version};
use crate::{InvalidFormat, Key};

/// A key that was read, under an algorithm.
pub(super) struct ReadKey {
    pub(super) id: String,
    pub(super) not_after: Option<SystemTime>,
    /// One for each version of the format that it fits.
    pub(super) material: Vec<(Algorithm, Material)>,
}

#[derive(Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "the large one is what most keys are, and is copied for each request"
)]
pub(super) enum Material {
    /// The state after the key: two blocks less for each request.
    Mac(AnyMac),
    #[cfg(feature = "ed25519")]
    Verifying(Box<VerifyingKey>),
    #[cfg(feature = "ed25519")]
    Signing(Box<SigningKey>),
}

#[derive(Clone)]
pub(super) enum AnyMac {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl AnyMac {
    fn new(algorithm: Algorithm, key: &[u8]) -> Option<Self> {
        const ANY: &str = "HMAC takes keys of any length";
        match algorithm {
            Algorithm::HmacSha1 => Some(Self::Sha1(Hmac::new_from_slice(key).expect(ANY))),
            Algorithm::HmacSha256 => Some(Self::Sha256(Hmac::new_from_slice(key).expect(ANY))),
            Algorithm::HmacSha512 => Some(Self::Sha512(Hmac::new_from_slice(key).expect(ANY))),
            #[cfg(feature = "ed25519")]
            Algorithm::Ed25519 => None,
        }
    }

    pub(super) fn update(&mut self, piece: &[u8]) {
        match self {
            Self::Sha1(mac) => mac.update(piece),
            Self::Sha256(mac) => mac.update(piece),
            Self::Sha512(mac) => mac.update(piece),
        }
    }

    /// In a time that does not tell where they differ.
    pub(super) fn is(&self, signature: &[u8]) -> bool {
        match self.clone() {
            Self::Sha1(mac) => mac.verify_slice(signature).is_ok(),
            Self::Sha256(mac) => mac.verify_slice(signature).is_ok(),
            Self::Sha512(mac) => mac.verify_slice(signature).is_ok(),
        }
    }

    pub(super) fn signature(self) -> Vec<u8> {
        match self {
            Self::Sha1(mac) => mac.finalize().into_bytes().to_vec(),
            Self::Sha256(mac) => mac.finalize().into_bytes().to_vec(),
            Self::Sha512(mac) => mac.finalize().into_bytes().to_vec(),
        }
    }
}

impl ReadKey {
    /// Of the ring of a format.
    pub(super) fn ring(
        format: &SignatureFormat,
        keys: impl Iterator<Item = Key>,
    ) -> Result<Vec<Self>, InvalidFormat> {
        let mut ring: Vec<Self> = Vec::new();
        for (nth, key) in keys.enumerate() {
            let id = key.id.clone().unwrap_or_else(|| (nth + 1).to_string());
            let invalid = |why| InvalidFormat::new(&format.name, format!("the key {id:?}"), why);
            if ring.iter().any(|other| other.id == id) {
                return Err(invalid("has the id of another one"));
            }
            let material = read(&key.text, format.secret, &format.elements.versions).map_err(invalid)?;
            ring.push(Self { id, not_after: key.not_after, material });
        }
        if ring.is_empty() {
            return Err(InvalidFormat::new(&format.name, "the ring of keys", "is empty"));
        }
        Ok(ring)
    }

    pub(super) fn is_active(&self, now: SystemTime) -> bool {
        self.not_after.is_none_or(|date| now <= date)
    }
}

/// What a text may be the key of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A secret, or a key of a pair: the algorithm tells.
    Any,
    Secret,
    #[cfg(feature = "ed25519")]
    Public,
    #[cfg(feature = "ed25519")]
    Private,
}

fn read(
    text: &str,
    secret: SecretText,
    versions: &[Version],
) -> Result<Vec<(Algorithm, Material)>, &'static str> {
    if text.is_empty() {
        return Err("is empty");
    }
    if text.trim() != text {
        return Err("begins or ends with white space");
    }
    let (kind, bytes) = bytes(text, secret)?;
    if bytes.is_empty() {
        return Err("is empty");
    }
    let mut material: Vec<(Algorithm, Material)> = Vec::new();
    for Version { algorithm, .. } in versions {
        if material.iter().all(|(known, _)| known != algorithm)
            && let Some(made) = make(*algorithm, kind, &bytes)?
        {
            material.push((*algorithm, made));
        }
    }
    if material.is_empty() { Err("fits none of the algorithms") } else { Ok(material) }
}

fn bytes(text: &str, secret: SecretText) -> Result<(Kind, Zeroizing<Vec<u8>>), &'static str> {
    match secret {
        SecretText::Plain => Ok((Kind::Any, Zeroizing::new(text.as_bytes().to_vec()))),
        SecretText::Hex => {
            let bytes = hex::decode(text).map_err(|_| "is not hexadecimal")?;
            Ok((Kind::Any, Zeroizing::new(bytes)))
        }
        SecretText::Prefixed => {
            let (kind, text) = match text.split_once('_') {
                Some(("whsec", text)) => (Kind::Secret, text),
                #[cfg(feature = "ed25519")]
                Some(("whpk", text)) => (Kind::Public, text),
                #[cfg(feature = "ed25519")]
                Some(("whsk", text)) => (Kind::Private, text),
                #[cfg(not(feature = "ed25519"))]
                Some(("whpk" | "whsk", _)) => return Err("is of Ed25519, which needs the feature `ed25519`"),
                _ => return Err("begins with none of `whsec_`, `whpk_` and `whsk_`"),
            };
            let bytes = STANDARD.decode(text).map_err(|_| "is not base64")?;
            Ok((kind, Zeroizing::new(bytes)))
        }
    }
}

fn make(algorithm: Algorithm, kind: Kind, bytes: &[u8]) -> Result<Option<Material>, &'static str> {
    if let Some(mac) = AnyMac::new(algorithm, bytes) {
        return Ok(matches!(kind, Kind::Any | Kind::Secret).then_some(Material::Mac(mac)));
    }
    #[cfg(feature = "ed25519")]
    match (kind, bytes.len()) {
        (Kind::Secret, _) => Ok(None),
        (Kind::Any | Kind::Public, 32) => {
            let bytes = bytes.try_into().expect("32 bytes");
            let key = VerifyingKey::from_bytes(bytes).map_err(|_| "is no public key")?;
            if key.is_weak() {
                return Err("is a weak public key");
            }
            Ok(Some(Material::Verifying(Box::new(key))))
        }
        // With the public key behind it, or without.
        (Kind::Any | Kind::Private, 64) => {
            let bytes = bytes.try_into().expect("64 bytes");
            let key = SigningKey::from_keypair_bytes(bytes).map_err(|_| "is no pair of keys")?;
            Ok(Some(Material::Signing(Box::new(key))))
        }
        (Kind::Private, 32) => {
            let key = SigningKey::from_bytes(bytes.try_into().expect("32 bytes"));
            Ok(Some(Material::Signing(Box::new(key))))
        }
        _ => Err("has another length than a key of Ed25519"),
    }
    #[cfg(not(feature = "ed25519"))]
    Ok(None)
}

#[cfg(feature = "ed25519")]
impl Material {
    pub(super) fn is(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        match self {
            Self::Mac(_) => false,
            Self::Verifying(key) => key.verify_strict(message, &signature).is_ok(),
            Self::Signing(key) => key.verifying_key().verify_strict(message, &signature).is_ok(),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Signing(key) => Some(key.sign(message).to_vec()),
            Self::Mac(_) | Self::Verifying(_) => None,
        }
    }
}

impl fmt::Debug for ReadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadKey").field("id", &self.id).finish_non_exhaustive()
    }
}
