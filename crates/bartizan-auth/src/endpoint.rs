//! Where credentials are exchanged for tokens: a URL, the service that brings requests there, and what is made of the answers.

mod answer;
mod error;
mod spending;
mod transport;

use std::fmt;

use bartizan_core::Origin;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::Full;

pub(crate) use self::answer::{Answer, Fields, shown};
pub(crate) use self::error::Why;
pub use self::error::{EndpointError, ErrorCode};
pub(crate) use self::spending::Spending;
pub use self::transport::Transport;
use crate::InvalidOrigin;
use crate::origins::parse;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The URL of one.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) uri: Uri,
    /// As errors name it.
    pub(crate) origin: Box<str>,
}

impl Endpoint {
    pub(crate) fn new(url: &str) -> Result<Self, InvalidOrigin> {
        let uri = parse(url)?;
        let origin = Origin::of(&uri).expect("it was found to be absolute").as_str().into();
        Ok(Self { uri, origin })
    }

    /// A request that wants JSON.
    pub(crate) fn get(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(ACCEPT, JSON);
        request
    }

    /// The same with content of this type.
    pub(crate) fn post(&self, content_type: HeaderValue, body: Full<Bytes>) -> Request<Full<Bytes>> {
        let mut request = self.get().map(|_| body);
        *request.method_mut() = Method::POST;
        request.headers_mut().insert(CONTENT_TYPE, content_type);
        request
    }

    pub(crate) fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }
}

/// Without the query, which some servers have secrets in.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.uri.path())
    }
}
