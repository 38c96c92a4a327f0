use bartizan_core::RequestHead;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use percent_encoding::percent_decode_str;

use super::SecretDigest;
use crate::api_key::X_API_KEY;
use crate::{InvalidCredential, cookies, query};

/// Where a key stands in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Header(HeaderName),
    Query(Box<str>),
    Cookie(Box<str>),
}

impl Place {
    /// In the header field of that name, all of its value.
    pub fn header(name: HeaderName) -> Self {
        Self(Kind::Header(name))
    }

    /// In the query, as `name=key`, percent-encoded; a `+` means itself. What stands in a query is written into logs on its way.
    ///
    /// # Errors
    /// If the name is empty.
    pub fn query(name: &str) -> Result<Self, InvalidCredential> {
        query::check_parameter(name)?;
        Ok(Self(Kind::Query(name.into())))
    }

    /// In a cookie. Browsers send it along with what other sites have them ask for: protect what changes things against that.
    ///
    /// # Errors
    /// If the name is no token.
    pub fn cookie(name: &str) -> Result<Self, InvalidCredential> {
        cookies::check_name(name)?;
        Ok(Self(Kind::Cookie(name.into())))
    }

    /// All that stands there, in its order.
    pub(super) fn each<'r>(&self, request: &RequestHead<'r>, mut visit: impl FnMut(Presented<'r>)) {
        match &self.0 {
            Kind::Header(name) => {
                let lines = request.headers.get_all(name).iter().map(HeaderValue::as_bytes);
                lines.for_each(|line| visit(Presented::Plain(line)));
            }
            Kind::Query(name) => {
                in_query(request.uri, name).for_each(|value| visit(Presented::Encoded(value)));
            }
            Kind::Cookie(name) => {
                in_cookies(request.headers, name).for_each(|value| visit(Presented::Plain(value)));
            }
        }
    }

    pub(super) fn take_out(&self, uri: &mut Uri, headers: &mut HeaderMap) {
        match &self.0 {
            Kind::Header(name) => {
                headers.remove(name);
            }
            Kind::Query(name) => {
                query::set_query(uri, |given| query::is_named(given, name), None);
            }
            Kind::Cookie(name) => {
                cookies::set_cookie(headers, name, None);
            }
        }
    }
}

impl Default for Place {
    /// The field `X-API-Key`.
    fn default() -> Self {
        Self::header(X_API_KEY.clone())
    }
}

/// The values of a parameter, percent-encoded.
pub(super) fn in_query<'r>(uri: &'r Uri, name: &str) -> impl Iterator<Item = &'r str> {
    let named = query::parameters(uri).filter(move |parameter| query::is_named(parameter, name));
    named.map(|parameter| parameter.split_once('=').map_or("", |(_, value)| value))
}

fn in_cookies<'r>(headers: &'r HeaderMap, name: &str) -> impl Iterator<Item = &'r [u8]> {
    let named = cookies::cookies(headers).filter(move |cookie| cookies::is_named(cookie, name));
    named.map(|cookie| {
        let end = cookie.iter().position(|byte| *byte == b'=').map_or(cookie.len(), |equals| equals + 1);
        cookie[end..].trim_ascii()
    })
}

/// What somebody says is a key, as it stands in the request.
pub(super) enum Presented<'r> {
    Plain(&'r [u8]),
    /// Percent-encoded.
    Encoded(&'r str),
}

impl Presented<'_> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Plain(bytes) => bytes.is_empty(),
            Self::Encoded(text) => text.is_empty(),
        }
    }

    pub(super) fn digest(&self) -> SecretDigest {
        match self {
            Self::Plain(bytes) => SecretDigest::of_bytes(bytes),
            Self::Encoded(text) => SecretDigest::of_each(percent_decode_str(text)),
        }
    }
}
