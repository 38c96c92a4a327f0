use std::fmt;

use crate::InvalidOrigin;
use crate::endpoint::{Endpoint, EndpointError, Why};

/// What is known of an authorization server: where it is asked for what.
///
/// Set by hand, or read from the server itself with [`discover`](Self::discover). Endpoints are `https`, and `http` on the loopback alone.
#[derive(Clone)]
pub struct ServerMetadata {
    pub(super) issuer: Option<Box<str>>,
    pub(super) token: Endpoint,
    pub(super) authorization: Option<Endpoint>,
    pub(super) device: Option<Endpoint>,
    pub(super) revocation: Option<Endpoint>,
    /// It puts its name on every redirect (RFC 9207).
    pub(super) names_itself: bool,
}

impl ServerMetadata {
    /// The endpoint that all grants need.
    ///
    /// # Errors
    /// If it is no absolute URL of `https`, or of `http` on the loopback.
    pub fn new(token_endpoint: &str) -> Result<Self, InvalidOrigin> {
        Ok(Self {
            issuer: None,
            token: Endpoint::new(token_endpoint)?,
            authorization: None,
            device: None,
            revocation: None,
            names_itself: false,
        })
    }

    /// The name of the server; by default it has none. Redirects that name another one are refused (RFC 9207), and signed proofs of the client are made out to it.
    #[must_use]
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Redirects that name no issuer are refused too. By default only servers that say so of themselves are held to it.
    #[must_use]
    pub fn require_issuer_on_redirects(mut self) -> Self {
        self.names_itself = true;
        self
    }

    /// Where users log in. None by default.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn authorization_endpoint(mut self, url: &str) -> Result<Self, InvalidOrigin> {
        self.authorization = Some(Endpoint::new(url)?);
        Ok(self)
    }

    /// Where devices ask for codes (RFC 8628). None by default.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn device_authorization_endpoint(mut self, url: &str) -> Result<Self, InvalidOrigin> {
        self.device = Some(Endpoint::new(url)?);
        Ok(self)
    }

    /// Where tokens are given back (RFC 7009). None by default.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn revocation_endpoint(mut self, url: &str) -> Result<Self, InvalidOrigin> {
        self.revocation = Some(Endpoint::new(url)?);
        Ok(self)
    }

    /// One of those that not every server has.
    pub(super) fn endpoint<'a>(
        &'a self,
        endpoint: Option<&'a Endpoint>,
        name: &'static str,
    ) -> Result<&'a Endpoint, EndpointError> {
        endpoint.ok_or_else(|| EndpointError::new(&self.token.origin, Why::NoEndpoint(name)))
    }
}

impl fmt::Debug for ServerMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerMetadata")
            .field("issuer", &self.issuer)
            .field("token_endpoint", &self.token)
            .field("authorization_endpoint", &self.authorization)
            .field("device_authorization_endpoint", &self.device)
            .field("revocation_endpoint", &self.revocation)
            .finish_non_exhaustive()
    }
}
