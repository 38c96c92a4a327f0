use std::fmt;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::form::{Form, Parameters};
use super::{ErrorCode, OAuthClient, TokenResponse};
use crate::Secret;
use crate::endpoint::{EndpointError, Why};

/// What a device asks for.
#[derive(Clone)]
pub struct DeviceBuilder {
    client: OAuthClient,
    parameters: Parameters,
}

impl DeviceBuilder {
    pub(super) fn new(client: OAuthClient) -> Self {
        Self { client, parameters: Parameters::default() }
    }

    /// What the token shall be good for, separated by spaces. By default what the server thinks right.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.parameters.scope(scope.into());
        self
    }

    /// Whatever else the server wants to know. Nothing by default.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.add(name.into(), value.into());
        self
    }

    /// Asks for a code (RFC 8628 section 3.1).
    ///
    /// # Errors
    /// If the server has no `device_authorization_endpoint`, or gives none.
    pub async fn begin(self) -> Result<DeviceLogin, EndpointError> {
        let server = &self.client.0.server;
        let endpoint = server.endpoint(server.device.as_ref(), "device_authorization_endpoint")?;
        let asked = Instant::now();
        let answer = self.client.post(endpoint, Form::new().with_all(&self.parameters)).await?;
        let mut fields = answer.fields()?;
        let missing =
            || answer.failed(Why::Unreadable("has no code for the device, or no place to type it in"));
        let device_code = fields.take_secret("device_code").ok_or_else(missing)?;
        let user_code = fields.text("user_code").ok_or_else(missing)?.into();
        // Before it was a standard it was called a URL.
        let place = fields.text("verification_uri").or_else(|| fields.text("verification_url"));
        let verification_uri = place.ok_or_else(missing)?.into();
        let verification_uri_complete = fields.text("verification_uri_complete").map(Into::into);
        let interval = fields.seconds("interval").unwrap_or(INTERVAL);
        let end = fields.seconds("expires_in").and_then(|lifetime| asked.checked_add(lifetime));
        Ok(DeviceLogin {
            client: self.client,
            device_code,
            user_code,
            verification_uri,
            verification_uri_complete,
            interval,
            end,
            next: after(Instant::now(), interval),
            asking: None,
        })
    }
}

/// How often is asked, unless the server says so; and what each `slow_down` adds (RFC 8628 sections 3.2 and 3.5).
const INTERVAL: Duration = Duration::from_secs(5);
/// What no server means, and no clock can do.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

fn after(now: Instant, wait: Duration) -> Instant {
    now + wait.min(LONGEST)
}

/// A login that somebody does on another machine.
///
/// ```no_run
/// # async fn login(client: bartizan_auth::oauth::OAuthClient, tokens: bartizan_auth::Refreshing) -> Result<(), bartizan_auth::EndpointError> {
/// let mut login = client.device().scope("offline_access").begin().await?;
/// println!("go to {} and type {}", login.verification_uri(), login.user_code());
/// tokens.set_token(login.wait().await?.token());
/// # Ok(()) }
/// ```
pub struct DeviceLogin {
    client: OAuthClient,
    device_code: Secret,
    user_code: Box<str>,
    verification_uri: Box<str>,
    verification_uri_complete: Option<Box<str>>,
    interval: Duration,
    end: Option<Instant>,
    next: Instant,
    /// Under way, in a task that is not dropped with who waits: the answer may be the token, which comes once.
    asking: Option<JoinHandle<Result<TokenResponse, EndpointError>>>,
}

impl DeviceLogin {
    /// What the user types in.
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where.
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// The same with the code in it, for a QR code.
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.verification_uri_complete.as_deref()
    }

    /// How long the code is good, if the server has said so.
    pub fn expires_in(&self) -> Option<Duration> {
        self.end.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// Waits until the user has agreed, asking as often as the server allows: 5 s slower after each `slow_down`, half as often after each request
    /// that failed otherwise, and no sooner than `Retry-After` says (RFC 8628 section 3.5).
    ///
    /// Dropped, it loses nothing: it may be called again, and goes on where it was. It needs a runtime of tokio.
    ///
    /// # Errors
    /// If the user says no ([`AccessDenied`](ErrorCode::AccessDenied)), if the code has ended
    /// ([`ExpiredToken`](ErrorCode::ExpiredToken), or by its lifetime), or if the server refuses it otherwise.
    pub async fn wait(&mut self) -> Result<TokenResponse, EndpointError> {
        loop {
            if self.asking.is_none() {
                if self.end.is_some_and(|end| self.next >= end) {
                    return Err(EndpointError::new(&self.client.0.server.token.origin, Why::Ended));
                }
                sleep_until(self.next).await;
                self.asking = Some(self.ask());
            }
            let Some(asking) = &mut self.asking else { continue };
            let answer = asking.await;
            self.asking = None;
            let error = match answer {
                Ok(Ok(token)) => return Ok(token),
                Ok(Err(error)) if error.is_permanent() => return Err(error),
                Ok(Err(error)) => error,
                Err(lost) => EndpointError::new(&self.client.0.server.token.origin, Why::Client(lost.into())),
            };
            match error.code() {
                Some(ErrorCode::AuthorizationPending) => {}
                Some(ErrorCode::SlowDown) => self.interval = self.interval.saturating_add(INTERVAL),
                _ => self.interval = self.interval.saturating_mul(2),
            }
            let wait = self.interval.max(error.retry_in().unwrap_or_default());
            self.next = after(Instant::now(), wait);
        }
    }

    fn ask(&self) -> JoinHandle<Result<TokenResponse, EndpointError>> {
        let form = Form::new()
            .with("grant_type", "urn:ietf:params:oauth:grant-type:device_code")
            .with("device_code", self.device_code.expose());
        let client = self.client.clone();
        tokio::spawn(async move { client.token(form).await })
    }
}

impl fmt::Debug for DeviceLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceLogin")
            .field("verification_uri", &self.verification_uri)
            .field("interval", &self.interval)
            .field("expires_in", &self.expires_in())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DeviceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceBuilder").field("client", &self.client).finish_non_exhaustive()
    }
}
