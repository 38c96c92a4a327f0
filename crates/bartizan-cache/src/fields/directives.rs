use http::HeaderMap;
use http::header::CACHE_CONTROL;

use super::members::{Argument, LONGEST_NAME, Member, members};
use super::{Delta, Names};

/// What `Cache-Control` says of a response (RFC 9111 section 5.2.2, RFC 5861, RFC 8246).
///
/// Of a directive that stands there twice the stricter counts: the fewer seconds, the more names. No directive that this cache does not
/// know is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Directives {
    pub(crate) no_store: bool,
    pub(crate) no_cache: Option<Names>,
    pub(crate) private: Option<Names>,
    pub(crate) public: bool,
    pub(crate) must_revalidate: bool,
    pub(crate) proxy_revalidate: bool,
    pub(crate) must_understand: bool,
    pub(crate) immutable: bool,
    pub(crate) max_age: Option<Delta>,
    pub(crate) s_maxage: Option<Delta>,
    pub(crate) stale_while_revalidate: Option<Delta>,
    pub(crate) stale_if_error: Option<Delta>,
}

impl Directives {
    /// Reads all lines of `Cache-Control`.
    pub(crate) fn read(response: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for line in response.get_all(CACHE_CONTROL) {
            for member in members(line.as_bytes()) {
                directives.add(&member);
            }
        }
        directives
    }

    fn add(&mut self, member: &Member<'_>) {
        let argument = member.argument;
        // Defined without an argument (RFC 9111 section 5.2), so one that has any says something else.
        let as_defined = argument == Argument::Absent;
        match member.name(&mut [0; LONGEST_NAME]) {
            b"no-store" => self.no_store = true,
            b"no-cache" => add_names(&mut self.no_cache, argument),
            b"private" => add_names(&mut self.private, argument),
            b"public" => self.public |= as_defined,
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            b"must-understand" => self.must_understand |= as_defined,
            // Its arguments mean nothing (RFC 8246 section 2).
            b"immutable" => self.immutable |= argument != Argument::Malformed,
            b"max-age" => add_delta(&mut self.max_age, argument),
            b"s-maxage" => add_delta(&mut self.s_maxage, argument),
            b"stale-while-revalidate" => add_delta(&mut self.stale_while_revalidate, argument),
            b"stale-if-error" => add_delta(&mut self.stale_if_error, argument),
            _ => {}
        }
    }
}

fn add_names(names: &mut Option<Names>, argument: Argument<'_>) {
    names.get_or_insert(Names::none()).add_all(Names::of(argument));
}

fn add_delta(delta: &mut Option<Delta>, argument: Argument<'_>) {
    let other = Delta::of(argument);
    *delta = Some(delta.map_or(other, |first| first.min(other)));
}

#[cfg(test)]
mod tests {
    use super::super::tests::headers;
    use super::*;

    fn read(line: &str) -> Directives {
        Directives::read(&headers(&[("cache-control", line)]))
    }

    fn names(list: &str) -> Option<Names> {
        Some(Names::of_list(list.as_bytes()))
    }

    fn seconds(seconds: u32) -> Option<Delta> {
        Some(Delta::Seconds(seconds))
    }

    #[test]
    fn every_directive_is_read_in_whatever_case() {
        let all = "No-Store, NO-CACHE, pRIVATE, Public, must-Revalidate, Proxy-revalidate, Must-Understand, Immutable, \
                   Max-Age=1, S-MaxAge=2, Stale-While-Revalidate=3, STALE-IF-ERROR=4";
        let expected = Directives {
            no_store: true,
            no_cache: Some(Names::All),
            private: Some(Names::All),
            public: true,
            must_revalidate: true,
            proxy_revalidate: true,
            must_understand: true,
            immutable: true,
            max_age: seconds(1),
            s_maxage: seconds(2),
            stale_while_revalidate: seconds(3),
            stale_if_error: seconds(4),
        };
        assert_eq!(read(all), expected);
        assert_eq!(read(&all.to_lowercase()), expected);
    }

