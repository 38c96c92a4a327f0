use std::fmt;
use std::sync::Arc;

use bartizan_core::RequestHead;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use zeroize::Zeroizing;

use super::credentials::credentials;
use super::{Challenge, Denial, Principal, Principals, Realm, SecretDigest, Verifier};
use crate::Secret;

/// Knows callers by user and password in `Authorization: Basic`, as RFC 7617 has it: in UTF-8, byte for byte, and the first colon ends the user.
///
/// What cannot be read is answered as a wrong password is, by a 401 (RFC 9110 section 11.4) that asks for UTF-8: it may be a good password in another
/// encoding.
///
/// ```
/// use bartizan_auth::server::{BasicUsers, Principals, Realm, SecretDigest, VerifyLayer};
///
/// // Of a password that was made by a machine: printf 'metrics:0f9c...' | sha256sum
/// let digest = SecretDigest::of_user("metrics", "0f9c2d1e8b7a46553c21")?;
/// let users = BasicUsers::new(Principals::new([(digest, "metrics")]));
/// let layer = VerifyLayer::new(users).realm(Realm::new("metrics")?).respond();
/// # let _ = layer;
/// # Ok::<(), bartizan_auth::InvalidCredential>(())
/// ```
#[derive(Clone)]
pub struct BasicUsers(Known);

#[derive(Clone)]
enum Known {
    ByDigest(Principals),
    By(Arc<Check>),
}

type Check = dyn Fn(&str, &Secret) -> Option<Principal> + Send + Sync;

impl BasicUsers {
    /// By digests as of [`SecretDigest::of_user`], for passwords that a machine has made. A user whom nobody knows takes as long as one
    /// with a wrong password.
    pub fn new(principals: Principals) -> Self {
        Self(Known::ByDigest(principals))
    }

    /// By what a closure says of user and password, for passwords that people think up: those want a slow hash with a salt, such as Argon2, and the same
    /// work for a user whom nobody knows.
    ///
    /// It runs on the thread that polls the call, and whatever else that thread has to do waits meanwhile. Where the hash takes more than a millisecond keep
    /// what was verified for a while, or verify in a layer of your own on other threads.
    pub fn by<C>(check: C) -> Self
    where
        C: Fn(&str, &Secret) -> Option<Principal> + Send + Sync + 'static,
    {
        Self(Known::By(Arc::new(check)))
    }

    fn who(&self, pair: &str) -> Option<Principal> {
        let (user, password) = pair.split_once(':')?;
        // RFC 7617 section 2.
        if pair.chars().any(char::is_control) {
            return None;
        }
        match &self.0 {
            // Of settings that were empty somebody may have made the digest.
            Known::ByDigest(_) if user.is_empty() && password.is_empty() => None,
            Known::ByDigest(principals) => principals.who(&SecretDigest::of_bytes(pair.as_bytes())),
            Known::By(check) => check(user, &Secret::from(password)),
        }
    }
}

impl Verifier for BasicUsers {
    fn verify(&self, request: &RequestHead<'_>) -> Result<Principal, Denial> {
        let encoded = credentials(request.headers, "Basic")?.ok_or(Denial::Missing)?;
        let pair = Zeroizing::new(BASE64_STANDARD.decode(encoded).map_err(|_| Denial::Refused)?);
        let pair = str::from_utf8(&pair).map_err(|_| Denial::Refused)?;
        self.who(pair).ok_or(Denial::Refused)
    }

    fn challenge(&self, realm: &Realm, _: &Denial) -> Challenge {
        Challenge::new("Basic", realm).with("charset", "UTF-8")
    }
}

impl fmt::Debug for BasicUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Known::ByDigest(principals) => f.debug_tuple("BasicUsers").field(principals).finish(),
            Known::By(_) => f.write_str("BasicUsers(a closure)"),
        }
    }
}
