use http::HeaderMap;
use http::header::{
    CONNECTION, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING,
    UPGRADE,
};

/// Fields of one connection, or of the proxy that a request went through (RFC 9110 section 7.6.1, RFC 9111 section 3.1).
const NEVER: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Takes out of a response what is not stored of it: the fields of the connection, those that `Connection` lists, and
/// `names`, those that a qualified `no-cache` or `private` lists.
///
/// Read the directives first: a response may list `Cache-Control` in `Connection`, although it must not.
pub(crate) fn remove_unstored(headers: &mut HeaderMap, names: &[HeaderName]) {
    let connection: Vec<HeaderValue> = headers.get_all(CONNECTION).iter().cloned().collect();
    let options = connection.iter().flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    for option in options {
        if let Ok(name) = HeaderName::from_bytes(option.trim_ascii()) {
            headers.remove(name);
        }
    }
    for name in NEVER.iter().chain(names) {
        headers.remove(name);
    }
}
