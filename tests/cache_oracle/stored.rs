//! One stored response: for how long it is fresh, how old it is, and what it answers.

use std::collections::BTreeSet;

use crate::dates;
use crate::fields::{
    self, About, Directive, Fields, Seconds, about, directives, has, lines, seconds, single,
};
use crate::message::{Request, Response};
use crate::preferences;

/// How many milliseconds a second has.
pub const SECOND: i64 = 1000;
const WEEK: i64 = 7 * 24 * 3600 * SECOND;

/// RFC 9110 section 15.1.
const HEURISTICALLY_CACHEABLE: [u16; 12] = [200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501];

#[derive(Clone, Debug)]
pub struct Stored {
    pub target: String,
    pub principal: Option<String>,
    /// The fields of the requests that it answered from the origin.
    pub asked: Vec<Fields>,
    pub response: Response,
    /// What its `Cache-Control` says.
    pub directives: Vec<Directive>,
    pub sent: i64,
    pub received: i64,
    /// When it came first, whatever was said of it since.
    pub came: i64,
    /// Its date: when it was generated or last confirmed.
    pub date: i64,
    /// Later ones have greater numbers.
    pub number: usize,
    /// Which number it had first: the same in all shapes that it may have.
    pub id: usize,
    /// Whether the cache promises to have it, as it is here.
    pub is_certain: bool,
    /// A HEAD showed that it is not what the origin has.
    pub is_known_stale: bool,
    /// Something invalidated it.
    pub is_gone: bool,
}

impl Stored {
    /// RFC 9111 section 4.2.3.
    pub fn age(&self, now: i64) -> i64 {
        let age_value = lines(&self.response.fields, "age").next().map_or(0, age_value) * SECOND;
        // Dates have whole seconds, and so has the clock that they are held against.
        let apparent_age = (self.received - self.received.rem_euclid(SECOND) - self.date).max(0);
        let response_delay = self.received - self.sent;
        let corrected_age_value = age_value + response_delay;
        apparent_age.max(corrected_age_value) + (now - self.received)
    }

    /// RFC 9111 sections 4.2.1 and 4.2.2.
    pub fn lifetime(&self, is_shared: bool) -> i64 {
        let directives = &self.directives;
        let s_maxage = if is_shared { seconds(directives, "s-maxage") } else { None };
        let expires = lines(&self.response.fields, "expires").next();
        if let Some(given) = s_maxage.or_else(|| seconds(directives, "max-age")) {
            match given {
                Seconds::Invalid => 0,
                Seconds::Are(seconds) => seconds * SECOND,
            }
        } else if expires.is_some() {
            single(&self.response.fields, "expires")
                .and_then(|text| dates::parse(text, self.received / SECOND))
                .map_or(0, |expires| expires * SECOND - self.date)
        } else if self.is_heuristic(directives) {
            self.last_modified().map_or(0, |modified| ((self.date - modified) / 10).clamp(0, WEEK))
        } else {
            0
        }
    }

    fn is_heuristic(&self, directives: &[Directive]) -> bool {
        let is_public = directives.iter().any(|directive| {
            directive.name == "public" && directive.is_well_formed && directive.argument.is_none()
        });
        is_public || HEURISTICALLY_CACHEABLE.contains(&self.response.status)
    }

    pub fn is_fresh(&self, is_shared: bool, now: i64) -> bool {
        !self.is_known_stale && self.lifetime(is_shared) > self.age(now)
    }

    /// For how long it has been stale.
    pub fn staleness(&self, is_shared: bool, now: i64) -> i64 {
        self.age(now) - self.lifetime(is_shared)
    }

    /// RFC 9111 section 5.2.2.4.
    pub fn must_always_be_validated(&self) -> bool {
        about(&self.directives, "no-cache") == Some(About::All)
    }

    /// RFC 9111 section 4.2.4.
    pub fn may_be_stale(&self, is_shared: bool) -> bool {
        !self.directives.iter().any(|directive| match directive.name.as_str() {
            "must-revalidate" => true,
            "no-cache" => self.must_always_be_validated(),
            "proxy-revalidate" | "s-maxage" => is_shared,
            _ => false,
        })
    }

    /// RFC 9111 section 4.1.
    pub fn varies_to(&self, request: &Request) -> bool {
        let Some(names) = vary(&self.response.fields) else { return false };
        self.asked.iter().any(|asked| names.iter().all(|name| match_in(name, asked, &request.fields)))
    }

    /// Another one answers such requests now.
    pub fn forget(&mut self, request: &Request) {
        let names = vary(&self.response.fields).unwrap_or_default();
        self.asked.retain(|asked| !names.iter().all(|name| match_in(name, asked, &request.fields)));
        self.is_gone |= self.asked.is_empty();
    }

    pub fn tag(&self) -> Option<(bool, &str)> {
        single(&self.response.fields, "etag").and_then(fields::tag)
    }

    pub fn last_modified(&self) -> Option<i64> {
        date_of(&self.response.fields, "last-modified", self.received)
    }

    /// A validator that stands there twice is none (RFC 9110 section 5.5).
    pub fn single_last_modified(&self) -> Option<i64> {
        single(&self.response.fields, "last-modified").and_then(|_| self.last_modified())
    }

