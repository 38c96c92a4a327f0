use std::error::Error;
use std::fmt;

/// Why a request is not known to come from the sender. For logs and metrics; the answer does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(FaultKind);

/// What is wrong, as a word for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The signature field is not there.
    NoSignature,
    /// Nothing in it is a signature of a version that is known.
    NoKnownSignature,
    /// It has more than 16 signatures.
    TooMany,
    /// A field, or the timestamp in one, is there twice.
    Twice,
    /// A field has more than 4 KiB.
    TooLong,
    /// A field that is signed is not there.
    NoSignedField,
    /// The id, which is signed, is not there.
    NoId,
    /// The timestamp is not there.
    NoTimestamp,
    /// The timestamp has something else than digits.
    NoNumber,
    /// The timestamp is too old.
    TooOld,
    /// The timestamp is too far ahead.
    TooNew,
    /// A field is not UTF-8.
    NotText,
    /// Another request would have the same signature.
    Ambiguous,
    /// All keys have ended.
    NoKey,
    /// No key makes any of the signatures.
    NoMatch,
    /// What a scheme of your own says.
    Other,
}

impl FaultKind {
    /// In one word: `no_match`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSignature => "no_signature",
            Self::NoKnownSignature => "no_known_signature",
            Self::TooMany => "too_many",
            Self::Twice => "twice",
            Self::TooLong => "too_long",
            Self::NoSignedField => "no_signed_field",
            Self::NoId => "no_id",
            Self::NoTimestamp => "no_timestamp",
            Self::NoNumber => "no_number",
            Self::TooOld => "too_old",
            Self::TooNew => "too_new",
            Self::NotText => "not_text",
            Self::Ambiguous => "ambiguous",
            Self::NoKey => "no_key",
            Self::NoMatch => "no_match",
            Self::Other => "other",
        }
    }
}

impl Fault {
    /// What is wrong.
    pub fn kind(&self) -> FaultKind {
        self.0
    }
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Self(kind)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            FaultKind::NoSignature => "there is no signature",
            FaultKind::NoKnownSignature => "there is no signature of a version that is known",
            FaultKind::TooMany => "there are more than 16 signatures",
            FaultKind::Twice => "a field or the timestamp in it is there twice",
            FaultKind::TooLong => "a field has more than 4 KiB",
            FaultKind::NoSignedField => "a field that is signed is not there",
            FaultKind::NoId => "the id is not there",
            FaultKind::NoTimestamp => "the timestamp is not there",
            FaultKind::NoNumber => "the timestamp has something else than digits",
            FaultKind::TooOld => "the timestamp is too old",
            FaultKind::TooNew => "the timestamp is too far ahead",
            FaultKind::NotText => "a field is not UTF-8",
            FaultKind::Ambiguous => "a part that is signed holds what ends it",
            FaultKind::NoKey => "all keys have ended",
            FaultKind::NoMatch => "no key makes any of the signatures",
            FaultKind::Other => "it is refused by its scheme",
        })
    }
}

impl Error for Fault {}
