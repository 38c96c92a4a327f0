//! Whether a response may be stored (RFC 9111 section 3), and for how long it is fresh (section 4.2). Pure.

use std::time::{Duration, SystemTime};

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};

use crate::NotStored;
use crate::fields::{Delta, Directives, Expires, Names, RequestDirectives};

/// What a response says of its reuse, read once when it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Policy {
    pub(crate) lifetime: Lifetime,
    /// Not to be used without asking the origin.
    pub(crate) no_cache: bool,
    /// Never to be used stale: `must-revalidate`, and in a shared cache `proxy-revalidate` and `s-maxage`.
    pub(crate) must_revalidate: bool,
    pub(crate) stale_while_revalidate: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
    pub(crate) immutable: bool,
}

/// How long it is fresh, counted from its generation at the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// It says so.
    Explicit(Duration),
    /// It says that it had expired so long before that.
    Expired(Duration),
    /// A tenth of the time since it was last modified (section 4.2.2).
    Heuristic(Duration),
    /// Nobody knows: stale at once.
    Unknown,
}

/// The answer to a GET or a POST, and what both say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) is_to_post: bool,
    pub(crate) request: &'a HeaderMap,
    pub(crate) asked: &'a RequestDirectives,
    pub(crate) status: StatusCode,
    pub(crate) says: &'a Directives,
    pub(crate) expires: &'a Expires,
    pub(crate) date: Option<SystemTime>,
    pub(crate) last_modified: Option<SystemTime>,
}

/// How the cache is set, as far as it matters here.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Storing {
    pub(crate) is_shared: bool,
    /// How long it is fresh, by the caller's word.
    pub(crate) ttl: Option<Duration>,
    /// How long it is fresh where nothing says so, and nothing may be guessed.
    pub(crate) default_ttl: Option<Duration>,
}

/// A guess is never longer (RFC 9111 section 4.2.2 leaves it to the cache).
const LONGEST_GUESS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Answer<'_> {
    /// The policy under which it is stored.
    pub(crate) fn policy(&self, storing: &Storing, now: SystemTime) -> Result<Policy, NotStored> {
        let is_shared = storing.is_shared;
        self.may_be_stored(is_shared)?;
        let lifetime = match storing.ttl {
            Some(ttl) => Lifetime::Explicit(ttl),
            None => self.lifetime(storing, now),
        };
        // RFC 9110 section 9.3.3.
        if self.is_to_post
            && !(self.status == StatusCode::OK
                && matches!(lifetime, Lifetime::Explicit(_) | Lifetime::Expired(_)))
        {
            return Err(NotStored::Method);
        }
        let may_be_kept = match lifetime {
            Lifetime::Explicit(_) | Lifetime::Expired(_) => true,
            Lifetime::Heuristic(_) | Lifetime::Unknown => {
                self.says.public
                    || (self.says.private.is_some() && !is_shared)
                    || is_heuristically_cacheable(self.status)
            }
        };
        if !may_be_kept {
            return Err(NotStored::NoFreshness);
        }
        let says = self.says;
        Ok(Policy {
            lifetime,
            no_cache: says.no_cache == Some(Names::All),
            must_revalidate: says.must_revalidate
                || is_shared && (says.proxy_revalidate || says.s_maxage.is_some()),
            stale_while_revalidate: says.stale_while_revalidate.map(seconds),
            stale_if_error: says.stale_if_error.map(seconds),
            immutable: says.immutable,
        })
    }

    fn may_be_stored(&self, is_shared: bool) -> Result<(), NotStored> {
        // A 304 updates what is stored, and 412 and 416 are about one request alone.
        if !(200..=599).contains(&self.status.as_u16()) || matches!(self.status.as_u16(), 304 | 412 | 416) {
            return Err(NotStored::Status);
        }
        if self.says.must_understand {
            // Section 5.2.2.3: who understands the status does not heed a no-store beside it.
            if !is_understood(self.status) {
                return Err(NotStored::MustUnderstand);
            }
        } else if self.says.no_store {
            return Err(NotStored::NoStore);
        }
        if self.asked.no_store {
            return Err(NotStored::NoStore);
        }
        if is_shared && self.says.private == Some(Names::All) {
            return Err(NotStored::Private);
        }
        if is_shared && self.is_for_who_asked() {
            return Err(NotStored::Authorization);
        }
        Ok(())
    }

    /// Section 3.5. An `s-maxage` that is no number permits nothing.
    pub(crate) fn is_for_who_asked(&self) -> bool {
        let says = self.says;
        let is_for_all =
            says.public || says.must_revalidate || matches!(says.s_maxage, Some(Delta::Seconds(_)));
        self.request.contains_key(AUTHORIZATION) && !is_for_all
    }

    /// RFC 9111 section 4.2.1. A value that is none is no reason to think it fresh.
    fn lifetime(&self, storing: &Storing, now: SystemTime) -> Lifetime {
        if let Some(delta) = self.says.s_maxage.filter(|_| storing.is_shared).or(self.says.max_age) {
            return Lifetime::Explicit(seconds(delta));
        }
        match *self.expires {
            Expires::Invalid => return Lifetime::Explicit(Duration::ZERO),
            Expires::At(at) => {
                let generated = self.date.unwrap_or(now);
                return match at.duration_since(generated) {
                    Ok(lifetime) => Lifetime::Explicit(lifetime),
                    Err(before) => Lifetime::Expired(before.duration()),
                };
            }
            Expires::Absent => {}
        }
        let age =
            self.last_modified.and_then(|modified| self.date.unwrap_or(now).duration_since(modified).ok());
        match age {
            Some(age) if self.says.public || is_heuristically_cacheable(self.status) => {
                Lifetime::Heuristic((age / 10).min(LONGEST_GUESS))
            }
            None if is_heuristically_cacheable(self.status) => {
                storing.default_ttl.map_or(Lifetime::Unknown, Lifetime::Heuristic)
            }
            _ => Lifetime::Unknown,
        }
    }
}

fn seconds(delta: Delta) -> Duration {
    Duration::from_secs(delta.seconds().into())
}

/// RFC 9110 section 15.1.
fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// A status whose meaning for a cache is known: all that RFC 9110 section 15 defines and that is final.
fn is_understood(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200..=206 | 300..=303 | 305 | 307 | 308 | 400..=417 | 421 | 422 | 426 | 500..=505
    )
}

impl Policy {
    /// Fresh for so long, and then not to be used without asking.
    pub(crate) fn by_age(ttl: Duration) -> Self {
        Self {
            lifetime: Lifetime::Explicit(ttl),
            no_cache: false,
            must_revalidate: false,
            stale_while_revalidate: None,
            stale_if_error: None,
            immutable: false,
        }
    }
}
