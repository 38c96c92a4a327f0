//! What is said of a request: how it came to its answer, or what was wrong.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It did what it must not.
    Unsafe(String),
    /// It did not do what it promises.
    Useless(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsafe(why) => write!(f, "it must not: {why}"),
            Self::Useless(why) => write!(f, "it promises more: {why}"),
        }
    }
}

impl Fault {
    /// Whether it may be the same fault of a shorter history.
    pub fn is_like(&self, other: &Self) -> bool {
        let (Self::Unsafe(why) | Self::Useless(why)) = self;
        let (Self::Unsafe(other_why) | Self::Useless(other_why)) = other;
        let start = |why: &str| why.chars().take(12).collect::<String>();
        std::mem::discriminant(self) == std::mem::discriminant(other) && start(why) == start(other_why)
    }
}

/// How a request came to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    Memory,
    StaleFromMemory,
    StaleMeanwhile,
    PartFromMemory,
    NotModifiedFromMemory,
    NothingCached,
    Forwarded,
    Validated,
    AskedAgain,
    StaleForNoAnswer,
    StaleForAnError,
    Failed,
}

impl Way {
    pub const ALL: [Self; 12] = [
        Self::Memory,
        Self::StaleFromMemory,
        Self::StaleMeanwhile,
        Self::PartFromMemory,
        Self::NotModifiedFromMemory,
        Self::NothingCached,
        Self::Forwarded,
        Self::Validated,
        Self::AskedAgain,
        Self::StaleForNoAnswer,
        Self::StaleForAnError,
        Self::Failed,
    ];
}
