//! What a stored response answers to a request: conditions and ranges of RFC 9110 sections 13 and 14.

use crate::dates;
use crate::fields::{self, Fields, has, lines, single, tags};
use crate::message::{Request, Response};
use crate::stored::{SECOND, Stored, date_of, named};

/// What the client has to get.
#[derive(Clone, Debug)]
pub struct Expected {
    status: u16,
    fields: Fields,
    body: String,
    /// The age that it has to tell, in seconds. One that has just been validated need not.
    age: i64,
    must_tell_age: bool,
    /// When it came: the `Date` of what has none.
    received: i64,
    /// Names that may stand there or not.
    free: Vec<String>,
}

/// What a 304 may have (RFC 9110 section 15.4.5, RFC 9213, RFC 9875).
const OF_A_304: [&str; 8] = [
    "cache-control",
    "content-location",
    "date",
    "etag",
    "expires",
    "vary",
    "cdn-cache-control",
    "cache-groups",
];

impl Stored {
    /// Its answer to `request`, at `now`.
    pub fn answer(&self, is_shared: bool, request: &Request, now: i64, is_validated: bool) -> Expected {
        let mut expected = Expected {
            status: self.response.status,
            fields: self.given_fields(is_shared, is_validated),
            body: self.response.body.clone(),
            age: self.age(now) / SECOND,
            must_tell_age: !is_validated,
            received: self.received,
            free: if is_validated { named(is_shared, &self.response.fields) } else { Vec::new() },
        };
        let is_success = (200..300).contains(&self.response.status);
        if is_success && self.is_not_modified(&request.fields) {
            expected.status = 304;
            let has_tag = has(&expected.fields, "etag");
            expected
                .fields
                .retain(|(name, _)| OF_A_304.contains(&name.as_str()) || name == "last-modified" && !has_tag);
            expected.body.clear();
        } else if let Some((first, last)) = self.range(request) {
            let whole = self.response.body.len();
            expected.fields.retain(|line| line.0 != "content-length" && line.0 != "content-range");
            if first < whole {
                let last = last.min(whole - 1);
                expected.status = 206;
                expected.body = expected.body[first..=last].to_string();
                expected.fields.push(("content-range".into(), format!("bytes {first}-{last}/{whole}")));
                if has(&request.fields, "if-range") {
                    // It need not repeat what the client has.
                    expected.free.extend(
                        ["content-type", "last-modified", "x-body", "x-secret", "x-news"].map(String::from),
                    );
                }
            } else {
                expected.status = 416;
                expected.body.clear();
                expected.fields = vec![("content-range".into(), format!("bytes */{whole}"))];
                expected.free.extend(self.response.fields.iter().map(|line| line.0.clone()));
            }
        }
        if request.method == "HEAD" {
            expected.body.clear();
        }
        expected
    }

    /// Its fields, without those that may not be given on.
    fn given_fields(&self, is_shared: bool, is_validated: bool) -> Fields {
        let dropped = if is_validated { Vec::new() } else { named(is_shared, &self.response.fields) };
        let is_given = |name: &String| name != "age" && !dropped.contains(name);
        self.response.fields.iter().filter(|line| is_given(&line.0)).cloned().collect()
    }

    /// RFC 9110 section 13.2.2, steps 3 and 4, as a cache takes them (RFC 9111 section 4.3.2).
    fn is_not_modified(&self, request: &Fields) -> bool {
        if has(request, "if-none-match") {
            let listed = tags(request, "if-none-match");
            return single(request, "if-none-match") == Some("*")
                || self.tag().is_some_and(|(_, own)| listed.iter().any(|(_, other)| *other == own));
        }
        let since =
            single(request, "if-modified-since").and_then(|text| dates::parse(text, self.received / SECOND));
        let date = || date_of(&self.response.fields, "date", self.received).unwrap_or(self.came);
        let modified = self.single_last_modified().unwrap_or_else(date);
        since.is_some_and(|since| modified <= since * SECOND)
    }

    /// The first and the last byte of what is asked for, if it is one part that is to be given.
    fn range(&self, request: &Request) -> Option<(usize, usize)> {
        if request.method != "GET" || self.response.status != 200 || self.response.body.is_empty() {
            return None;
        }
        if has(&request.fields, "if-range") && !self.is_the_same(single(&request.fields, "if-range")?) {
            return None;
        }
        let (unit, spec) = single(&request.fields, "range")?.split_once('=')?;
        let (first, last) = spec.split_once('-')?;
        let whole = self.response.body.len();
        let number = |digits: &str| {
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().unwrap_or(usize::MAX))
        };
        let range = match (first, last) {
            ("", "") => return None,
            // A suffix of no length is none that could be given.
            ("", suffix) => (whole - number(suffix)?.min(whole), whole),
            (first, "") => (number(first)?, usize::MAX),
            (first, last) => (number(first)?, number(last)?),
        };
        (unit.eq_ignore_ascii_case("bytes") && range.0 <= range.1).then_some(range)
    }

    /// RFC 9110 section 13.1.5.
    fn is_the_same(&self, validator: &str) -> bool {
        if let Some(tag) = fields::tag(validator) {
            return !tag.0 && self.tag() == Some(tag);
        }
        let modified = self.single_last_modified();
        let date = date_of(&self.response.fields, "date", self.received);
        let named = dates::parse(validator, self.received / SECOND).map(|seconds| seconds * SECOND);
        // What has no date is not known to be of a later second (section 8.8.2.2).
        let is_later = date.zip(modified).is_some_and(|(date, modified)| date >= modified + SECOND);
        named.is_some() && named == modified && is_later
    }
}

impl Expected {
    /// Says how the answer differs from what it should be.
    pub fn compare(&self, answer: &Response) -> Result<(), String> {
        if answer.status != self.status {
            return Err(format!("status {} instead of {}", answer.status, self.status));
        }
        if answer.body != self.body || !answer.is_whole {
            return Err(format!("body {:?} instead of {:?}", answer.body, self.body));
        }
        let ages: Vec<&str> = lines(&answer.fields, "age").collect();
        if ages != [self.age.to_string()] && (self.must_tell_age || !ages.is_empty()) {
            return Err(format!("age {ages:?} instead of {}", self.age));
        }
        compare_fields(&self.fields, answer, self.received, &self.free)
    }
}

/// Holds all fields but `Age` against each other. What has no date may get that of when it came.
pub fn compare_fields(
    expected: &Fields,
    answer: &Response,
    received: i64,
    free: &[String],
) -> Result<(), String> {
    let mut names: Vec<&str> = expected.iter().chain(&answer.fields).map(|line| line.0.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| *name != "age" && !free.iter().any(|free| free == name));
    for name in names {
        let wanted: Vec<&str> = lines(expected, name).collect();
        let given: Vec<&str> = lines(&answer.fields, name).collect();
        let is_added = match (name, &given[..], wanted.is_empty()) {
            ("date", [date], _) => dates::parse(date, received / SECOND) == Some(received / SECOND),
            ("content-length", [length], true) => *length == answer.body.len().to_string(),
            _ => false,
        };
        if wanted != given && !is_added {
            return Err(format!("{name}: {given:?} instead of {wanted:?}"));
        }
    }
    Ok(())
}
