//! What a browser brings back from a login (RFC 6749 section 4.1.2, RFC 9207).

use std::error::Error;
use std::fmt;

use form_urlencoded::parse;
use subtle::ConstantTimeEq;

use super::ErrorCode;
use crate::Secret;
use crate::endpoint::shown;

/// No browser carries more.
const LONGEST: usize = 64 * 1024;

/// Who the redirect has to be from.
pub(super) struct Expected<'a> {
    pub(super) state: &'a Secret,
    pub(super) issuer: Option<&'a str>,
    pub(super) names_itself: bool,
}

/// The members of a redirect that are known.
#[derive(Default)]
struct Members {
    state: Option<Secret>,
    code: Option<Secret>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

/// The code of a redirect: of a whole URL, its path and query, or its query alone.
pub(super) fn read(redirect: &str, expected: &Expected<'_>) -> Result<Secret, RedirectError> {
    let refused = |why| Err(RedirectError { why });
    if redirect.len() > LONGEST {
        return refused(Why::TooLong);
    }
    let members = Members::of(query(redirect))?;
    // First of all, since whatever else it says may be somebody else's.
    let state = members.state.ok_or(RedirectError { why: Why::NoState })?;
    if !bool::from(state.expose().as_bytes().ct_eq(expected.state.expose().as_bytes())) {
        return refused(Why::OtherState);
    }
    if let Some(issuer) = expected.issuer {
        match &members.issuer {
            Some(named) if named != issuer => return refused(Why::OtherIssuer(shown(named))),
            None if expected.names_itself => return refused(Why::NoIssuer),
            _ => {}
        }
    }
    if let Some(error) = &members.error {
        let description = members.description.as_deref().map(shown);
        return refused(Why::Refused { code: ErrorCode::of(error), description });
    }
    members.code.ok_or(RedirectError { why: Why::NoCode })
}

/// Of a URL, a path, or what is one already.
fn query(redirect: &str) -> &str {
    let redirect = redirect.split('#').next().unwrap_or_default();
    match redirect.split_once('?') {
        Some((_, query)) => query,
        None if redirect.starts_with('/') || redirect.contains("://") => "",
        None => redirect,
    }
}

impl Members {
    fn of(query: &str) -> Result<Self, RedirectError> {
        let mut members = Self::default();
        for (name, value) in parse(query.as_bytes()) {
            let value = value.into_owned();
            let is_twice = match &*name {
                "state" => members.state.replace(value.into()).is_some(),
                "code" => members.code.replace(value.into()).is_some(),
                "iss" => members.issuer.replace(value).is_some(),
                "error" => members.error.replace(value).is_some(),
                "error_description" => members.description.replace(value).is_some(),
                _ => false,
            };
            // RFC 6749 section 3.1.
            if is_twice {
                return Err(RedirectError { why: Why::Twice });
            }
        }
        Ok(members)
    }
}

/// Why a redirect brings no code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectError {
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Refused { code: ErrorCode, description: Option<Box<str>> },
    NoState,
    OtherState,
    NoIssuer,
    OtherIssuer(Box<str>),
    NoCode,
    Twice,
    TooLong,
    Used,
}

impl RedirectError {
    pub(super) fn used() -> Self {
        Self { why: Why::Used }
    }

    /// What the server says went wrong: [`AccessDenied`](ErrorCode::AccessDenied) where the user said no.
    pub fn code(&self) -> Option<&ErrorCode> {
        match &self.why {
            Why::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// What it says to whoever reads logs: up to 200 characters of one line, from outside.
    pub fn description(&self) -> Option<&str> {
        match &self.why {
            Why::Refused { description, .. } => description.as_deref(),
            _ => None,
        }
    }

    /// Whether it may be somebody else's, so that the right one may still come: it has no `state`, another one, something twice, or is too long.
    pub fn is_elses(&self) -> bool {
        matches!(self.why, Why::NoState | Why::OtherState | Why::Twice | Why::TooLong)
    }
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match &self.why {
            Why::Refused { code, description } => {
                write!(f, "the login ended with `{code}`")?;
                return description.iter().try_for_each(|description| write!(f, ": {description}"));
            }
            Why::OtherIssuer(named) => {
                return write!(f, "the redirect is from `{named}`, which is not the server that was asked");
            }
            Why::NoState => "the redirect has no `state`: it belongs to no login",
            Why::OtherState => "the redirect has another `state`: it belongs to another login",
            Why::NoIssuer => "the redirect does not say which server it is from, though this one always does",
            Why::NoCode => "the redirect has neither `code` nor `error`",
            Why::Twice => "the redirect has something twice",
            Why::TooLong => "the redirect has more than 64 KiB",
            Why::Used => "the login has come back already",
        };
        f.write_str(why)
    }
}

impl Error for RedirectError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(redirect: &str, issuer: Option<&str>, names_itself: bool) -> Result<String, Why> {
        let state = Secret::from("st+te");
        let expected = Expected { state: &state, issuer, names_itself };
        read(redirect, &expected).map(|code| code.expose().to_owned()).map_err(|error| error.why)
    }

