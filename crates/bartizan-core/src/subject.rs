use std::fmt;
use std::sync::Arc;

use http::Uri;

use crate::key::Name;
use crate::{Key, Origin};

/// Whose circuit, bucket or budget it is, for those who are told: errors, hooks, events. Clones share one.
///
/// ```
/// use bartizan_core::{Key, Subject};
///
/// let uri = "https://api.example.com/v1".parse()?;
/// assert_eq!(Subject::of(&Key::ORIGIN, &uri).to_string(), "https://api.example.com");
/// assert_eq!(Subject::of(&Key::named("search"), &uri).to_string(), "`search`");
/// assert_eq!(
///     Subject::of(&Key::named("search").of_origin(), &uri).to_string(),
///     "`search` of https://api.example.com"
/// );
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
#[derive(Clone)]
pub struct Subject(Whose);

#[derive(Clone)]
enum Whose {
    All,
    Beyond,
    Known(Arc<Known>),
}

struct Known {
    origin: Option<Origin>,
    /// As it is shown.
    name: Option<Box<str>>,
}

impl Subject {
    /// Nobody's in particular: it is shared by all calls.
    pub const ALL: Self = Self(Whose::All);

    /// All that found no room.
    pub(crate) const BEYOND: Self = Self(Whose::Beyond);

    /// Of a request to `uri` that has this key.
    pub fn of(key: &Key<'_>, uri: &Uri) -> Self {
        let origin = if key.of_origin { Origin::of(uri).ok() } else { None };
        let name = (key.name != Name::None).then(|| key.name.to_string().into_boxed_str());
        if origin.is_none() && name.is_none() {
            return Self::ALL;
        }
        Self(Whose::Known(Arc::new(Known { origin, name })))
    }

    /// The origin, if it is one of the things that it goes by.
    pub fn origin(&self) -> Option<&Origin> {
        match &self.0 {
            Whose::Known(known) => known.origin.as_ref(),
            _ => None,
        }
    }

    /// The key beside the origin, as it is shown, if there is one.
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Whose::Known(known) => known.name.as_deref(),
            Whose::Beyond => Some("all keys beyond the most that are kept"),
            Whose::All => None,
        }
    }

    /// Whether it is nobody's in particular.
    pub fn is_all(&self) -> bool {
        matches!(self.0, Whose::All)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.origin()) {
            (Some(name), Some(origin)) => write!(f, "{name} of {origin}"),
            (Some(name), None) => f.write_str(name),
            (None, Some(origin)) => f.write_str(origin.as_str()),
            (None, None) => f.write_str("all calls"),
        }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_whose_it_is() {
        let of = |key: Key<'_>, uri: &str| Subject::of(&key, &uri.parse().unwrap());
        for (subject, shown) in [
            (of(Key::ORIGIN, "http://A.example:80/x"), "http://a.example"),
            (of(Key::ORIGIN, "/x"), "all calls"),
            (of(Key::NONE, "http://a.example/"), "all calls"),
            (of(Key::named("n"), "http://a.example/"), "`n`"),
            (of(Key::named("n").of_origin(), "http://a.example/"), "`n` of http://a.example"),
            (of(Key::named("n").of_origin(), "/"), "`n`"),
            (Subject::BEYOND, "all keys beyond the most that are kept"),
        ] {
            assert_eq!(subject.to_string(), shown);
            assert_eq!(format!("{subject:?}"), format!("Subject({shown})"));
            assert_eq!(subject.is_all(), shown == "all calls", "{shown}");
        }
        assert_eq!(of(Key::named("n"), "http://a.example/").origin(), None);
    }
}
