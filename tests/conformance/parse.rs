//! The format of the scenarios, a line at a time. What it does not know it refuses.
//!
//! ```text
//! -- a remark
//! # fresh: the scenario's id, and what it shows
//! @ targets: cdn-cache-control          settings: `targets`, `status-field`, `responds`, `fails`, `fails-private`, `fails-shared`
//! > GET /a accept: x | x-a: 1 || body   a client asks, at the origin of all scenarios or at `//b.example/a`
//! < 200 etag: "1" | expires: @10 || one the origin will answer so; several lines answer several requests
//! < after 3s torn 2 200 || one          it takes three seconds, and breaks off after two bytes
//! < disconnect                          or `timeout`: it does not answer
//! = asked 200 etag: "1" | -age || one   what has to be seen
//! ^ GET /a accept: x | -if-none-match   what the origin has to see of the request
//! + 5s                                  time passes
//! = private: cached age: 5 || one       in a private cache only; then there is a line for `shared:` too
//! ```
//!
//! What has to be seen begins with `cached`, `validated`, `background`, `asked`, `asked 2`, `local` or `failed`
//! ([`Verdict`]); then come the status, `unread` if the client leaves the body, `torn` if it breaks off, the fields, and after `||` the
//! body. `name: value` are all lines of that name, `-name` is absent and `+name` present, others may be there. After
//! `|||` come trailers, or none. `@10` as a value is the date ten seconds after the scenario began, and `\xe9` in one is that byte.

mod line;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use self::line::{Parts, duration, field, parsed};
use crate::scenario::{
    Answer, Check, Exchange, Expected, ExpectedRequest, Mode, Reply, Request, Scenario, Step, Verdict,
};

#[derive(Debug, PartialEq)]
pub(crate) struct Refused {
    line: usize,
    why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.why)
    }
}

pub(crate) fn scenarios(text: &str) -> Result<Vec<Scenario>, Refused> {
    let mut scenarios = Vec::new();
    let mut draft = Draft::default();
    let mut last = 0;
    for (index, line) in text.lines().enumerate() {
        let at = |why: String| Refused { line: index + 1, why };
        last = index + 1;
        if line.starts_with('#') {
            scenarios.extend(std::mem::take(&mut draft).finished().map_err(at)?);
        }
        draft.add(index + 1, line.trim_end()).map_err(at)?;
    }
    scenarios.extend(draft.finished().map_err(|why| Refused { line: last, why })?);
    Ok(scenarios)
}

/// A scenario that is being read.
#[derive(Default)]
struct Draft {
    scenario: Option<Scenario>,
    exchange: Option<Unfinished>,
}

struct Unfinished {
    line: usize,
    request: Request,
    answers: Vec<Answer>,
    expected: Vec<(Option<Mode>, Expected)>,
}

impl Draft {
    fn add(&mut self, number: usize, line: &str) -> Result<(), String> {
        if line.is_empty() || line.starts_with("-- ") {
            return Ok(());
        }
        let (sign, text) = line.split_once(' ').ok_or("a line is a sign, a space and text")?;
        if sign == "#" {
            let (id, title) = text.split_once(": ").ok_or("a scenario has an id and a title")?;
            let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if id.is_empty() || !id.chars().all(is_id) || title.trim().is_empty() {
                return Err(format!("{text:?} is no id with a title"));
            }
            self.scenario = Some(Scenario {
                id: id.to_owned(),
                targets: Vec::new(),
                status_field: None,
                responds: false,
                expected_to_fail: Vec::new(),
                steps: Vec::new(),
            });
            return Ok(());
        }
        let scenario = self.scenario.as_mut().ok_or("a scenario begins with `#`")?;
        match sign {
            "@" if scenario.steps.is_empty() && self.exchange.is_none() => set(scenario, text)?,
            "+" => {
                scenario.steps.extend(self.exchange.take().map(Unfinished::finished).transpose()?);
                scenario.steps.push(Step::Wait(duration(text)?));
            }
            ">" => {
                scenario.steps.extend(self.exchange.take().map(Unfinished::finished).transpose()?);
                let request = request(text)?;
                self.exchange =
                    Some(Unfinished { line: number, request, answers: Vec::new(), expected: Vec::new() });
            }
            "<" | "=" | "^" => {
                let exchange = self.exchange.as_mut().ok_or("nobody has asked")?;
                exchange.add(sign, text)?;
            }
            _ => return Err(format!("{sign:?} is no sign that stands here")),
        }
        Ok(())
    }

    fn finished(self) -> Result<Option<Scenario>, String> {
        let Some(mut scenario) = self.scenario else { return Ok(None) };
        scenario.steps.extend(self.exchange.map(Unfinished::finished).transpose()?);
        if !matches!(scenario.steps.last(), Some(Step::Exchange(_))) {
            return Err(format!("{} does not end with what is seen", scenario.id));
        }
        Ok(Some(scenario))
    }
}

impl Unfinished {
    fn add(&mut self, sign: &str, text: &str) -> Result<(), String> {
        match sign {
            "<" if self.expected.is_empty() => self.answers.push(answer(text)?),
            "<" => return Err("the origin's answers stand before what is seen".to_owned()),
            "=" => {
                let (mode, text) = if let Some(text) = text.strip_prefix("private: ") {
                    (Some(Mode::Private), text)
                } else if let Some(text) = text.strip_prefix("shared: ") {
                    (Some(Mode::Shared), text)
                } else {
                    (None, text)
                };
                self.expected.push((mode, expected(text)?));
            }
            _ => {
                let (_, expected) = self.expected.last_mut().ok_or("nothing is seen yet")?;
                expected.seen.push(expected_request(text)?);
            }
        }
        Ok(())
    }

