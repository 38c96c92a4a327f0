use std::convert::Infallible;

use bartizan_auth::oauth::{OAuthClient, PendingLogin, RedirectError, ServerMetadata};
use bartizan_auth::{EndpointError, Transport};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::service_fn;

fn client(status: u16, body: &Bytes) -> OAuthClient {
    let body = body.clone();
    let answer = service_fn(move |_: Request<Full<Bytes>>| {
        let body = Full::new(body.clone());
        async move { Ok::<_, Infallible>(Response::builder().status(status).body(body).expect("a status")) }
    });
    let server = ServerMetadata::new("https://as.example/token").expect("a URL").issuer("https://as.example");
    OAuthClient::new(Transport::new(answer), server.require_issuer_on_redirects(), "c")
}

/// The first byte chooses the status; the rest is what a token endpoint answers. What is read of it may be sent, and what is shown of it is short.
pub fn oauth_token(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let status = [200, 201, 400, 401, 429, 500][usize::from(*first) % 6];
    let client = client(status, &Bytes::copy_from_slice(rest));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    match runtime.block_on(client.client_credentials().token()) {
        Ok(token) => {
            assert!(status < 300);
            let access = token.access_token();
            assert!(
                access.expose().bytes().all(|byte| byte.is_ascii_graphic()) && !access.expose().is_empty()
            );
            assert!(token.lifetime().is_none_or(|lifetime| !lifetime.is_zero()));
        }
        Err(error) => shown(&error),
    }
}

fn shown(error: &EndpointError) {
    let shown = error.to_string();
    assert!(shown.chars().count() < 600 && !shown.chars().any(char::is_control), "{shown:?}");
    assert!(!(error.is_permanent() && error.is_uncertain()));
    assert!(
        !error.is_permanent() || !matches!(error.status().map(|status| status.as_u16()), Some(429 | 500))
    );
}

/// What a browser brings back. There is a code only where the state, the issuer and the code stand in it once each, by another parser's word.
pub fn oauth_redirect(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut login = client(200, &Bytes::new()).resume(PendingLogin::new("st+te", None, "http://127.0.0.1/"));
    let target = text.split('#').next().unwrap_or_default();
    let query = target.split_once('?').map_or(target, |(_, query)| query);
    let pairs: Vec<(String, String)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (form_decoded(name), form_decoded(value)))
        .collect();
    let only = |name: &str| {
        let mut named = pairs.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        named.next().filter(|_| named.next().is_none())
    };
    match login.redirected(text) {
        Ok(_) => {
            assert_eq!((only("state"), only("iss")), (Some("st+te"), Some("https://as.example")));
            assert!(only("code").is_some());
            assert!(login.redirected(text).is_err_and(|error| !error.is_elses()), "it is used");
        }
        Err(error) => {
            assert!(error.to_string().chars().count() < 600);
            assert!(
                !error.is_elses() || login.redirected(text).is_err_and(|again: RedirectError| again == error)
            );
            let is_ours = only("state") == Some("st+te");
            assert!(error.code().is_none() || is_ours, "{error}");
        }
    }
}

/// What two hexadecimal digits follow is a byte, a `+` is a space, and all else is itself.
fn form_decoded(text: &str) -> String {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::new();
    while let [first, after @ ..] = rest {
        rest = after;
        let hexadecimal = after.get(..2).filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        match (*first, hexadecimal.and_then(|pair| std::str::from_utf8(pair).ok())) {
            (b'%', Some(pair)) => {
                bytes.push(u8::from_str_radix(pair, 16).expect("two digits"));
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
