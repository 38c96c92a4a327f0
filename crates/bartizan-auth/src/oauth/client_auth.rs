use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bartizan_core::BoxError;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use form_urlencoded::byte_serialize;
use http::HeaderValue;
use zeroize::Zeroizing;

use super::AssertionSigner;
use super::assertion::assertion;
use super::form::Form;
use crate::Secret;
use crate::secret::authorization;

/// How a client proves to the server that it is itself (RFC 6749 section 2.3).
#[derive(Clone)]
pub struct ClientAuth(Kind);

#[derive(Clone)]
enum Kind {
    None,
    Basic(Secret),
    BasicRaw(Secret),
    Post(Secret),
    Assertion(Arc<dyn AssertionSigner>),
}

/// Who asks whom, and when.
pub(super) struct Asking<'a> {
    pub(super) client_id: &'a str,
    /// The issuer, or the token endpoint where no issuer is known.
    pub(super) audience: &'a str,
    pub(super) now: SystemTime,
}

impl ClientAuth {
    /// It does not: it is a public one, and says who it is in the body. The default.
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// By a secret in `Authorization: Basic`, both parts form-encoded first, as RFC 6749 section 2.3.1 has it. What every server has to know.
    pub fn basic(secret: impl Into<Secret>) -> Self {
        Self(Kind::Basic(secret.into()))
    }

    /// The same without the encoding, for servers that do not decode it. It differs for secrets with characters other than letters, digits and `*-._`.
    pub fn basic_raw(secret: impl Into<Secret>) -> Self {
        Self(Kind::BasicRaw(secret.into()))
    }

    /// By a secret in the body.
    pub fn post(secret: impl Into<Secret>) -> Self {
        Self(Kind::Post(secret.into()))
    }

    /// By a token that is signed for each request, made out to the issuer, or to the token endpoint where no issuer is known, and good for a minute:
    /// `private_key_jwt` of OpenID Connect Core 1.0 section 9, by RFC 7523.
    pub fn private_key_jwt(signer: impl AssertionSigner) -> Self {
        Self(Kind::Assertion(Arc::new(signer)))
    }

    /// What it adds to the body; and the value of `Authorization`.
    pub(super) fn prove(
        &self,
        form: &mut Form,
        asking: &Asking<'_>,
    ) -> Result<Option<HeaderValue>, BoxError> {
        let Asking { client_id, audience, now } = *asking;
        match &self.0 {
            Kind::None => form.push("client_id", client_id),
            Kind::Basic(secret) => {
                let encoded =
                    |text: &str| Zeroizing::new(byte_serialize(text.as_bytes()).collect::<String>());
                return Ok(Some(basic(&encoded(client_id), &encoded(secret.expose()))));
            }
            Kind::BasicRaw(secret) => return Ok(Some(basic(client_id, secret.expose()))),
            Kind::Post(secret) => {
                form.push("client_id", client_id);
                form.push("client_secret", secret.expose());
            }
            Kind::Assertion(signer) => {
                form.push("client_id", client_id);
                form.push("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
                let assertion = assertion(&**signer, client_id, audience, now)?;
                form.push("client_assertion", assertion.expose());
            }
        }
        Ok(None)
    }
}

fn basic(user: &str, password: &str) -> HeaderValue {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    authorization("Basic", &Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes())))
}

impl Default for ClientAuth {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::None => "ClientAuth(none)",
            Kind::Basic(_) => "ClientAuth(basic, ..)",
            Kind::BasicRaw(_) => "ClientAuth(basic, raw, ..)",
            Kind::Post(_) => "ClientAuth(post, ..)",
            Kind::Assertion(_) => "ClientAuth(private_key_jwt, ..)",
        })
    }
}
