use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use tokio::time::Instant;

use super::client_auth::Asking;
use super::form::{Form, Parameters};
use super::{ClientAuth, DeviceBuilder, LoginBuilder, Refresh, ServerMetadata, TokenResponse};
use crate::endpoint::{Answer, Endpoint, EndpointError, Why};
use crate::{Fetching, Secret, TokenSource, Transport};

/// A client of an authorization server, as it is registered there. Clones share it.
#[derive(Clone)]
pub struct OAuthClient(pub(super) Arc<Registered>);

pub(super) struct Registered {
    transport: Transport,
    pub(super) server: ServerMetadata,
    pub(super) client_id: Box<str>,
    auth: ClientAuth,
}

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

impl OAuthClient {
    /// A public client, which has no secret.
    pub fn new(transport: Transport, server: ServerMetadata, client_id: impl Into<Box<str>>) -> Self {
        let (client_id, auth) = (client_id.into(), ClientAuth::none());
        Self(Arc::new(Registered { transport, server, client_id, auth }))
    }

    /// Proves itself in that way. By default it does not.
    #[must_use]
    pub fn authenticate(self, auth: ClientAuth) -> Self {
        let Registered { transport, server, client_id, .. } = &*self.0;
        Self(Arc::new(Registered {
            transport: transport.clone(),
            server: server.clone(),
            client_id: client_id.clone(),
            auth,
        }))
    }

    /// Tokens for the client itself (RFC 6749 section 4.4).
    pub fn client_credentials(&self) -> ClientCredentials {
        ClientCredentials { client: self.clone(), parameters: Parameters::default() }
    }

    /// Tokens for whoever has logged in, as long as the server lets the session live (RFC 6749 section 6). The first refresh token comes from a login:
    /// [`Refreshing::set_token`](crate::Refreshing::set_token).
    pub fn refresh(&self) -> Refresh {
        Refresh::new(self.clone())
    }

    /// A login with a browser (RFC 6749 section 4.1), which comes back to `redirect_uri`.
    pub fn login(&self, redirect_uri: &str) -> LoginBuilder {
        LoginBuilder::new(self.clone(), redirect_uri)
    }

    /// A login on another machine (RFC 8628).
    pub fn device(&self) -> DeviceBuilder {
        DeviceBuilder::new(self.clone())
    }

    /// Gives a token back (RFC 7009): of a refresh token, most servers end the whole session.
    ///
    /// # Errors
    /// If the server does not say that it is gone. One that it does not know is gone.
    pub async fn revoke(&self, token: &Secret) -> Result<(), EndpointError> {
        let server = &self.0.server;
        let endpoint = server.endpoint(server.revocation.as_ref(), "revocation_endpoint")?;
        let answer = self.post(endpoint, Form::new().with("token", token.expose())).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        Err(answer.fields().err().unwrap_or_else(|| answer.failed(Why::Status)))
    }

    /// Asks for a token.
    pub(super) async fn token(&self, form: Form) -> Result<TokenResponse, EndpointError> {
        let asked = Instant::now();
        let answer = self.post(&self.0.server.token, form).await?;
        TokenResponse::read(&answer, asked)
    }

    /// Sends a form with the proof of who asks.
    pub(super) async fn post(&self, endpoint: &Endpoint, mut form: Form) -> Result<Answer, EndpointError> {
        let Registered { transport, server, client_id, auth } = &*self.0;
        let token_endpoint = server.token.uri.to_string();
        let audience = server.issuer.as_deref().unwrap_or(&token_endpoint);
        let asking = Asking { client_id, audience, now: transport.wall_clock.now() };
        let proof = auth
            .prove(&mut form, &asking)
            .map_err(|error| EndpointError::new(&endpoint.origin, Why::Client(error)))?;
        let mut request = endpoint.post(FORM, form.into_body());
        if let Some(proof) = proof {
            request.headers_mut().insert(AUTHORIZATION, proof);
        }
        transport.send(endpoint, request).await
    }
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClient")
            .field("client_id", &self.0.client_id)
            .field("auth", &self.0.auth)
            .field("server", &self.0.server)
            .finish_non_exhaustive()
    }
}

/// Tokens for a client itself. A [`TokenSource`]; there is no refresh token, each one is asked for anew.
#[derive(Clone)]
pub struct ClientCredentials {
    client: OAuthClient,
    parameters: Parameters,
}

impl ClientCredentials {
    /// What the token shall be good for, separated by spaces. By default what the server thinks right.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.parameters.scope(scope.into());
        self
    }

    /// Whatever else the server wants to know: `audience`, `resource`. Nothing by default.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.add(name.into(), value.into());
        self
    }

    /// Asks for one.
    ///
    /// # Errors
    /// If there is none to be had.
    pub async fn token(&self) -> Result<TokenResponse, EndpointError> {
        let form = Form::new().with("grant_type", "client_credentials").with_all(&self.parameters);
        self.client.token(form).await
    }
}

impl TokenSource for ClientCredentials {
    fn fetch(&self, _: Option<Secret>) -> Fetching {
        let grant = self.clone();
        Box::pin(async move { Ok(grant.token().await?.token) })
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials").field("client", &self.client).finish_non_exhaustive()
    }
}
