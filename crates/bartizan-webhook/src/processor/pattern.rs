use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// Which types of event are meant.
///
/// | pattern | matches |
/// |---|---|
/// | `invoice.paid` | that type |
/// | `invoice.*` | `invoice.paid`, `invoice.payment.failed`, at any depth; neither `invoice` nor `invoice.` |
/// | `*` | every type, and events without one |
///
/// A star has no other place. The empty pattern matches events without a type.
///
/// ```
/// use bartizan_webhook::processor::Pattern;
///
/// assert!("invoice.*".parse::<Pattern>()?.matches("invoice.payment.failed"));
/// let error = "*.paid".parse::<Pattern>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`*.paid` is no pattern of event types: a star stands alone or after the last dot, as in `invoice.*`"
/// );
/// # Ok::<(), bartizan_webhook::processor::InvalidPattern>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    All,
    /// With the dot.
    Below(String),
    Exact(String),
}

impl Pattern {
    /// Whether an event of that type is meant.
    pub fn matches(&self, event_type: &str) -> bool {
        match &self.0 {
            Kind::All => true,
            Kind::Below(prefix) => {
                event_type.strip_prefix(prefix.as_str()).is_some_and(|rest| !rest.is_empty())
            }
            Kind::Exact(name) => event_type == name,
        }
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidPattern(text.to_owned());
        let kind = match text.strip_suffix('*') {
            Some("") => Kind::All,
            Some(prefix) if prefix.len() > 1 && prefix.ends_with('.') => Kind::Below(prefix.to_owned()),
            Some(_) => return Err(invalid()),
            None => Kind::Exact(text.to_owned()),
        };
        match &kind {
            Kind::Below(name) | Kind::Exact(name) if name.contains('*') => Err(invalid()),
            _ => Ok(Self(kind)),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::All => f.write_str("*"),
            Kind::Below(prefix) => write!(f, "{prefix}*"),
            Kind::Exact(name) => f.write_str(name),
        }
    }
}

/// No pattern of event types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPattern(String);

impl fmt::Display for InvalidPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no pattern of event types: a star stands alone or after the last dot, as in `invoice.*`",
            self.0.escape_debug()
        )
    }
}

impl Error for InvalidPattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_matches() {
        for (pattern, matches, others) in [
            (
                "invoice.paid",
                &["invoice.paid"][..],
                &["invoice.pai", "invoice.paid.", "Invoice.paid", ""][..],
            ),
            (
                "invoice.*",
                &["invoice.paid", "invoice.payment.failed", "invoice.*", "invoice.."],
                &["invoice", "invoice.", "invoices.paid", "", "my.invoice.paid"],
            ),
            ("a.b.*", &["a.b.c"], &["a.b", "a.c"]),
            ("*", &["invoice.paid", "", "*"], &[]),
            ("", &[""], &["a"]),
        ] {
            let parsed: Pattern = pattern.parse().unwrap();
            assert_eq!(parsed.to_string(), pattern);
            assert!(matches.iter().all(|name| parsed.matches(name)), "{pattern}");
            assert!(!others.iter().any(|name| parsed.matches(name)), "{pattern}");
        }
    }

    #[test]
    fn a_star_elsewhere_is_refused() {
        for pattern in ["invoice*", "*.paid", "invoice.*.paid", "**", ".*", "*.*", "in*voice", "a*.*"] {
            assert_eq!(pattern.parse::<Pattern>(), Err(InvalidPattern(pattern.to_owned())), "{pattern}");
        }
    }
}
