use std::error::Error;
use std::fmt;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::Verified;

/// The JSON of a webhook that was verified, in a handler of axum 0.8. A route without a [`VerifyLayer`](crate::VerifyLayer) answers 500, and JSON that does not fit
/// 422.
///
/// ```
/// use axum::Router;
/// use axum::routing::post;
/// use bartizan_webhook::{SignatureFormat, VerifyLayer, Webhook};
///
/// #[derive(serde::Deserialize)]
/// struct Push {
///     after: String,
/// }
///
/// async fn pushed(webhook: Webhook<Push>) -> String {
///     format!("{:?} is at {}", webhook.verified().event_id(), webhook.payload().after)
/// }
///
/// let github = VerifyLayer::new(SignatureFormat::github().verifier(["s3cret"])?);
/// let app: Router = Router::new().route("/webhooks/github", post(pushed)).layer(github);
/// # let _ = app;
/// # Ok::<(), bartizan_webhook::InvalidFormat>(())
/// ```
#[derive(Clone, Debug)]
pub struct Webhook<T> {
    payload: T,
    verified: Verified,
}

impl<T> Webhook<T> {
    /// What it says.
    pub fn payload(&self) -> &T {
        &self.payload
    }

    /// What it says, to keep.
    pub fn into_payload(self) -> T {
        self.payload
    }

    /// Who says so.
    pub fn verified(&self) -> &Verified {
        &self.verified
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Webhook<T> {
    type Rejection = WebhookRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebhookRejection> {
        let verified = parts.extensions.get::<Verified>().ok_or(WebhookRejection(None))?.clone();
        let payload =
            serde_json::from_slice(verified.body()).map_err(|error| WebhookRejection(Some(error)))?;
        Ok(Self { payload, verified })
    }
}

/// A webhook that was not verified, or is not what the handler expects.
#[derive(Debug)]
pub struct WebhookRejection(Option<serde_json::Error>);

impl fmt::Display for WebhookRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("nothing has verified the request: there is no layer for that"),
            Some(error) => write!(f, "the webhook is not what is expected: {error}"),
        }
    }
}

impl Error for WebhookRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_ref().map(|error| error as _)
    }
}

impl IntoResponse for WebhookRejection {
    fn into_response(self) -> Response {
        let status = match self.0 {
            None => StatusCode::INTERNAL_SERVER_ERROR,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        (status, self.to_string()).into_response()
    }
}
