//! Holds what was seen against what has to be.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::header::AGE;
use http::{HeaderMap, Response};

use crate::origin::Seen;
use crate::run::Read;
use crate::scenario::{Check, Expected, ExpectedRequest, Verdict};

/// `came` is what came back to the client, nothing if an error did.
pub(crate) fn judge(expected: &Expected, came: Option<&Response<Read>>, seen: &[Seen]) -> Result<(), String> {
    let asked = match expected.verdict {
        Verdict::Cached | Verdict::Local => 0,
        Verdict::Validated | Verdict::Background | Verdict::Failed => 1,
        Verdict::Asked(times) => times,
    };
    let shown = came.map_or_else(
        || "an error".to_owned(),
        |response| format!("{} {:?}", response.status(), response.body().data),
    );
    if seen.len() != asked {
        return Err(format!("the origin was asked {} times, not {asked}: {shown}", seen.len()));
    }
    match came {
        None if expected.verdict != Verdict::Failed => return Err("an error came".to_owned()),
        None => {}
        Some(_) if expected.verdict == Verdict::Failed => {
            return Err(format!("no error came, but {shown}"));
        }
        Some(response) => response_is(expected, response).map_err(|why| format!("{why}: {shown}"))?,
    }
    if !expected.seen.is_empty() && expected.seen.len() != seen.len() {
        return Err(format!("{} requests are described, and there were {asked}", expected.seen.len()));
    }
    for (expected, seen) in expected.seen.iter().zip(seen) {
        request_is(expected, seen).map_err(|why| format!("the origin saw {why}"))?;
    }
    Ok(())
}

fn response_is(expected: &Expected, response: &Response<Read>) -> Result<(), String> {
    let headers = response.headers();
    let is_from_memory =
        matches!(expected.verdict, Verdict::Cached | Verdict::Validated | Verdict::Background);
    let ages: Vec<_> = headers.get_all(AGE).iter().collect();
    let is_age = |age: &[u8]| !age.is_empty() && age.iter().all(u8::is_ascii_digit);
    if is_from_memory && !matches!(ages[..], [age] if is_age(age.as_bytes())) {
        return Err(format!("it is to come from memory, and its age is {ages:?}"));
    }
    if expected.verdict == Verdict::Local && !ages.is_empty() {
        return Err("it is to be the cache's own, and has an age".to_owned());
    }
    if let Some(status) = expected.status
        && response.status() != status
    {
        return Err(format!("the status is not {status}"));
    }
    let read = response.body();
    if read.is_torn != expected.torn {
        return Err(format!("torn: {}", read.is_torn));
    }
    fields_are(&expected.fields, headers)?;
    body_is(expected.body.as_ref(), &read.data)?;
    if let Some(trailers) = &expected.trailers
        && trailers.iter().cloned().collect::<HeaderMap>() != read.trailers
    {
        return Err(format!("the trailers are {:?}", read.trailers));
    }
    Ok(())
}

fn request_is(expected: &ExpectedRequest, seen: &Seen) -> Result<(), String> {
    if let Some((method, target)) = &expected.head
        && (*method != seen.method || *target != seen.target)
    {
        return Err(format!("{} {}", seen.method, seen.target));
    }
    fields_are(&expected.fields, &seen.headers)?;
    body_is(expected.body.as_ref(), &seen.body)
}

fn fields_are(checks: &[Check], headers: &HeaderMap) -> Result<(), String> {
    for check in checks {
        let (name, is_so) = match check {
            Check::Exactly(name, lines) => (name, headers.get_all(name).iter().eq(lines)),
            Check::Absent(name) => (name, !headers.contains_key(name)),
            Check::Present(name) => (name, headers.contains_key(name)),
        };
        if !is_so {
            let lines: Vec<_> = headers.get_all(name).iter().collect();
            return Err(format!("{name} as {lines:?}"));
        }
    }
    Ok(())
}

fn body_is(expected: Option<&Bytes>, data: &Bytes) -> Result<(), String> {
    match expected {
        Some(expected) if expected != data => Err(format!("the body {data:?} and not {expected:?}")),
        _ => Ok(()),
    }
}
