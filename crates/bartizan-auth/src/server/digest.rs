use std::fmt;
use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{InvalidCredential, Secret};

/// The SHA-256 digest of a secret, which is all that a server has to know of it. Two are compared in a time that does not tell where they differ.
///
/// That is enough for secrets that a machine has made, of 128 bits of chance or more. Whoever reads the digests could guess what a person thinks up: for
/// passwords of people see [`BasicUsers::by`](super::BasicUsers::by).
///
/// ```
/// use bartizan_auth::server::SecretDigest;
///
/// // printf s3cr3t | sha256sum
/// let known = "4e738ca5563c06cfd0018299933d58db1dd8bf97f6973dc99bf6cdc64b5550bd";
/// assert_eq!(SecretDigest::from_hex(known)?, SecretDigest::of("s3cr3t"));
/// # Ok::<(), bartizan_auth::InvalidCredential>(())
/// ```
#[derive(Clone)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// Of an API key or a bearer token.
    pub fn of(secret: impl Into<Secret>) -> Self {
        Self::of_bytes(secret.into().expose().as_bytes())
    }

    /// Of user and password: that of `user:password` in UTF-8.
    ///
    /// # Errors
    /// If the user has a colon, which ends it (RFC 7617 section 2).
    pub fn of_user(user: &str, password: impl Into<Secret>) -> Result<Self, InvalidCredential> {
        if user.contains(':') {
            return Err(InvalidCredential::new("the user of Basic", "has a colon, which ends it"));
        }
        let hasher = Sha256::new().chain_update(user).chain_update(":");
        Ok(Self(hasher.chain_update(password.into().expose()).finalize().into()))
    }

    /// As 64 hexadecimal digits, in upper or lower case.
    ///
    /// # Errors
    /// If it is none.
    pub fn from_hex(digits: &str) -> Result<Self, InvalidCredential> {
        let is_none = || InvalidCredential::new("a digest", "has 64 hexadecimal digits");
        let mut digest = [0; 32];
        if digits.len() != 2 * digest.len() {
            return Err(is_none());
        }
        for (byte, pair) in digest.iter_mut().zip(digits.as_bytes().chunks(2)) {
            for digit in pair {
                *byte = 16 * *byte + hexadecimal(*digit).ok_or_else(is_none)?;
            }
        }
        Ok(Self(digest))
    }

    pub(super) fn of_bytes(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Without a copy of it.
    pub(super) fn of_each(secret: impl Iterator<Item = u8>) -> Self {
        let mut hasher = Sha256::new();
        for byte in secret {
            hasher.update([byte]);
        }
        Self(hasher.finalize().into())
    }
}

fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl PartialEq for SecretDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretDigest {}

impl Hash for SecretDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

/// Not shown: a secret that is short could be guessed by it.
impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(..)")
    }
}
