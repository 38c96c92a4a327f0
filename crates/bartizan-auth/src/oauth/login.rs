use std::fmt;
use std::mem;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use sha2::{Digest, Sha256};

use super::form::{Form, Parameters};
use super::random::random;
use super::redirect::{Expected, read};
use super::{OAuthClient, RedirectError, TokenResponse};
use crate::Secret;
use crate::endpoint::{EndpointError, Why};

/// What a login asks for.
#[derive(Clone)]
pub struct LoginBuilder {
    client: OAuthClient,
    redirect_uri: Box<str>,
    parameters: Parameters,
    has_pkce: bool,
}

impl LoginBuilder {
    pub(super) fn new(client: OAuthClient, redirect_uri: &str) -> Self {
        Self { client, redirect_uri: redirect_uri.into(), parameters: Parameters::default(), has_pkce: true }
    }

    /// What the token shall be good for, separated by spaces. By default what the server thinks right.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.parameters.scope(scope.into());
        self
    }

    /// Whatever else goes into the URL: `prompt`, `login_hint`, `nonce`, `access_type`. Nothing by default.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.add(name.into(), value.into());
        self
    }

    /// For servers that refuse PKCE. By default it is used (S256), as RFC 9700 section 2.1.1 has it; servers that do not know it ignore it.
    #[must_use]
    pub fn without_pkce(mut self) -> Self {
        self.has_pkce = false;
        self
    }

    /// With a `state` and a verifier that nobody else knows.
    ///
    /// # Errors
    /// If the server has no `authorization_endpoint`, or the operating system no chance to give.
    pub fn begin(self) -> Result<Login, EndpointError> {
        let server = &self.client.0.server;
        let endpoint = server.endpoint(server.authorization.as_ref(), "authorization_endpoint")?;
        let draw = || random().map_err(|error| EndpointError::new(&endpoint.origin, Why::Client(error)));
        let state = draw()?;
        let verifier = if self.has_pkce { Some(draw()?) } else { None };
        let mut form = Form::new()
            .with("response_type", "code")
            .with("client_id", &self.client.0.client_id)
            .with("redirect_uri", &self.redirect_uri)
            .with("state", state.expose());
        if let Some(verifier) = &verifier {
            form = form.with("code_challenge", &challenge(verifier)).with("code_challenge_method", "S256");
        }
        let form = form.with_all(&self.parameters);
        // What it has already stays (RFC 6749 section 3.1).
        let begun = endpoint.uri.to_string();
        let separator = match begun.rsplit_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        let url = format!("{begun}{separator}{}", form.as_str()).into();
        let pending = PendingLogin { state, verifier, redirect_uri: self.redirect_uri };
        Ok(Login { url, ..self.client.resume(pending) })
    }
}

/// RFC 7636 section 4.2.
pub(super) fn challenge(verifier: &Secret) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

impl OAuthClient {
    /// Goes on with a login that was begun elsewhere: before a restart, or by another process. Its [`url`](Login::url) is not known any more.
    pub fn resume(&self, pending: PendingLogin) -> Login {
        Login { client: self.clone(), url: "".into(), pending, is_over: false }
    }
}

/// A login that waits for the browser to come back.
///
/// ```no_run
/// # async fn login(client: bartizan_auth::oauth::OAuthClient, tokens: bartizan_auth::Refreshing, callback: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let mut login = client.login("http://127.0.0.1:7000/callback").scope("openid offline_access").begin()?;
/// println!("log in at {}", login.url());
/// // What came to the redirect URI: `/callback?code=..&state=..`.
/// let answer = login.redirected(callback)?.exchange().await?;
/// tokens.set_token(answer.token());
/// # Ok(()) }
/// ```
pub struct Login {
    client: OAuthClient,
    url: Box<str>,
    pending: PendingLogin,
    is_over: bool,
}

impl Login {
    /// Where the user logs in. The `state` in it is for the user's browser alone.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What has to be kept until the browser comes back, where that is another process: in the session of the very browser.
    pub fn pending(&self) -> &PendingLogin {
        &self.pending
    }

    /// The code that the browser has brought: of the whole URL, of its path and query, or of a form that was posted.
    ///
    /// It is for this login, compared in constant time, and once only: whatever has the right `state` ends the login. What
    /// [may be somebody else's](RedirectError::is_elses) does not.
    ///
    /// # Errors
    /// If it has another `state` or comes from another server (RFC 9207), if the user or the server has said no, or if it was there before.
    pub fn redirected(&mut self, redirect: &str) -> Result<AuthorizationCode, RedirectError> {
        if self.is_over {
            return Err(RedirectError::used());
        }
        let server = &self.client.0.server;
        let expected = Expected {
            state: &self.pending.state,
            issuer: server.issuer.as_deref(),
            names_itself: server.names_itself,
        };
        let read = read(redirect, &expected);
        self.is_over = !read.as_ref().is_err_and(RedirectError::is_elses);
        let code = read?;
        Ok(AuthorizationCode {
            client: self.client.clone(),
            code,
            verifier: self.pending.verifier.take(),
            redirect_uri: mem::take(&mut self.pending.redirect_uri),
        })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("pending", &self.pending)
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}

/// What a login has to know again when the browser comes back. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PendingLogin {
    /// What the redirect has to bring.
    pub state: Secret,
    /// What proves that whoever has the code began the login (RFC 7636); `None` without PKCE.
    pub verifier: Option<Secret>,
    /// Where the browser comes back to.
    pub redirect_uri: Box<str>,
}

impl PendingLogin {
    /// As it was kept.
    pub fn new(state: impl Into<Secret>, verifier: Option<Secret>, redirect_uri: &str) -> Self {
        Self { state: state.into(), verifier, redirect_uri: redirect_uri.into() }
    }
}

/// A code that can be exchanged for tokens, once.
pub struct AuthorizationCode {
    client: OAuthClient,
    code: Secret,
    verifier: Option<Secret>,
    redirect_uri: Box<str>,
}

impl AuthorizationCode {
    /// Exchanges it (RFC 6749 section 4.1.3). A future that is dropped may have spent the code.
    ///
    /// # Errors
    /// If the server does not take it, or its answer was lost: then a new login is needed.
    pub async fn exchange(self) -> Result<TokenResponse, EndpointError> {
        let mut form = Form::new()
            .with("grant_type", "authorization_code")
            .with("code", self.code.expose())
            .with("redirect_uri", &self.redirect_uri);
        if let Some(verifier) = &self.verifier {
            form.push("code_verifier", verifier.expose());
        }
        self.client.token(form).await
    }
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationCode(..)")
    }
}

impl fmt::Debug for LoginBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginBuilder")
            .field("client", &self.client)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}
