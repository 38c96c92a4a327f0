use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value, to_vec};
use zeroize::Zeroizing;

use crate::endpoint::{Endpoint, EndpointError, Why};
use crate::{Fetching, InvalidOrigin, Secret, TokenSource, Transport};

/// A [`TokenSource`] for APIs that have an endpoint of their own for it: `POST /auth/refresh` with `{"refreshToken": ".."}`, answered by
/// `{"accessToken": ".."}`, and perhaps a `refreshToken` and the seconds it lives in `expiresIn`.
///
/// 400, 401 and 403 are permanent: the refresh token is not good any more. All other failures are transient.
///
/// ```
/// use bartizan_auth::{JsonRefresh, Refreshing, Token, Transport};
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # let bare_client = tower::service_fn(|_: Request<Full<Bytes>>| async { Ok::<_, std::io::Error>(Response::new(Full::<Bytes>::default())) });
///
/// let tokens = Refreshing::new(JsonRefresh::new(Transport::new(bare_client), "https://api.example.com/auth/refresh")?);
/// // What the login has given.
/// tokens.set_token(Token::new("access")?.refresh_token("refresh"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct JsonRefresh {
    transport: Transport,
    endpoint: Endpoint,
    names: Names,
}

/// What the members of the two objects are called.
#[derive(Clone)]
struct Names {
    access: Arc<str>,
    refresh: Arc<str>,
    lifetime: Arc<str>,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl JsonRefresh {
    /// At that URL.
    ///
    /// # Errors
    /// If it is no absolute URL of `https`, or of `http` on the loopback.
    pub fn new(transport: Transport, url: &str) -> Result<Self, InvalidOrigin> {
        let names = Names {
            access: "accessToken".into(),
            refresh: "refreshToken".into(),
            lifetime: "expiresIn".into(),
        };
        Ok(Self { transport, endpoint: Endpoint::new(url)?, names })
    }

    /// What the API calls them. By default `accessToken`, `refreshToken` in the request and the answer, and `expiresIn`.
    #[must_use]
    pub fn names(mut self, access: &str, refresh: &str, lifetime: &str) -> Self {
        self.names = Names { access: access.into(), refresh: refresh.into(), lifetime: lifetime.into() };
        self
    }

    fn request(&self, refresh_token: &Secret) -> Request<Full<Bytes>> {
        let object = Map::from_iter([(self.names.refresh.to_string(), refresh_token.expose().into())]);
        let body = Zeroizing::new(to_vec(&Value::Object(object)).expect("texts are JSON"));
        let mut request = Request::new(Full::new(Bytes::from_owner(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.uri.clone();
        request.headers_mut().insert(ACCEPT, JSON);
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        request
    }
}

impl TokenSource for JsonRefresh {
    fn fetch(&self, refresh_token: Option<Secret>) -> Fetching {
        let this = self.clone();
        Box::pin(async move {
            let refresh_token = refresh_token
                .ok_or_else(|| EndpointError::new(&this.endpoint.origin, Why::NoRefreshToken))?;
            let answer = this.transport.send(&this.endpoint, this.request(&refresh_token)).await?;
            if [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN]
                .contains(&answer.status)
            {
                return Err(answer.failed(Why::Denied).into());
            }
            let Names { access, refresh, lifetime } = &this.names;
            let token = answer.object()?.take_token(access, refresh, lifetime);
            Ok(token.map_err(|why| answer.failed(Why::Unreadable(why)))?)
        })
    }
}

impl fmt::Debug for JsonRefresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonRefresh").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
