use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::*;
use crate::parse;
use crate::scenario::{Mode, Step};

/// What is wrong with a response that has the age 1, the field `x: 1`, the body `abc` and the trailer `z: 1`, or with none, after so many
/// requests.
fn complaint(lines: &str, age: bool, came: bool, asked: usize) -> String {
    let mut scenarios = parse::scenarios(&format!("# a: it is\n> GET /a\n{lines}\n")).expect(lines);
    let Some(Step::Exchange(exchange)) = scenarios.pop().and_then(|mut scenario| scenario.steps.pop()) else {
        panic!("{lines} is no exchange")
    };
    let mut trailers = HeaderMap::new();
    trailers.insert(HeaderName::from_static("z"), HeaderValue::from_static("1"));
    let mut response =
        Response::new(Read { data: Bytes::from_static(b"abc"), trailers, is_torn: lines.contains("broken") });
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(HeaderName::from_static("x"), HeaderValue::from_static("1"));
    if age {
        response.headers_mut().insert(AGE, HeaderValue::from_static("1"));
    }
    let headers = response.headers().clone();
    let seen = Seen { method: Method::GET, target: "/a".to_owned(), headers, body: Bytes::new() };
    let came = came.then_some(&response);
    judge(exchange.expected(Mode::Private), came, &vec![seen; asked]).err().unwrap_or_default()
}

#[test]
fn what_is_as_it_has_to_be_is_right() {
    for (lines, age, came, asked) in [
        ("= cached 200 age: 1 | x: 1 | +x | -y || abc ||| z: 1", true, true, 0),
        ("= validated", true, true, 1),
        ("= background", true, true, 1),
        ("= asked 200 -age || abc\n^ GET /a x: 1 | -y || ", false, true, 1),
        ("= asked 2\n^ x: 1\n^ +x", false, true, 2),
        ("= local", false, true, 0),
        ("= failed", false, false, 1),
    ] {
        assert_eq!(complaint(lines, age, came, asked), "", "{lines}");
    }
}

#[test]
fn what_is_not_is_told() {
    const SHOWN: &str = ": 200 OK b\"abc\"";
    for (lines, age, came, asked, wrong) in [
        ("= cached", true, true, 1, "the origin was asked 1 times, not 0: 200 OK b\"abc\""),
        ("= asked", false, true, 0, "the origin was asked 0 times, not 1: 200 OK b\"abc\""),
        ("= asked 2", false, true, 1, "the origin was asked 1 times, not 2: 200 OK b\"abc\""),
        ("= cached", false, true, 0, "it is to come from memory, and its age is []"),
        ("= validated", false, true, 1, "it is to come from memory, and its age is []"),
        ("= background", false, true, 1, "it is to come from memory, and its age is []"),
        ("= local", true, true, 0, "it is to be the cache's own, and has an age"),
        ("= asked 404", false, true, 1, "the status is not 404 Not Found"),
        ("= asked torn", false, true, 1, "torn: false"),
        ("= asked y: 1", false, true, 1, "y as []"),
        ("= asked x: 2", false, true, 1, "x as [\"1\"]"),
        ("= asked x: 1 | x: 1", false, true, 1, "x as [\"1\"]"),
        ("= asked -x", false, true, 1, "x as [\"1\"]"),
        ("= asked +y", false, true, 1, "y as []"),
        ("= asked || xyz", false, true, 1, "the body b\"abc\" and not b\"xyz\""),
        ("= asked |||", false, true, 1, "the trailers are {\"z\": \"1\"}"),
        ("= asked ||| z: 2", false, true, 1, "the trailers are {\"z\": \"1\"}"),
        ("= failed", false, true, 1, "no error came, but 200 OK b\"abc\""),
        ("= asked", false, false, 1, "an error came"),
        ("= asked\n^ POST /a", false, true, 1, "the origin saw GET /a"),
        ("= asked\n^ GET /b", false, true, 1, "the origin saw GET /a"),
        ("= asked\n^ -x", false, true, 1, "the origin saw x as [\"1\"]"),
        ("= asked\n^ GET /a || abc", false, true, 1, "the origin saw the body b\"\" and not b\"abc\""),
        ("= asked\n^ x: 1\n^ x: 1", false, true, 1, "2 requests are described, and there were 1"),
        ("-- broken\n= asked", false, true, 1, "torn: true"),
    ] {
        let told = complaint(lines, age, came, asked);
        assert_eq!(
            told.strip_suffix(SHOWN).unwrap_or(&told),
            wrong.strip_suffix(SHOWN).unwrap_or(wrong),
            "{lines}"
        );
    }
}
