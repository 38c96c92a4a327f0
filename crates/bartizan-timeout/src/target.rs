use std::fmt;

use http::Uri;

/// Host and port of a request, copied into place: an error must name them, and a call that succeeds must not allocate
/// for that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    length: u8,
    text: [u8; CAPACITY],
}

const CAPACITY: usize = 63;

impl Target {
    pub(crate) const NONE: Self = Self { length: 0, text: [0; CAPACITY] };

    pub(crate) fn of(uri: &Uri) -> Self {
        let Some(authority) = uri.authority() else { return Self::NONE };
        let mut authority = authority.as_str();
        if authority.len() > CAPACITY {
            authority = without_user(authority);
        }
        let mut target = Self::NONE;
        let kept = &authority.as_bytes()[..authority.len().min(CAPACITY)];
        target.text[..kept.len()].copy_from_slice(kept);
        target.length = kept.len() as u8;
        target
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        let text = &self.text[..usize::from(self.length)];
        std::str::from_utf8(text).ok().map(without_user).filter(|text| !text.is_empty())
    }
}

/// User information is a credential. It is cut off before it could be shown, not on every call.
fn without_user(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host_and_port)| host_and_port)
}

/// ` at api.example.com`, or nothing.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().map_or(Ok(()), |text| write!(f, " at {text}"))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str().unwrap_or("none"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(uri: &str) -> String {
        Target::of(&uri.parse().unwrap()).to_string()
    }

    #[test]
    fn names_host_and_port_and_no_credential() {
        assert_eq!(shown("http://user:secret@api.example.com:8080/x"), " at api.example.com:8080");
        assert_eq!(shown("http://user:se@cret@api.example.com/x"), " at api.example.com");
        assert_eq!(shown("http://[::1]/x"), " at [::1]");
        assert_eq!(shown("/x"), "");
    }

    #[test]
    fn a_long_host_is_cut() {
        let host = "a".repeat(100);
        assert_eq!(shown(&format!("http://{host}/")), format!(" at {}", &host[..CAPACITY]));
        let user = "u".repeat(100);
        assert_eq!(shown(&format!("http://{user}:{user}@{host}/")), format!(" at {}", &host[..CAPACITY]));
        assert_eq!(shown(&format!("http://{user}@b.example/")), " at b.example");
    }
}
