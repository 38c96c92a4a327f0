use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value, to_vec};
use zeroize::Zeroizing;

use crate::endpoint::{Endpoint, EndpointError, JSON, Spending, Why};
use crate::{Fetching, InvalidOrigin, Secret, Token, TokenSource, Transport};

/// A [`TokenSource`] for APIs that have an endpoint of their own for it: `POST /auth/refresh` with `{"refreshToken": ".."}`, answered by
/// `{"accessToken": ".."}`, and perhaps a `refreshToken` and the seconds it lives in `expiresIn`.
///
/// 400, 401 and 403 are permanent: the refresh token is not good any more. All other failures are transient. A refresh token whose answer was lost
/// ([`EndpointError::is_uncertain`]) is not sent again, unless the API was seen to keep it: the next error is permanent, and a new login is needed.
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
    spending: Arc<Spending>,
}

/// What the members of the two objects are called.
#[derive(Clone)]
struct Names {
    access: Arc<str>,
    refresh: Arc<str>,
    lifetime: Arc<str>,
}

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
        Ok(Self { transport, endpoint: Endpoint::new(url)?, names, spending: Arc::default() })
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
        self.endpoint.post(JSON, Full::new(Bytes::from_owner(body)))
    }

    async fn token(&self, refresh_token: &Secret) -> Result<Token, EndpointError> {
        let answer = self.transport.send(&self.endpoint, self.request(refresh_token)).await?;
        if [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status)
        {
            return Err(answer.failed(Why::Denied));
        }
        let Names { access, refresh, lifetime } = &self.names;
        let token = answer.object()?.take_token(access, refresh, lifetime);
        token.map_err(|why| answer.failed(Why::Unreadable(why)))
    }
}

impl TokenSource for JsonRefresh {
    fn fetch(&self, refresh_token: Option<Secret>) -> Fetching {
        let this = self.clone();
        Box::pin(async move {
            let refresh_token = refresh_token
                .ok_or_else(|| EndpointError::new(&this.endpoint.origin, Why::NoRefreshToken))?;
            this.spending.begin(&refresh_token, &this.endpoint.origin)?;
            let token = this.token(&refresh_token).await;
            this.spending.end(&refresh_token, token.as_ref().map(|token| token.refresh.as_ref()));
            Ok(token?)
        })
    }
}

impl fmt::Debug for JsonRefresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonRefresh").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