    fn finished(self) -> Result<Step, String> {
        let Self { line, request, answers, expected } = self;
        let of = |mode| {
            let mut fitting = expected.iter().filter(|(of, _)| of.is_none_or(|of| of == mode));
            match (fitting.next(), fitting.next()) {
                (Some((_, expected)), None) => Ok(expected.clone()),
                _ => Err(format!("line {line} has no single `=` for {mode:?}")),
            }
        };
        let (private, shared) = (of(Mode::Private)?, of(Mode::Shared)?);
        Ok(Step::Exchange(Exchange { line, request, answers, private, shared }))
    }
}

fn set(scenario: &mut Scenario, text: &str) -> Result<(), String> {
    match text.split_once(": ") {
        Some(("targets", names)) => {
            scenario.targets = names.split(", ").map(parsed).collect::<Result<_, _>>()?;
        }
        Some(("status-field", name)) => scenario.status_field = Some(parsed(name)?),
        None if text == "responds" => scenario.responds = true,
        None if text == "fails" => scenario.expected_to_fail = Mode::ALL.to_vec(),
        None if text == "fails-private" => scenario.expected_to_fail = vec![Mode::Private],
        None if text == "fails-shared" => scenario.expected_to_fail = vec![Mode::Shared],
        _ => return Err(format!("{text:?} is no setting")),
    }
    Ok(())
}

fn request(text: &str) -> Result<Request, String> {
    let (head, parts) = Parts::of(text, |words| Ok((parsed(words.next()?)?, target(words.next()?)?)))?;
    let (method, target) = head;
    if parts.has_trailers() {
        return Err("a request has no trailers here".to_owned());
    }
    Ok(Request { method, target, fields: parts.fields()?, body: parts.body()?.unwrap_or_default() })
}

fn target(text: &str) -> Result<String, String> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err(format!("{text:?} is no target")) }
}

fn answer(text: &str) -> Result<Answer, String> {
    match text {
        "disconnect" => return Ok(Answer::Disconnect),
        "timeout" => return Ok(Answer::Timeout),
        _ => {}
    }
    let (head, parts) = Parts::of(text, |words| {
        let after = if words.take("after") { duration(words.next()?)? } else { Duration::ZERO };
        let torn =
            if words.take("torn") { Some(words.number().ok_or("torn after how much?")?) } else { None };
        Ok((after, torn, words.status()?.ok_or("an answer has a status")?))
    })?;
    let (after, torn, status) = head;
    if torn.is_some() && status != StatusCode::OK {
        return Err("what breaks off is a 200".to_owned());
    }
    Ok(Answer::Reply(Reply {
        after,
        status,
        fields: parts.fields()?,
        body: parts.body()?.unwrap_or_default(),
        trailers: parts.trailers()?.unwrap_or_default(),
        torn,
    }))
}

fn expected(text: &str) -> Result<Expected, String> {
    let (head, parts) = Parts::of(text, |words| {
        let verdict = match words.next()? {
            "cached" => Verdict::Cached,
            "validated" => Verdict::Validated,
            "background" => Verdict::Background,
            "local" => Verdict::Local,
            "failed" => Verdict::Failed,
            // A number of less than three digits is no status.
            "asked" if words.rest.split(' ').next().is_some_and(|word| word.len() == 1) => {
                Verdict::Asked(words.number().ok_or("asked how often?")?)
            }
            "asked" => Verdict::Asked(1),
            word => return Err(format!("{word:?} is no verdict")),
        };
        Ok((verdict, words.status()?, words.take("unread"), words.take("torn")))
    })?;
    let (verdict, status, unread, torn) = head;
    Ok(Expected {
        verdict,
        status,
        unread,
        torn,
        fields: checks(&parts.fields)?,
        body: parts.body()?,
        trailers: parts.trailers()?,
        seen: Vec::new(),
    })
}

fn expected_request(text: &str) -> Result<ExpectedRequest, String> {
    let (head, parts) = Parts::of(text, |words| {
        let first = words.rest.split(' ').next().unwrap_or_default();
        if first.ends_with(':') || first.starts_with(['-', '+']) {
            return Ok(None);
        }
        Ok(Some((parsed(words.next()?)?, target(words.next()?)?)))
    })?;
    if parts.has_trailers() {
        return Err("a request has no trailers here".to_owned());
    }
    Ok(ExpectedRequest { head, fields: checks(&parts.fields)?, body: parts.body()? })
}

fn checks(texts: &[&str]) -> Result<Vec<Check>, String> {
    let mut checks: Vec<Check> = Vec::new();
    for text in texts {
        if let Some(name) = text.strip_prefix('-') {
            checks.push(Check::Absent(parsed(name)?));
        } else if let Some(name) = text.strip_prefix('+') {
            checks.push(Check::Present(parsed(name)?));
        } else {
            let (name, value) = field(text)?;
            let known = checks.iter_mut().find_map(|check| match check {
                Check::Exactly(of, lines) if *of == name => Some(lines),
                _ => None,
            });
            match known {
                Some(lines) => lines.push(value),
                None => checks.push(Check::Exactly(name, vec![value])),
            }
        }
    }
    Ok(checks)
}
