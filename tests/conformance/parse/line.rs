//! The parts of one line, and the values in them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::run::start;
use crate::scenario::Field;

/// What stands before the first bar, between the bars, after `||`, and after `|||`.
pub(super) struct Parts<'a> {
    pub(super) fields: Vec<&'a str>,
    body: Option<&'a str>,
    trailers: Option<Vec<&'a str>>,
}

impl<'a> Parts<'a> {
    /// Hands the words at the start to `head`, which takes those that it knows. What is left is the first field.
    pub(super) fn of<T>(
        text: &'a str,
        head: impl FnOnce(&mut Words<'a>) -> Result<T, String>,
    ) -> Result<(T, Self), String> {
        let (text, trailers) = match text.split_once("|||") {
            Some((text, trailers)) => (text, Some(segments(trailers)?)),
            None => (text, None),
        };
        let (text, body) = match text.split_once("||") {
            Some((text, body)) => (text, Some(body.trim())),
            None => (text, None),
        };
        let mut words = Words { rest: text.trim() };
        let head = head(&mut words)?;
        Ok((head, Self { fields: segments(words.rest)?, body, trailers }))
    }

    pub(super) fn fields(&self) -> Result<Vec<Field>, String> {
        self.fields.iter().copied().map(field).collect()
    }

    pub(super) fn body(&self) -> Result<Option<Bytes>, String> {
        self.body.map(|body| bytes(body).map(Bytes::from)).transpose()
    }

    pub(super) fn has_trailers(&self) -> bool {
        self.trailers.is_some()
    }

    pub(super) fn trailers(&self) -> Result<Option<Vec<Field>>, String> {
        self.trailers
            .as_ref()
            .map(|trailers| trailers.iter().copied().map(field).collect::<Result<_, _>>())
            .transpose()
    }
}

fn segments(text: &str) -> Result<Vec<&str>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let segments: Vec<_> = text.strip_prefix("| ").unwrap_or(text).split(" | ").map(str::trim).collect();
    if segments.contains(&"") {
        return Err(format!("there is nothing between two bars of {text:?}"));
    }
    Ok(segments)
}

pub(super) struct Words<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Words<'a> {
    pub(super) fn next(&mut self) -> Result<&'a str, String> {
        let (word, rest) = self.rest.split_once(' ').unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        if word.is_empty() { Err("a word is missing".to_owned()) } else { Ok(word) }
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let mut after = Words { rest: self.rest };
        let is_next = after.next() == Ok(word);
        if is_next {
            self.rest = after.rest;
        }
        is_next
    }

    /// Takes the next word if it is a number.
    pub(super) fn number<T: FromStr>(&mut self) -> Option<T> {
        let mut after = Words { rest: self.rest };
        let number = after.next().ok()?.parse().ok()?;
        self.rest = after.rest;
        Some(number)
    }

    pub(super) fn status(&mut self) -> Result<Option<StatusCode>, String> {
        let number = self.number::<u16>();
        number.map(StatusCode::from_u16).transpose().map_err(|error| error.to_string())
    }
}

pub(super) fn field(text: &str) -> Result<Field, String> {
    let (name, value) =
        text.split_once(':').ok_or_else(|| format!("{text:?} is no field, nor a word that is known here"))?;
    let value = value.trim();
    let value = match value.strip_prefix('@') {
        Some(seconds) => date(seconds)?.into_bytes(),
        None => bytes(value)?,
    };
    Ok((parsed(name)?, HeaderValue::from_bytes(&value).map_err(|error| format!("{text:?}: {error}"))?))
}

/// So many seconds after the scenario began.
fn date(seconds: &str) -> Result<String, String> {
    let seconds: i64 = seconds.parse().map_err(|_| format!("@{seconds} is no date"))?;
    let distance = Duration::from_secs(seconds.unsigned_abs());
    Ok(httpdate::fmt_http_date(if seconds < 0 { start() - distance } else { start() + distance }))
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).map(|days: u64| days * 86_400);
    seconds.or(days).map(Duration::from_secs).ok_or_else(|| format!("{text:?} is no time like 5s or 7d"))
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let mut pieces = text.split("\\x");
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let digits = piece.get(..2).ok_or("two digits follow \\x")?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| format!("\\x{digits} is no byte"))?);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    Ok(bytes)
}

pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{text:?}: {error}"))
}
