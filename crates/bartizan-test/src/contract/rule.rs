//! The rules, and what is said about one that was broken.

use std::fmt;

/// One rule of the readiness contract.
///
/// `Display` gives the kebab-case name that reports use. More rules may come, hence `non_exhaustive`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Call an inner instance only after that very instance was polled, and once for each readiness.
    CallsUnpolled,
    /// Do not call an inner instance whose last answer to `poll_ready` was `Pending`.
    CallsPending,
    /// Do not call an inner instance whose `poll_ready` failed.
    CallsFailed,
    /// A clone starts out not ready, whatever the original was.
    CopiesReadiness,
    /// A handle that was called and now sits idle keeps nothing that another handle waits for.
    StarvesOthers,
    /// The service works when `tower::buffer::Buffer` owns it; so `poll_ready` fails for good or not at all.
    FailsBehindBuffer,
    /// A dropped response future takes its permit, its inner future and its response with it.
    LeaksOnDrop,
    /// A response future that is dropped before its first poll costs nothing.
    ChargesNeverPolled,
    /// An inner that fails in `poll_ready` is seen as an error that has the inner's among its sources.
    HidesReadinessError,
    /// Whoever returns `Pending` has seen to it that the task is woken.
    LostWakeUp,
    /// A task is woken for progress, not by itself over and over.
    BusyLoop,
    /// `poll_ready` may be polled any number of times before a call, and stays ready.
    TakesTwice,
    /// Every call comes to an end once its inner has answered and the clock has run.
    Hangs,
    /// Nothing panics when the service is used as `tower_service::Service` allows.
    Panics,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CallsUnpolled => "calls-unpolled",
            Self::CallsPending => "calls-pending",
            Self::CallsFailed => "calls-failed",
            Self::CopiesReadiness => "copies-readiness",
            Self::StarvesOthers => "starves-others",
            Self::FailsBehindBuffer => "fails-behind-buffer",
            Self::LeaksOnDrop => "leaks-on-drop",
            Self::ChargesNeverPolled => "charges-never-polled",
            Self::HidesReadinessError => "hides-readiness-error",
            Self::LostWakeUp => "lost-wake-up",
            Self::BusyLoop => "busy-loop",
            Self::TakesTwice => "takes-twice",
            Self::Hangs => "hangs",
            Self::Panics => "panics",
        })
    }
}

/// A rule that a layer broke, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The situation in which it was broken, for a human.
    pub detail: String,
}

impl Violation {
    pub(super) fn new(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, detail: detail.into() }
    }

    /// In some scenarios a hang has a known cause, and is reported as that.
    pub(super) fn hang_as(mut self, rule: Rule) -> Self {
        if self.rule == Rule::Hangs {
            self.rule = rule;
        }
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

/// What all scenarios found: the first finding for each rule, in the order found.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Violation>);

impl Findings {
    pub(super) fn add(&mut self, violation: Violation) {
        if !self.has(violation.rule) {
            self.0.push(violation);
        }
    }

    pub(super) fn has(&self, rule: Rule) -> bool {
        self.0.iter().any(|found| found.rule == rule)
    }

    pub(super) fn into_vec(self) -> Vec<Violation> {
        self.0
    }
}
