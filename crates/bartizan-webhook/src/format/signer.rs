use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::ring::{Keyed, Material, ReadKey};
use super::template::Filling;
use super::{IdPlace, SignatureFormat, field};
use crate::{Fault, FaultKind, InvalidFormat, Key};

/// A [`SignatureFormat`] with keys to sign with, for [`SignLayer`](crate::SignLayer).
#[derive(Clone)]
pub struct Signer(Arc<Keyed>);

impl Signer {
    pub(super) fn new(
        format: SignatureFormat,
        keys: impl Iterator<Item = Key>,
    ) -> Result<Self, InvalidFormat> {
        let keyed = Keyed::new(format, keys)?;
        let Keyed { format, ring } = &keyed;
        if ring.len() > 1 && format.elements.separator.is_none() {
            let what = "the ring of keys";
            return Err(InvalidFormat::new(
                &format.name,
                what,
                "has several, and nothing separates signatures",
            ));
        }
        let is_public = |key: &&ReadKey| matches!(&key.material[0].1, Material::Pair(key) if key.is_public());
        if let Some(key) = ring.iter().find(is_public) {
            let what = format!("the key {:?}", key.id);
            return Err(InvalidFormat::new(&format.name, what, "is public, and signs nothing"));
        }
        Ok(Self(Arc::new(keyed)))
    }

    /// The header field of the event's id, if there is one.
    pub(crate) fn id_field(&self) -> Option<&HeaderName> {
        match &self.0.format.id {
            Some(IdPlace::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// Puts the timestamp and the signatures of `body` into the header fields of a request, in the place of those that are there. The id, and other fields that are
    /// signed, have to be there.
    ///
    /// # Errors
    /// If a field that is signed is not there, or all keys have ended.
    pub fn sign(&self, headers: &mut HeaderMap, body: &[u8], now: SystemTime) -> Result<(), SignError> {
        let Keyed { format, ring } = &*self.0;
        let fault = |fault: Fault| SignError { format: format.name.clone(), fault };
        let since = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let seconds = since.to_string();
        let id = match self.id_field() {
            Some(name) => field::only(headers, name).map_err(fault)?,
            None => None,
        };
        let filling = Filling { id, timestamp: Some(seconds.as_bytes()), headers };
        let (before, after) = format.template.fill(&filling).map_err(fault)?;
        let mut elements = Vec::new();
        if let Some(prefix) = &format.elements.timestamp {
            elements.push(format!("{prefix}{seconds}"));
        }
        let mut is_signed = false;
        for key in ring.iter().filter(|key| key.is_active(now)) {
            // The first version that the key fits.
            let (algorithm, material) = &key.material[0];
            let signature = sign(material, &before, body, &after);
            let version = format.elements.versions.iter().find(|version| version.algorithm == *algorithm);
            let prefix = version.map_or("", |version| &version.prefix);
            elements.push(format!("{prefix}{}", field::encode(&signature, format.elements.encoding)));
            is_signed = true;
        }
        if !is_signed {
            return Err(fault(FaultKind::NoKey.into()));
        }
        let separator = format.elements.separator.map(String::from).unwrap_or_default();
        let value = HeaderValue::try_from(elements.join(&separator));
        headers.insert(&format.field, value.map_err(|_| fault(FaultKind::NotText.into()))?);
        if let Some(name) = &format.timestamp_field {
            headers.insert(name, HeaderValue::from(since));
        }
        Ok(())
    }
}

fn sign(material: &Material, before: &BytesMut, body: &[u8], after: &BytesMut) -> Vec<u8> {
    match material {
        Material::Mac(mac) => {
            let mut mac = mac.clone();
            [before, body, after].into_iter().for_each(|piece| mac.update(piece));
            mac.signature()
        }
        Material::Pair(key) => key.sign(&[before, body, after].concat()).expect("the ring has no public key"),
    }
}

/// A request that cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignError {
    format: String,
    fault: Fault,
}

impl SignError {
    /// What is wrong.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request cannot be signed as {:?} has it", self.format)
    }
}

impl Error for SignError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.fault)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show("Signer", f)
    }
}
