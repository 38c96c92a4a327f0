use std::fmt;
use std::future::ready;
use std::sync::Arc;

use bartizan_core::RequestHead;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::cookies::{check_name, set_cookie};
use crate::identity::opaque;
use crate::query::{check_parameter, is_named, means, set_query};
use crate::{Authorizer, InvalidCredential, NotPrepared, Preparing, Secret, Stamp};

/// A key that is sent with each request: in a header field, `X-API-Key` by default, in the query, or in a cookie.
///
/// It takes the place of what the request has under that name. In a query a key is written into logs on its way; a header field is better where
/// the API leaves the choice.
#[derive(Clone)]
pub struct ApiKey {
    place: Place,
    identity: Arc<str>,
}

#[derive(Clone)]
enum Place {
    Header(HeaderName, HeaderValue),
    Query { name: Box<str>, key: Secret, pair: Secret },
    Cookie { name: Box<str>, pair: Secret },
}

/// What stands in a query as it is (RFC 3986 section 2.3).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) static X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

impl ApiKey {
    /// In the field `X-API-Key`.
    ///
    /// # Errors
    /// As of [`header`](Self::header).
    pub fn new(key: impl Into<Secret>) -> Result<Self, InvalidCredential> {
        Self::header(X_API_KEY.clone(), key)
    }

    /// In a header field of that name.
    ///
    /// # Errors
    /// If the key is empty or can stand in no header field.
    pub fn header(name: HeaderName, key: impl Into<Secret>) -> Result<Self, InvalidCredential> {
        let key = not_empty(key.into())?;
        let mut value = HeaderValue::from_str(key.expose()).map_err(|_| {
            InvalidCredential::new("an API key", "has characters that no header field may have")
        })?;
        value.set_sensitive(true);
        let identity = opaque("key", &[key.expose().as_bytes()]);
        Ok(Self { place: Place::Header(name, value), identity })
    }

    /// In the query, as `name=key`, both percent-encoded.
    ///
    /// # Errors
    /// If the key or the name is empty.
    pub fn query(name: &str, key: impl Into<Secret>) -> Result<Self, InvalidCredential> {
        let key = not_empty(key.into())?;
        check_parameter(name)?;
        let pair =
            format!("{}={}", utf8_percent_encode(name, QUERY), utf8_percent_encode(key.expose(), QUERY));
        let identity = opaque("key", &[key.expose().as_bytes()]);
        Ok(Self { place: Place::Query { name: name.into(), key, pair: pair.into() }, identity })
    }

    /// In a cookie.
    ///
    /// # Errors
    /// If the name is no token, or if the key is empty or has what no cookie may have (RFC 6265 section 4.1.1).
    pub fn cookie(name: &str, key: impl Into<Secret>) -> Result<Self, InvalidCredential> {
        let key = not_empty(key.into())?;
        let is_octet =
            |byte: u8| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
        if !key.expose().bytes().all(is_octet) {
            return Err(InvalidCredential::new("an API key", "has characters that no cookie may have"));
        }
        check_name(name)?;
        let pair = format!("{name}={}", key.expose());
        let identity = opaque("key", &[key.expose().as_bytes()]);
        Ok(Self { place: Place::Cookie { name: name.into(), pair: pair.into() }, identity })
    }
}

fn not_empty(key: Secret) -> Result<Secret, InvalidCredential> {
    if key.expose().is_empty() { Err(InvalidCredential::new("an API key", "is empty")) } else { Ok(key) }
}

impl Authorizer for ApiKey {
    fn authorize(&self, request: &mut Parts) -> Option<Stamp> {
        match &self.place {
            Place::Header(name, value) => {
                request.headers.try_insert(name, value.clone()).ok()?;
            }
            Place::Query { name, pair, .. } => {
                set_query(&mut request.uri, |given| is_named(given, name), Some(pair.expose()))?;
            }
            Place::Cookie { name, pair } => set_cookie(&mut request.headers, name, Some(pair.expose()))?,
        }
        Some(Stamp::default())
    }

    fn prepare(&self, _: &Parts) -> Preparing {
        let full = InvalidCredential::new("the head of a request", "has no room left for an API key");
        Box::pin(ready(Err(NotPrepared::because(full))))
    }

    fn take_out(&self, request: &mut Parts) {
        if let Place::Query { name, key, .. } = &self.place {
            let is_key = |given: &str| {
                let value = given.split_once('=').map_or("", |(_, value)| value);
                is_named(given, name) && means(value, key.expose())
            };
            set_query(&mut request.uri, is_key, None);
        }
    }

    fn strip(&self, uri: &mut Uri, headers: &mut HeaderMap) {
        match &self.place {
            Place::Header(name, _) => {
                headers.remove(name);
            }
            Place::Query { name, .. } => {
                set_query(uri, |given| is_named(given, name), None);
            }
            Place::Cookie { name, .. } => {
                set_cookie(headers, name, None);
            }
        }
    }

    fn identity(&self, _: &RequestHead<'_>) -> Arc<str> {
        self.identity.clone()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, name) = match &self.place {
            Place::Header(name, _) => ("header", name.as_str()),
            Place::Query { name, .. } => ("query", &**name),
            Place::Cookie { name, .. } => ("cookie", &**name),
        };
        f.debug_struct("ApiKey").field(place, &name).finish_non_exhaustive()
    }
}
