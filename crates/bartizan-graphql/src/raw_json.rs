use std::fmt;
use std::str;

use bytes::Bytes;
use serde::Serialize;
use serde::de::Deserialize;
use serde::ser::{Error as _, Serializer};
use serde_json::value::RawValue;

/// JSON as it was written: a part of the answer's own bytes, which is read when it is asked for.
///
/// `Debug` shows its length alone.
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson(Bytes);

impl RawJson {
    /// The part of `whole` that `part`, which was read of it, stands in.
    pub(crate) fn of(whole: &Bytes, part: &RawValue) -> Self {
        Self(whole.slice_ref(part.get().as_bytes()))
    }

    /// Text that is known to be JSON.
    pub(crate) fn known(text: String) -> Self {
        Self(text.into())
    }

    /// The text.
    #[allow(clippy::missing_panics_doc, reason = "it was read as JSON before")]
    pub fn get(&self) -> &str {
        str::from_utf8(&self.0).expect("JSON is UTF-8: it was read before")
    }

    /// Reads it.
    ///
    /// # Errors
    /// If it is something else.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        // Whether it is UTF-8 is seen once for all, and not for each text in it.
        serde_json::from_str(self.get())
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.0 == "null"
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = self.read().map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({} bytes)", self.0.len())
    }
}
