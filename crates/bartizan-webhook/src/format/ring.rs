use std::fmt;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::{Algorithm, SecretText, SignatureFormat, Version};
use crate::ed25519::EdKey;
use crate::{InvalidFormat, Key};

/// A format and its keys.
pub(super) struct Keyed {
    pub(super) format: SignatureFormat,
    pub(super) ring: Vec<ReadKey>,
}

impl Keyed {
    pub(super) fn new(
        format: SignatureFormat,
        keys: impl Iterator<Item = Key>,
    ) -> Result<Self, InvalidFormat> {
        let format = format.checked()?;
        let ring = ReadKey::ring(&format, keys)?;
        Ok(Self { format, ring })
    }

    /// Without a secret.
    pub(super) fn show(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.ring.iter().map(|key| &*key.id).collect();
        f.debug_struct(name).field("format", &self.format.name).field("keys", &keys).finish()
    }
}

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
    Pair(EdKey),
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
    fn ring(format: &SignatureFormat, keys: impl Iterator<Item = Key>) -> Result<Vec<Self>, InvalidFormat> {
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
    /// A secret, or a key of a pair: the algorithm and the length tell.
    Any,
    Secret,
    Public,
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
                Some(("whpk", text)) => (Kind::Public, text),
                Some(("whsk", text)) => (Kind::Private, text),
                // Base64 has no underscore: a secret without its prefix, as the senders' own libraries take it.
                None => (Kind::Secret, text),
                Some(_) => return Err("begins with none of `whsec_`, `whpk_` and `whsk_`"),
            };
            let bytes = STANDARD.decode(text).map_err(|_| "is not base64")?;
            Ok((kind, Zeroizing::new(bytes)))
        }
    }
}

/// `None` if the key is meant for another algorithm.
fn make(algorithm: Algorithm, kind: Kind, bytes: &[u8]) -> Result<Option<Material>, &'static str> {
    if let Some(mac) = AnyMac::new(algorithm, bytes) {
        return Ok(matches!(kind, Kind::Any | Kind::Secret).then_some(Material::Mac(mac)));
    }
    let key = match kind {
        Kind::Secret => return Ok(None),
        Kind::Any if bytes.len() == 64 => EdKey::pair(bytes)?,
        Kind::Private => EdKey::pair(bytes)?,
        Kind::Any | Kind::Public => EdKey::public(bytes)?,
    };
    Ok(Some(Material::Pair(key)))
}