    /// RFC 9111 sections 3.2 and 4.3.4, with the exchange that confirmed it.
    pub fn freshen(&mut self, is_shared: bool, with: &Fields, sent: i64, received: i64) {
        let dropped: Vec<String> = ["content-length", "content-encoding", "content-range"]
            .map(String::from)
            .into_iter()
            .chain(hop_by_hop(with))
            .collect();
        let old = &mut self.response.fields;
        let news = with.iter().filter(|line| !dropped.contains(&line.0));
        // The age is that of the answer that confirmed it.
        old.retain(|line| line.0 != "age" && !news.clone().any(|new| new.0 == line.0));
        old.extend(news.cloned());
        *old = stored_fields(is_shared, old);
        self.directives = directives(old, "cache-control");
        (self.sent, self.received, self.date) = (sent, received, date(with, received));
        self.is_known_stale = false;
    }
}

/// RFC 9111 section 3.
pub fn may_be_stored(is_shared: bool, request: &Request, response: &Response) -> bool {
    let directives = directives(&response.fields, "cache-control");
    let says = |name: &str| directives.iter().any(|directive| directive.name == name);
    let permits = |name: &str| {
        directives.iter().any(|directive| {
            directive.name == name && directive.is_well_formed && directive.argument.is_none()
        })
    };
    let permits_by = |name: &str| matches!(seconds(&directives, name), Some(Seconds::Are(_)));
    let must_understand = permits("must-understand");
    // What RFC 9110 section 15 defines.
    let is_understood = matches!(
        response.status,
        200..=205 | 300..=303 | 305 | 307 | 308 | 400..=417 | 421 | 422 | 426 | 500..=505
    );
    let forbids = fields::directives(&request.fields, "cache-control")
        .iter()
        .any(|directive| directive.name == "no-store")
        || if must_understand { !is_understood } else { says("no-store") }
        || is_shared && about(&directives, "private") == Some(About::All)
        || is_shared
            && has(&request.fields, "authorization")
            && !(says("must-revalidate") || permits("public") || permits_by("s-maxage"));
    let allows = permits("public")
        || !is_shared && says("private")
        || has(&response.fields, "expires")
        || says("max-age")
        || is_shared && says("s-maxage")
        || HEURISTICALLY_CACHEABLE.contains(&response.status);
    // Parts are not stored, and a 304 is none of its own.
    request.method == "GET"
        && response.is_whole
        && !matches!(response.status, 206 | 304)
        && !forbids
        && allows
}

/// Whether it says for how long it is fresh.
pub fn is_explicit(is_shared: bool, fields: &Fields) -> bool {
    let directives = directives(fields, "cache-control");
    let says = |name: &str| directives.iter().any(|directive| directive.name == name);
    has(fields, "expires") || says("max-age") || is_shared && says("s-maxage")
}

/// The names that a `Vary` nominates; none if it never matches.
pub fn vary(fields: &Fields) -> Option<Vec<String>> {
    let names = lines(fields, "vary").flat_map(fields::members).filter(|name| !name.is_empty());
    let names = names.map(|name| (name != "*" && fields::is_token(name)).then(|| name.to_ascii_lowercase()));
    Some(names.collect::<Option<BTreeSet<_>>>()?.into_iter().collect())
}

fn match_in(name: &str, asked: &Fields, presented: &Fields) -> bool {
    let (asked, presented) = (normal(asked, name), normal(presented, name));
    let meaning = |value: &Option<String>| preferences::meaning(name, value.as_deref()?);
    asked == presented || meaning(&asked).is_some_and(|asked| meaning(&presented) == Some(asked))
}

/// All lines as one, without the space that means nothing.
pub fn normal(fields: &Fields, name: &str) -> Option<String> {
    let members: Vec<&str> = lines(fields, name).flat_map(fields::members).collect();
    has(fields, name).then(|| members.join(","))
}

/// What belongs to a connection or to a proxy (RFC 9111 section 3.1, RFC 9110 section 7.6.1).
pub fn hop_by_hop(fields: &Fields) -> Vec<String> {
    let listed = lines(fields, "connection").flat_map(fields::members).map(str::to_ascii_lowercase);
    let known = [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
    ];
    known.into_iter().map(String::from).chain(listed).collect()
}

/// RFC 9111 section 3.1.
pub fn stored_fields(is_shared: bool, fields: &Fields) -> Fields {
    let mut dropped = hop_by_hop(fields);
    dropped.extend(named(is_shared, fields));
    fields.iter().filter(|line| !dropped.contains(&line.0)).cloned().collect()
}

/// The fields that `no-cache` and `private` name.
pub fn named(is_shared: bool, fields: &Fields) -> Vec<String> {
    let directives = directives(fields, "cache-control");
    let mut names = Vec::new();
    for (name, is_heeded) in [("no-cache", true), ("private", is_shared)] {
        if let Some(About::Names(named)) = about(&directives, name).filter(|_| is_heeded) {
            names.extend(named);
        }
    }
    names
}

fn age_value(line: &str) -> i64 {
    let first = line.split(',').next().unwrap_or("").trim();
    let is_number = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { first.parse().unwrap_or(i64::MAX).min(1 << 31) } else { 0 }
}

/// RFC 9110 section 6.6.1: without a `Date` it is when it came.
pub fn date(fields: &Fields, received: i64) -> i64 {
    date_of(fields, "date", received).unwrap_or(received)
}

/// In milliseconds: the date on the first line.
pub fn date_of(fields: &Fields, name: &str, now: i64) -> Option<i64> {
    let text = lines(fields, name).next()?;
    Some(dates::parse(text, now / SECOND)? * SECOND)
}
