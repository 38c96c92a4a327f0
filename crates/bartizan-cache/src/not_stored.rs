use std::fmt;

/// Why a response was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotStored {
    /// The caller said [`CacheMode::NoStore`](bartizan_core::CacheMode::NoStore), or the request has content, by which it would not be found again.
    Bypass,
    /// It answers a method whose answers are not stored, or a POST and is none that a GET would get.
    Method,
    /// Its status is about one request alone, or says nothing final, or it is a 206 that is not one part of the length that it says.
    Status,
    /// One of both sides says `no-store`.
    NoStore,
    /// It is `private`, and the cache is shared.
    Private,
    /// It was asked for with `Authorization`, is not said to be for all, and the cache is shared.
    Authorization,
    /// It says `must-understand`, and its status is not understood.
    MustUnderstand,
    /// Neither fresh for a time that is known, nor one that may be guessed.
    NoFreshness,
    /// Its `Vary` has a `*`, or is none.
    Vary,
    /// It has more lines than a head that is stored.
    TooManyFields,
    /// Its body is longer than one that is stored.
    TooLong,
    /// Its body is shorter or longer than it said, broke off, or was not read to its end.
    Incomplete,
    /// It may be from before something that changed.
    Changed,
}

impl NotStored {
    /// A word for logs and metrics: `no_store`, `no_freshness`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::Status => "status",
            Self::NoStore => "no_store",
            Self::Private => "private",
            Self::Authorization => "authorization",
            Self::MustUnderstand => "must_understand",
            Self::NoFreshness => "no_freshness",
            Self::Vary => "vary",
            Self::TooManyFields => "too_many_fields",
            Self::TooLong => "too_long",
            Self::Incomplete => "incomplete",
            Self::Changed => "changed",
        }
    }
}

impl fmt::Display for NotStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bypass => "its request went past the cache",
            Self::Method => "answers to this method are not stored",
            Self::Status => "its status is about one request alone",
            Self::NoStore => "it is not to be stored",
            Self::Private => "it is private, and the cache is shared",
            Self::Authorization => "it was asked for with credentials, and the cache is shared",
            Self::MustUnderstand => "its status must be understood, and is not",
            Self::NoFreshness => "nobody knows how long it is fresh",
            Self::Vary => "it answers no other request",
            Self::TooManyFields => "it has too many fields",
            Self::TooLong => "it is too long",
            Self::Incomplete => "it is not complete",
            Self::Changed => "something has changed meanwhile",
        })
    }
}

impl std::error::Error for NotStored {}
