//! Proofs that a client signs: RFC 7523, as `private_key_jwt` of OpenID Connect Core 1.0 section 9.

use std::time::{Duration, SystemTime};

use bartizan_core::BoxError;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::json;

use super::random::random;
use crate::Secret;

/// What signs the proofs of a client: a key of `SigningKey` (feature `private-key-jwt`), or what a key store does for you.
pub trait AssertionSigner: Send + Sync + 'static {
    /// Its name as `alg` (RFC 7518 section 3.1): `ES256`, `EdDSA`, `RS256`.
    fn algorithm(&self) -> &str;

    /// What the server calls the key: `kid`. By default it has to find it by trying.
    fn key_id(&self) -> Option<&str> {
        None
    }

    /// Signs, as RFC 7515 has the signature: of ES256 the two numbers, 64 bytes.
    ///
    /// # Errors
    /// If it cannot. The request is not sent then.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BoxError>;
}

/// From one clock to the other, and on the way.
const LIFETIME: Duration = Duration::from_secs(60);

/// A proof that `client_id` asks `audience` now.
pub(super) fn assertion(
    signer: &dyn AssertionSigner,
    client_id: &str,
    audience: &str,
    now: SystemTime,
) -> Result<Secret, BoxError> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let header = match signer.key_id() {
        None => json!({ "alg": signer.algorithm(), "typ": "JWT" }),
        Some(id) => json!({ "alg": signer.algorithm(), "typ": "JWT", "kid": id }),
    };
    let claims = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": random()?.expose(),
        "iat": now,
        "exp": now + LIFETIME.as_secs(),
    });
    let encode = |part: String| BASE64_URL_SAFE_NO_PAD.encode(part);
    let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signer.sign(signed.as_bytes())?);
    Ok(Secret::from(format!("{signed}.{signature}")))
}