    #[test]
    fn each_directive_says_what_it_says_and_nothing_else() {
        let none = Directives::default();
        for (line, expected) in [
            ("", none.clone()),
            ("no-store", Directives { no_store: true, ..none.clone() }),
            ("no-cache", Directives { no_cache: Some(Names::All), ..none.clone() }),
            ("private", Directives { private: Some(Names::All), ..none.clone() }),
            ("public", Directives { public: true, ..none.clone() }),
            ("must-revalidate", Directives { must_revalidate: true, ..none.clone() }),
            ("proxy-revalidate", Directives { proxy_revalidate: true, ..none.clone() }),
            ("must-understand", Directives { must_understand: true, ..none.clone() }),
            ("immutable", Directives { immutable: true, ..none.clone() }),
            ("max-age=1", Directives { max_age: seconds(1), ..none.clone() }),
            ("s-maxage=\"1\"", Directives { s_maxage: seconds(1), ..none.clone() }),
            ("stale-while-revalidate=1", Directives { stale_while_revalidate: seconds(1), ..none.clone() }),
            ("stale-if-error=1", Directives { stale_if_error: seconds(1), ..none.clone() }),
        ] {
            assert_eq!(read(line), expected, "{line:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_ignored() {
        for line in
            ["none", "no-transform", "max-ages=3", "max_age=3", "community=\"UCI\"", "no-storage", "=3"]
        {
            assert_eq!(read(line), Directives::default(), "{line:?}");
        }
        assert_eq!(read("private, community=\"UCI\""), read("private"), "RFC 9111 section 5.2.3");
    }

    #[test]
    fn what_stands_in_quotes_is_no_directive() {
        assert_eq!(read("extension=\"max-age=1, no-store\", max-age=60"), read("max-age=60"));
        assert_eq!(read("extension=\"\\\", no-store\", max-age=60"), read("max-age=60"));
    }

    #[test]
    fn qualified_directives_name_fields() {
        assert_eq!(read("no-cache=\"Set-Cookie, X-A\"").no_cache, names("set-cookie,x-a"));
        assert_eq!(read("private=\"Set-Cookie\", max-age=9").private, names("set-cookie"));
        assert_eq!(read("private=Set-Cookie").private, names("set-cookie"), "the token form");
        assert_eq!(read("private=\"Set\\-Cookie\"").private, names("set-cookie"), "a quoted pair");
    }

    #[test]
    fn a_qualified_directive_that_is_not_understood_is_unqualified() {
        for argument in ["=\"\"", "=", "=\"a b\"", "=\"a", "=a b", "=\"*\"", "=\"a\"b"] {
            assert_eq!(read(&format!("no-cache{argument}")).no_cache, Some(Names::All), "{argument:?}");
            assert_eq!(read(&format!("private{argument}")).private, Some(Names::All), "{argument:?}");
        }
    }

    #[test]
    fn seconds_that_are_none_are_kept_as_invalid() {
        for argument in
            ["", "=", "=a", "=-1", "=1.5", "='1'", "= 1", " =1", "=\" 1\"", "=\"1", "=1;2", "=\"\""]
        {
            for name in ["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"] {
                let read = read(&format!("{name}{argument}"));
                let all = [read.max_age, read.s_maxage, read.stale_while_revalidate, read.stale_if_error];
                let said = all.into_iter().flatten().collect::<Vec<_>>();
                assert_eq!(said, [Delta::Invalid], "{name}{argument}");
            }
        }
    }

    #[test]
    fn of_two_the_stricter_counts() {
        for (line, same) in [
            ("max-age=1, max-age=60", "max-age=1"),
            ("max-age=60, max-age=1", "max-age=1"),
            ("max-age=60, max-age=a", "max-age"),
            ("s-maxage, s-maxage=60", "s-maxage"),
            ("stale-if-error=2, stale-if-error=1", "stale-if-error=1"),
            ("private=\"a\", private", "private"),
            ("private, private=\"a\"", "private"),
            ("no-cache=\"a, b\", no-cache=\"c, a\"", "no-cache=\"a, b, c\""),
            ("immutable, immutable", "immutable"),
        ] {
            assert_eq!(read(line), read(same), "{line:?}");
        }
    }

    #[test]
    fn what_restricts_holds_however_it_is_written() {
        for name in ["no-store", "must-revalidate", "proxy-revalidate", "no-cache", "private"] {
            for argument in ["; max-age=60", "=\"", " x", "=?0", "\""] {
                assert_eq!(read(&format!("{name}{argument}")), read(name), "{name}{argument}");
            }
        }
        assert_eq!(read("no-store=1"), read("no-store"));
    }

    #[test]
    fn what_permits_does_only_as_it_is_defined() {
        for member in
            ["public=1", "public; x", "public=\"", "must-understand=1", "must-understand x", "immutable;"]
        {
            assert_eq!(read(member), Directives::default(), "{member}");
        }
        assert_eq!(read("immutable=1"), read("immutable"), "RFC 8246 section 2");
    }

    #[test]
    fn a_quoted_string_torn_over_two_lines_hides_nothing() {
        let torn = headers(&[("cache-control", "private=\"a"), ("cache-control", "b\", no-store")]);
        assert_eq!(Directives::read(&torn), read("private, no-store"));
    }
}
