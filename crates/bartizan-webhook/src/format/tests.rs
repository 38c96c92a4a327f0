mod building;
mod fields;
mod flips;
mod signing;
mod vectors;

use std::time::{Duration, SystemTime};

use bartizan_core::RequestHead;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Request};

use super::*;
use crate::{EventId, Fault, FaultKind, Proof, Scheme};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: u64 = 1_614_265_330;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn headers<'a>(fields: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

fn verify(scheme: &impl Scheme, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Result<Proof, Fault> {
    let mut request = Request::new(());
    *request.headers_mut() = headers.clone();
    let mut check = scheme.begin(&RequestHead::from(&request), now)?;
    // In pieces, as a body comes.
    body.chunks(7).for_each(|piece| check.update(piece));
    check.finish(body)
}

/// A request as the format's own signer makes it.
fn signed(format: &SignatureFormat, key: &str, body: &[u8], now: SystemTime) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(IdPlace::Field(name)) = &format.id {
        headers.insert(name, HeaderValue::from_static("msg_1"));
    }
    format.clone().signer([key]).unwrap().sign(&mut headers, body, now).unwrap();
    headers
}

fn kind(result: Result<Proof, Fault>) -> Option<FaultKind> {
    result.err().map(|fault| fault.kind())
}
