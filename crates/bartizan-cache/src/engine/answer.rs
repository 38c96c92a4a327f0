//! What a stored response makes of a request that it answers.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{
    AGE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, RANGE,
};
use http::{HeaderMap, Method, Response, StatusCode};
use tokio::time::Instant;

use super::Engine;
use super::partial::cut;
use crate::conditions::{self, Verdict};
use crate::range::{Portion, portion, within};
use crate::stored::Stored;

impl Engine {
    /// `None` if only the origin can answer.
    pub(crate) fn answer(
        &self,
        method: &Method,
        request: &HeaderMap,
        stored: &Stored,
        now: Instant,
        wall: SystemTime,
    ) -> Option<(Response<Bytes>, Option<HeaderMap>)> {
        let known =
            conditions::Stored { status: stored.status, headers: &stored.headers, received: stored.received };
        let age = seconds(stored.born.age(now));
        match conditions::evaluate(method, request, known, wall) {
            Verdict::Forward => return None,
            Verdict::Unmodified => {
                let mut response = empty(StatusCode::NOT_MODIFIED);
                *response.headers_mut() = conditions::not_modified(&stored.headers, &self.rules.targets);
                response.headers_mut().insert(AGE, age);
                return Some((response, None));
            }
            Verdict::Continue => {}
        }
        let mut response = Response::new(stored.body.clone());
        *response.status_mut() = stored.status;
        *response.headers_mut() = stored.headers.clone();
        // Its place is there, and inserting would make room for one more first.
        if let Some(place) = response.headers_mut().get_mut(AGE) {
            *place = age;
        }
        if *method == Method::HEAD {
            *response.body_mut() = Bytes::new();
            return Some((response, None));
        }
        if let Some(content) = stored.part() {
            let part = within(request, &stored.headers, &content, wall)?;
            let bytes = part.bytes();
            cut(&mut response, &part);
            let first = content.bytes.start;
            *response.body_mut() = stored.body.slice(bytes.start - first..bytes.end - first);
            return Some((response, None));
        }
        if stored.status == StatusCode::OK && request.contains_key(RANGE) {
            match portion(method, request, &stored.headers, stored.body.len(), wall) {
                Portion::Whole => {}
                Portion::Part(part) => {
                    cut(&mut response, &part);
                    *response.body_mut() = stored.body.slice(part.bytes());
                    return Some((response, None));
                }
                Portion::Unsatisfiable(content_range) => {
                    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                    response.headers_mut().insert(CONTENT_RANGE, content_range);
                    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
                    // There is nothing to be decoded, or to be read as anything.
                    for name in [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE] {
                        response.headers_mut().remove(name);
                    }
                    *response.body_mut() = Bytes::new();
                    return Some((response, None));
                }
            }
        }
        Some((response, stored.trailers.clone()))
    }
}

/// In one allocation, where there are several in `HeaderValue::from`.
pub(super) fn seconds(age: Duration) -> HeaderValue {
    let mut digits = [0; 20];
    let mut first = digits.len();
    let mut left = age.as_secs();
    loop {
        first -= 1;
        digits[first] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            return HeaderValue::from_bytes(&digits[first..]).expect("digits");
        }
    }
}

pub(super) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