    const ISSUER: &str = "https://as.example";

    #[test]
    fn a_code_is_read_of_a_url_a_path_or_a_query() {
        for redirect in [
            "http://127.0.0.1:7/cb?code=a%2Fb+c&state=st%2Bte",
            "/cb?state=st%2Bte&code=a/b%20c",
            "code=a%2Fb+c&state=st%2Bte&session_state=x&scope=y",
            "com.example.app:/cb?code=a%2Fb+c&state=st%2Bte#fragment",
            "?code=a%2Fb+c&state=st%2Bte&iss=https%3A%2F%2Fas.example",
        ] {
            assert_eq!(of(redirect, Some(ISSUER), false).as_deref(), Ok("a/b c"), "{redirect}");
        }
    }

    #[test]
    fn what_belongs_to_no_login_or_another_one_is_refused_whatever_it_says() {
        for (redirect, why) in [
            ("/favicon.ico", Why::NoState),
            ("http://127.0.0.1:7/cb", Why::NoState),
            ("", Why::NoState),
            ("?code=c", Why::NoState),
            ("?error=access_denied", Why::NoState),
            ("?code=c&state=", Why::OtherState),
            ("?code=c&state=st%2Bt", Why::OtherState),
            ("?code=c&state=st%2Bte2", Why::OtherState),
            ("?code=c&state=st+te", Why::OtherState),
            ("?error=access_denied&state=x", Why::OtherState),
            ("?code=c&state=x&state=st%2Bte", Why::Twice),
            ("?code=c&code=d&state=st%2Bte", Why::Twice),
            ("?code=c&state=st%2Bte&iss=a&iss=a", Why::Twice),
            ("?error=c&state=st%2Bte&error=a", Why::Twice),
            ("?error=c&state=st%2Bte&error_description=a&error_description=", Why::Twice),
            ("?state=st%2Bte", Why::NoCode),
        ] {
            assert_eq!(of(redirect, None, false), Err(why), "{redirect}");
        }
        let long = format!("?code=c&state=st%2Bte&x={}", "x".repeat(LONGEST));
        assert_eq!(of(&long, None, false), Err(Why::TooLong));
    }

    #[test]
    fn the_right_one_may_still_come_after_what_may_be_somebody_elses() {
        for (why, is_elses) in [
            (Why::NoState, true),
            (Why::OtherState, true),
            (Why::Twice, true),
            (Why::TooLong, true),
            (Why::NoIssuer, false),
            (Why::OtherIssuer("x".into()), false),
            (Why::NoCode, false),
            (Why::Used, false),
        ] {
            assert_eq!(RedirectError { why: why.clone() }.is_elses(), is_elses, "{why:?}");
        }
    }

    #[test]
    fn the_server_has_to_be_the_one_that_was_asked() {
        let code = "?code=c&state=st%2Bte";
        let (right, other) = ("&iss=https%3A%2F%2Fas.example", "&iss=https%3A%2F%2Fas.example%2F");
        let redirect = |issuer| format!("{code}{issuer}");
        for names_itself in [false, true] {
            assert!(of(&redirect(right), Some(ISSUER), names_itself).is_ok());
            assert_eq!(
                of(&redirect(other), Some(ISSUER), names_itself),
                Err(Why::OtherIssuer("https://as.example/".into()))
            );
            assert!(of(&redirect(other), None, names_itself).is_ok(), "nobody knows whom to expect");
        }
        assert!(of(code, Some(ISSUER), false).is_ok());
        assert_eq!(of(code, Some(ISSUER), true), Err(Why::NoIssuer));
        // An error from elsewhere is none.
        assert!(matches!(
            of(&format!("?error=access_denied&state=st%2Bte{other}"), Some(ISSUER), false),
            Err(Why::OtherIssuer(_))
        ));
    }

    #[test]
    fn what_the_server_says_is_kept_and_told_in_one_line() {
        let redirect = "?error=access_denied&error_description=they%0Asaid+no&state=st%2Bte&code=c";
        let state = Secret::from("st+te");
        let error =
            read(redirect, &Expected { state: &state, issuer: None, names_itself: false }).unwrap_err();
        assert_eq!(error.code(), Some(&ErrorCode::AccessDenied));
        assert_eq!(error.description(), Some("they said no"));
        assert_eq!(error.to_string(), "the login ended with `access_denied`: they said no");
    }

    proptest! {
        #[test]
        fn no_text_panics(redirect in "\\PC{0,200}", tail in "[?&=%a-f0-9#/:+]{0,60}") {
            let _ = of(&format!("{redirect}{tail}"), Some(ISSUER), true);
        }
    }
}
