//! Messages out of bytes, and a cache before an origin that says two things.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bartizan_cache::CacheLayer;
use bartizan_core::WallClock;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

/// One letter for each field that a cache heeds, and some that it does not.
const NAMES: [(u8, &str); 26] = [
    (b'A', "accept-language"),
    (b'E', "accept-encoding"),
    (b'G', "cache-group-invalidation"),
    (b'L', "location"),
    (b'R', "if-range"),
    (b'T', "cdn-cache-control"),
    (b'a', "age"),
    (b'b', "range"),
    (b'c', "cache-control"),
    (b'd', "date"),
    (b'e', "expires"),
    (b'f', "if-match"),
    (b'g', "cache-groups"),
    (b'h', "content-length"),
    (b'i', "content-range"),
    (b'l', "last-modified"),
    (b'm', "if-none-match"),
    (b'n', "connection"),
    (b'o', "content-location"),
    (b'p', "pragma"),
    (b's', "if-modified-since"),
    (b't', "etag"),
    (b'u', "if-unmodified-since"),
    (b'v', "vary"),
    (b'x', "x-id"),
    (b'z', "authorization"),
];

pub(crate) const BODY: &str = "0123456789";
pub(crate) const ANOTHER: &str = "another";

/// The date that the cache's clock shows at the beginning: 1994-11-06T08:49:37Z.
pub(crate) fn began() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

/// The messages of an input.
pub(crate) fn messages(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let left = rest?;
        let end = left.windows(2).position(|two| two == b"\n\n");
        rest = end.map(|end| &left[end + 2..]);
        Some(&left[..end.unwrap_or(left.len())])
    })
}

/// What is no field is left out.
pub(crate) fn fields(message: &[u8]) -> HeaderMap {
    let lines = message.split(|&byte| byte == b'\n').take(64);
    let field = |line: &[u8]| {
        let (letter, value) = line.split_first()?;
        let name = NAMES.iter().find(|name| name.0 == *letter)?.1;
        Some((HeaderName::from_static(name), HeaderValue::from_bytes(value.trim_ascii()).ok()?))
    };
    lines.filter_map(field).collect()
}

/// What a number before the fields says.
pub(crate) fn number(message: &[u8]) -> u32 {
    let digits = message.iter().take_while(|byte| byte.is_ascii_digit()).take(6);
    digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

/// Whether some member of a list has this name, if one may part it at each comma.
pub(crate) fn says(headers: &HeaderMap, field: &str, name: &str) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let mut members =
        headers.get_all(field).iter().flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    members.any(|member| {
        let member = member.trim_ascii();
        let end = member.iter().position(|byte| !is_tchar(byte)).unwrap_or(member.len());
        member[..end].eq_ignore_ascii_case(name.as_bytes())
    })
}

/// Whether quotes, or backslashes, may change where a list is to be parted.
pub(crate) fn is_quoted(headers: &HeaderMap, field: &str) -> bool {
    headers.get_all(field).iter().any(|line| line.as_bytes().iter().any(|byte| b"\"\\".contains(byte)))
}

/// What a client got, and how often the origin was asked so far.
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) asked: usize,
}

/// One who asks and waits in turn.
pub(crate) struct Client {
    layer: CacheLayer,
    /// What the origin says first; then it says something else that is not to be stored.
    first: (u16, HeaderMap),
    asked: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Client {
    pub(crate) fn new(layer: CacheLayer, status: u16, headers: HeaderMap) -> Self {
        let start = Instant::now();
        let layer = layer.wall_clock(WallClock::from_fn(move || began() + start.elapsed()));
        Self { layer, first: (status, headers), asked: Arc::default() }
    }

    pub(crate) async fn send(&self, method: &str, headers: &HeaderMap) -> Got {
        let inner = service_fn({
            let (asked, first) = (self.asked.clone(), self.first.clone());
            move |request: Request<Full<Bytes>>| answer(&asked, &first, request)
        });
        let mut request = Request::new(Full::default());
        *request.method_mut() = method.parse().expect("a method");
        *request.uri_mut() = http::Uri::from_static("http://a.example/a");
        *request.headers_mut() = headers.clone();
        let answered = self.layer.layer(inner).oneshot(request).await;
        let (head, body) = answered.unwrap_or_else(|never| match never {}).into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).expect("nothing breaks off");
        // What is fetched meanwhile is fetched.
        tokio::time::sleep(Duration::from_millis(1)).await;
        Got { status: head.status.as_u16(), headers: head.headers, body, asked: self.asked().len() }
    }

    /// The fields of all that was asked.
    pub(crate) fn asked(&self) -> Vec<HeaderMap> {
        self.asked.lock().expect("nothing panics meanwhile").clone()
    }
}

fn answer(
    asked: &Mutex<Vec<HeaderMap>>,
    first: &(u16, HeaderMap),
    request: Request<Full<Bytes>>,
) -> Ready<Result<Response<Full<Bytes>>, std::convert::Infallible>> {
    let mut asked = asked.lock().expect("nothing panics meanwhile");
    let mut response = Response::new(Full::from(if asked.is_empty() { BODY } else { ANOTHER }));
    if asked.is_empty() {
        *response.status_mut() = first.0.try_into().expect("a status");
        *response.headers_mut() = first.1.clone();
    } else {
        response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    }
    asked.push(request.into_parts().0.headers);
    ready(Ok(response))
}

/// Time stands still unless one waits.
pub(crate) fn paused<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("no more than memory").block_on(future)
}
