use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bartizan_core::{WallClock, http_date};
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

use crate::link::links;

/// In a response's extensions: what the upstream announced about the end of this endpoint.
///
/// It is there if the answer has a `Deprecation` or a `Sunset` field that can be read. Links alone announce nothing: a
/// policy may be linked by an endpoint that is to stay (RFC 9745 section 3, RFC 8594 section 6).
///
/// Targets of links are as the upstream wrote them, unresolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecated {
    deprecation: Option<Since>,
    sunset: Option<SystemTime>,
    links: Option<Arc<Links>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    Unknown,
    Date(SystemTime),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Links {
    successor: Option<String>,
    deprecation: Option<String>,
    sunset: Option<String>,
}

impl Deprecated {
    /// Whether there is a `Deprecation`. If not, there is a `Sunset` alone.
    pub fn is_deprecated(&self) -> bool {
        self.deprecation.is_some()
    }

    /// Since when, or from when on: the date may lie ahead. `None` where the upstream gave none.
    pub fn since(&self) -> Option<SystemTime> {
        match self.deprecation? {
            Since::Unknown => None,
            Since::Date(date) => Some(date),
        }
    }

    /// When the endpoint is expected to stop answering (RFC 8594).
    pub fn sunset(&self) -> Option<SystemTime> {
        self.sunset
    }

    /// The target of the link with `rel="successor-version"`: what to call in place of it.
    pub fn successor(&self) -> Option<&str> {
        self.links.as_ref()?.successor.as_deref()
    }

    /// The target of the link with `rel="deprecation"`: documentation for people.
    pub fn deprecation_link(&self) -> Option<&str> {
        self.links.as_ref()?.deprecation.as_deref()
    }

    /// The target of the link with `rel="sunset"`: documentation for people.
    pub fn sunset_link(&self) -> Option<&str> {
        self.links.as_ref()?.sunset.as_deref()
    }

    /// What the header fields announce. Nothing is allocated and no clock read where they are silent.
    pub(super) fn read(headers: &HeaderMap, clock: &WallClock) -> Option<Self> {
        let deprecation = headers.get_all(DEPRECATION).iter().find_map(|field| deprecation(field, clock));
        let sunset =
            headers.get_all(SUNSET).iter().find_map(|field| http_date(field.as_bytes(), clock.now()));
        if deprecation.is_none() && sunset.is_none() {
            return None;
        }
        let linked = Links::read(headers);
        let links = (linked != Links::default()).then(|| linked.into());
        Some(Self { deprecation, sunset, links })
    }
}

impl Links {
    fn read(headers: &HeaderMap) -> Self {
        let mut read = Self::default();
        for link in links(headers) {
            for (relation, place) in [
                ("successor-version", &mut read.successor),
                ("deprecation", &mut read.deprecation),
                ("sunset", &mut read.sunset),
            ] {
                if place.is_none() && link.has_rel(relation) {
                    *place = Some(link.target().to_owned());
                }
            }
        }
        read
    }
}

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// RFC 9745: `@1688169599`. Its drafts had `true` and an HTTP date, and much of what is out there sends those.
fn deprecation(field: &HeaderValue, clock: &WallClock) -> Option<Since> {
    let text = field.to_str().ok()?.trim_matches([' ', '\t']);
    if let Some(date) = text.strip_prefix('@') {
        return sf_date(date).map(Since::Date);
    }
    if text.eq_ignore_ascii_case("true") || text == "?1" {
        return Some(Since::Unknown);
    }
    http_date(text.as_bytes(), clock.now()).map(Since::Date)
}

/// What comes after the `@` of a date (RFC 9651 section 3.3.7): an integer of at most 15 digits. Parameters are ignored.
fn sf_date(text: &str) -> Option<SystemTime> {
    let number = text.split(';').next()?.trim_end_matches(' ');
    let (before_1970, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number),
    };
    if !(1..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let distance = Duration::from_secs(digits.parse().ok()?);
    if before_1970 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}
