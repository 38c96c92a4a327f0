use std::time::SystemTime;

use crate::inbox::DeadLetter;
use crate::processor::Pattern;

/// Which dead letters are meant: those that all its conditions hold for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    source: Option<String>,
    event_type: Option<Pattern>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    reason: Option<String>,
}

impl Filter {
    /// Without conditions.
    pub fn all() -> Self {
        Self::default()
    }

    /// Of that source. Of all by default.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Of the types that the pattern matches. Of all by default.
    #[must_use]
    pub fn event_type(mut self, pattern: Pattern) -> Self {
        self.event_type = Some(pattern);
        self
    }

    /// Dead at that date or since. At any by default.
    #[must_use]
    pub fn died_since(mut self, date: SystemTime) -> Self {
        self.since = Some(date);
        self
    }

    /// Dead before that date. At any by default.
    #[must_use]
    pub fn died_before(mut self, date: SystemTime) -> Self {
        self.until = Some(date);
        self
    }

    /// With that text in the reason, which has the names of the handlers that failed. With any by default.
    #[must_use]
    pub fn reason_contains(mut self, text: impl Into<String>) -> Self {
        self.reason = Some(text.into());
        self
    }

    /// Whether that one is meant.
    pub fn matches(&self, letter: &DeadLetter) -> bool {
        let Self { source, event_type, since, until, reason } = self;
        source.as_ref().is_none_or(|source| letter.event.source() == source)
            && event_type.as_ref().is_none_or(|pattern| pattern.matches(letter.event.event_type()))
            && since.is_none_or(|date| letter.died >= date)
            && until.is_none_or(|date| letter.died < date)
            && reason.as_ref().is_none_or(|text| letter.reason.contains(text.as_str()))
    }
}
