use std::borrow::Cow;
use std::collections::BTreeMap;

/// What an error of a GraphQL answer means for those who call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Too many requests, or too costly ones, for now.
    Throttled,
    /// The server has no room, or a part of it is down.
    Overloaded,
    /// Something failed in the server.
    Transient,
    /// The caller is not known, or may not do that.
    Auth,
    /// The request is wrong, and stays so.
    Invalid,
    /// The answer of the application: what was asked for is not there, or cannot be done.
    Domain,
}

/// What the codes of errors mean: the `code` in an error's `extensions` or, as GitHub has it, the error's `type`.
///
/// | kind | codes |
/// |---|---|
/// | [`Kind::Throttled`] | `THROTTLED`, `RATE_LIMITED`, `RATELIMITED`, `RATE_LIMIT_EXCEEDED`, `REQUEST_RATE_LIMITED`, `TOO_MANY_REQUESTS` |
/// | [`Kind::Overloaded`] | `SERVICE_UNAVAILABLE`, `OVERLOADED`, `UNAVAILABLE`, `REQUEST_CONCURRENCY_LIMITED` |
/// | [`Kind::Transient`] | `INTERNAL_SERVER_ERROR`, `INTERNAL_ERROR`, `TIMEOUT`, `REQUEST_TIMEOUT`, `GATEWAY_TIMEOUT`, `SUBREQUEST_HTTP_ERROR`, `DOWNSTREAM_SERVICE_ERROR` |
/// | [`Kind::Auth`] | `UNAUTHENTICATED`, `UNAUTHORIZED`, `FORBIDDEN`, `ACCESS_DENIED`, `INSUFFICIENT_SCOPES` |
/// | [`Kind::Invalid`] | `GRAPHQL_PARSE_FAILED`, `GRAPHQL_VALIDATION_FAILED`, `BAD_USER_INPUT`, `BAD_REQUEST`, `OPERATION_RESOLUTION_FAILURE`, `PERSISTED_QUERY_NOT_FOUND`, `PERSISTED_QUERY_NOT_SUPPORTED`, `PERSISTED_QUERY_ID_REQUIRED`, `INTROSPECTION_DISABLED`, `MAX_RECURSIVE_SELECTIONS_EXCEEDED`, `MAX_COST_EXCEEDED`, `MAX_NODE_LIMIT_EXCEEDED` |
/// | [`Kind::Domain`] | `NOT_FOUND` |
///
/// They are compared letter by letter. Others may be added, and each of these may get another meaning:
///
/// ```
/// use bartizan_graphql::{Codes, Kind};
///
/// let codes = Codes::standard().with("ComplexityException", Kind::Throttled).with("TIMEOUT", Kind::Invalid);
/// assert_eq!(codes.kind("ComplexityException"), Some(Kind::Throttled));
/// assert_eq!(codes.kind("TIMEOUT"), Some(Kind::Invalid));
/// assert_eq!(codes.kind("ELSE"), None);
/// ```
#[derive(Clone, Debug)]
pub struct Codes {
    own: BTreeMap<Cow<'static, str>, Kind>,
    standard: bool,
}

impl Codes {
    /// Those of the table above.
    pub const fn standard() -> Self {
        Self { own: BTreeMap::new(), standard: true }
    }

    /// None yet.
    pub const fn none() -> Self {
        Self { own: BTreeMap::new(), standard: false }
    }

    /// And this one, whatever it meant before. By default a code means what the table says.
    #[must_use]
    pub fn with(mut self, code: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        self.own.insert(code.into(), kind);
        self
    }

    /// What that code means; `None` if nobody said so.
    pub fn kind(&self, code: &str) -> Option<Kind> {
        self.own.get(code).copied().or_else(|| if self.standard { standard(code) } else { None })
    }
}

impl Default for Codes {
    fn default() -> Self {
        Self::standard()
    }
}

fn standard(code: &str) -> Option<Kind> {
    Some(match code {
        // Shopify; GitHub; Linear; the Apollo router.
        "THROTTLED"
        | "RATE_LIMITED"
        | "RATELIMITED"
        | "RATE_LIMIT_EXCEEDED"
        | "REQUEST_RATE_LIMITED"
        | "TOO_MANY_REQUESTS" => Kind::Throttled,
        "SERVICE_UNAVAILABLE" | "OVERLOADED" | "UNAVAILABLE" | "REQUEST_CONCURRENCY_LIMITED" => {
            Kind::Overloaded
        }
        // What a resolver of Apollo Server throws has the first, if it names no other.
        "INTERNAL_SERVER_ERROR"
        | "INTERNAL_ERROR"
        | "TIMEOUT"
        | "REQUEST_TIMEOUT"
        | "GATEWAY_TIMEOUT"
        | "SUBREQUEST_HTTP_ERROR"
        | "DOWNSTREAM_SERVICE_ERROR" => Kind::Transient,
        "UNAUTHENTICATED" | "UNAUTHORIZED" | "FORBIDDEN" | "ACCESS_DENIED" | "INSUFFICIENT_SCOPES" => {
            Kind::Auth
        }
        "GRAPHQL_PARSE_FAILED"
        | "GRAPHQL_VALIDATION_FAILED"
        | "BAD_USER_INPUT"
        | "BAD_REQUEST"
        | "OPERATION_RESOLUTION_FAILURE"
        | "PERSISTED_QUERY_NOT_FOUND"
        | "PERSISTED_QUERY_NOT_SUPPORTED"
        | "PERSISTED_QUERY_ID_REQUIRED"
        | "INTROSPECTION_DISABLED"
        | "MAX_RECURSIVE_SELECTIONS_EXCEEDED"
        | "MAX_COST_EXCEEDED"
        | "MAX_NODE_LIMIT_EXCEEDED" => Kind::Invalid,
        "NOT_FOUND" => Kind::Domain,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of the table in the docs.
    fn documented() -> Vec<(String, Vec<String>)> {
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let rows = include_str!("codes.rs").lines().filter(|line| line.starts_with("/// | [`Kind::"));
        rows.map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            (quoted(cells[1]).remove(0).replace("Kind::", ""), quoted(cells[2]))
        })
        .collect()
    }

    #[test]
    fn the_table_of_the_docs_is_the_table() {
        let mut named = 0;
        for (kind, codes) in documented() {
            for code in codes {
                let found = Codes::standard().kind(&code).map(|kind| format!("{kind:?}"));
                assert_eq!(found.as_deref(), Some(&*kind), "{code}");
                named += 1;
            }
        }
        let source = include_str!("codes.rs");
        let table =
            source.split_once("fn standard(code").and_then(|(_, rest)| rest.split_once("#[cfg(test)]"));
        let coded = table.map(|(table, _)| table.matches('"').count() / 2);
        assert_eq!(coded, Some(named), "one of them is not in the docs");
    }

    #[test]
    fn what_is_told_goes_before_the_table() {
        let codes = Codes::standard().with("FORBIDDEN", Kind::Throttled).with("MINE", Kind::Domain);
        assert_eq!(codes.kind("FORBIDDEN"), Some(Kind::Throttled));
        assert_eq!(codes.kind("MINE"), Some(Kind::Domain));
        assert_eq!(codes.kind("TIMEOUT"), Some(Kind::Transient));
    }

    #[test]
    fn a_table_of_ones_own_starts_empty() {
        let codes = Codes::none().with("MINE", Kind::Auth);
        assert_eq!((codes.kind("MINE"), codes.kind("THROTTLED")), (Some(Kind::Auth), None));
    }
}
