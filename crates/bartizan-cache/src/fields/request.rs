use http::HeaderMap;
use http::header::{CACHE_CONTROL, PRAGMA};

use super::Delta;
use super::members::{Argument, LONGEST_NAME, Member, members};

/// What `Cache-Control` says of a request (RFC 9111 section 5.2.1, RFC 5861 section 4), or `Pragma` in its stead.
///
/// Of a directive that stands there twice the stricter counts. What is malformed is taken for the strictest if it asks for a fresh answer,
/// and permits nothing if it would accept a stale one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestDirectives {
    pub(crate) no_cache: bool,
    pub(crate) no_store: bool,
    pub(crate) only_if_cached: bool,
    pub(crate) max_age: Option<u32>,
    pub(crate) min_fresh: Option<u32>,
    pub(crate) max_stale: Option<MaxStale>,
    pub(crate) stale_if_error: Option<u32>,
}

/// How stale an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MaxStale {
    /// Not at all: it says nothing that could be understood.
    Nothing,
    Seconds(u32),
    Any,
}

impl RequestDirectives {
    pub(crate) fn read(request: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for line in request.get_all(CACHE_CONTROL) {
            for member in members(line.as_bytes()) {
                directives.add(&member);
            }
        }
        if !request.contains_key(CACHE_CONTROL) {
            directives.no_cache = pragma_no_cache(request);
        }
        directives
    }

    /// What is stored answers, however old it is.
    pub(crate) fn force_cache(&mut self) {
        let Self { no_store, only_if_cached, stale_if_error, .. } = *self;
        *self = Self {
            no_store,
            only_if_cached,
            stale_if_error,
            max_stale: Some(MaxStale::Any),
            ..Self::default()
        };
    }

    /// What counts where all else is decided by age.
    pub(crate) fn by_age(&self) -> Self {
        Self { no_store: self.no_store, ..Self::default() }
    }

    fn add(&mut self, member: &Member<'_>) {
        let delta = Delta::of(member.argument);
        match member.name(&mut [0; LONGEST_NAME]) {
            b"no-cache" => self.no_cache = true,
            b"no-store" => self.no_store = true,
            b"only-if-cached" => self.only_if_cached = true,
            b"max-age" => at_most(&mut self.max_age, delta.seconds()),
            b"min-fresh" => {
                let asked = if delta == Delta::Invalid { Delta::MOST } else { delta.seconds() };
                self.min_fresh = self.min_fresh.max(Some(asked));
            }
            b"max-stale" => {
                let accepted = match (delta, member.argument) {
                    (Delta::Seconds(seconds), _) => MaxStale::Seconds(seconds),
                    (Delta::Invalid, Argument::Absent) => MaxStale::Any,
                    (Delta::Invalid, _) => MaxStale::Nothing,
                };
                at_most(&mut self.max_stale, accepted);
            }
            b"stale-if-error" => {
                if let Delta::Seconds(seconds) = delta {
                    at_most(&mut self.stale_if_error, seconds);
                }
            }
            _ => {}
        }
    }
}

fn at_most<T: Ord + Copy>(bound: &mut Option<T>, other: T) {
    *bound = Some(bound.map_or(other, |first| first.min(other)));
}

fn pragma_no_cache(request: &HeaderMap) -> bool {
    let mut members = request.get_all(PRAGMA).iter().flat_map(|line| members(line.as_bytes()));
    members.any(|member| member.name(&mut [0; LONGEST_NAME]) == b"no-cache")
}

#[cfg(test)]
mod tests {
    use super::super::tests::headers;
    use super::*;

    fn read(line: &str) -> RequestDirectives {
        RequestDirectives::read(&headers(&[("cache-control", line)]))
    }

    #[test]
    fn each_directive_says_what_it_says_and_nothing_else() {
        let none = RequestDirectives::default();
        for (line, expected) in [
            ("", none),
            ("no-transform, x, min-fresher=3", none),
            ("No-Cache", RequestDirectives { no_cache: true, ..none }),
            ("NO-STORE", RequestDirectives { no_store: true, ..none }),
            ("only-if-cached", RequestDirectives { only_if_cached: true, ..none }),
            ("max-age=5", RequestDirectives { max_age: Some(5), ..none }),
            ("max-age=\"5\"", RequestDirectives { max_age: Some(5), ..none }),
            ("min-fresh=20", RequestDirectives { min_fresh: Some(20), ..none }),
            ("max-stale=10", RequestDirectives { max_stale: Some(MaxStale::Seconds(10)), ..none }),
            ("max-stale=a", RequestDirectives { max_stale: Some(MaxStale::Nothing), ..none }),
            ("max-stale=", RequestDirectives { max_stale: Some(MaxStale::Nothing), ..none }),
            ("max-stale;5", RequestDirectives { max_stale: Some(MaxStale::Nothing), ..none }),
            ("Max-Stale", RequestDirectives { max_stale: Some(MaxStale::Any), ..none }),
            ("stale-if-error=7", RequestDirectives { stale_if_error: Some(7), ..none }),
        ] {
            assert_eq!(read(line), expected, "{line:?}");
        }
    }

    #[test]
    fn of_two_the_stricter_counts() {
        for (line, same) in [
            ("max-age=5, max-age=6", "max-age=5"),
            ("max-age=6, max-age=5", "max-age=5"),
            ("min-fresh=5, min-fresh=6", "min-fresh=6"),
            ("min-fresh=6, min-fresh=5", "min-fresh=6"),
            ("max-stale, max-stale=5", "max-stale=5"),
            ("max-stale=5, max-stale", "max-stale=5"),
            ("max-stale=5, max-stale=6", "max-stale=5"),
            ("max-stale, max-stale=a", "max-stale=a"),
            ("max-stale=a, max-stale=0", "max-stale=a"),
            ("stale-if-error=6, stale-if-error=5", "stale-if-error=5"),
        ] {
            assert_eq!(read(line), read(same), "{line:?}");
        }
    }

    #[test]
    fn what_is_malformed_is_strict() {
        for (line, same) in [
            ("max-age", "max-age=0"),
            ("max-age=a", "max-age=0"),
            ("min-fresh", "min-fresh=2147483648"),
            ("min-fresh=1.5", "min-fresh=2147483648"),
            ("stale-if-error", ""),
            ("no-cache=x", "no-cache"),
            ("no-store;", "no-store"),
        ] {
            assert_eq!(read(line), read(same), "{line:?}");
        }
    }

    #[test]
    fn pragma_counts_only_without_any_cache_control() {
        let no_cache = |fields: &[(&str, &str)]| RequestDirectives::read(&headers(fields)).no_cache;
        assert!(no_cache(&[("pragma", "No-Cache")]));
        assert!(no_cache(&[("pragma", "x"), ("pragma", "y=\"no\", no-cache")]));
        assert!(!no_cache(&[("pragma", "x=\"no-cache\"")]));
        assert!(!no_cache(&[("pragma", "no-cache"), ("cache-control", "max-age=1")]));
        assert!(!no_cache(&[("pragma", "no-cache"), ("cache-control", "")]));
    }
}
