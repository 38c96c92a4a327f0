//! What a change makes invalid (RFC 9111 section 4.4, RFC 9875 section 3).

use bartizan_core::RequestHead;
use http::header::{CONTENT_LOCATION, LOCATION};
use http::{Extensions, HeaderMap, StatusCode};

use super::{Asking, Engine};
use crate::Event;
use crate::key::Key;
use crate::named::same_origin;
use crate::structured;

impl Engine {
    /// A success of a method that is not known to be safe, which came at `at`: for everybody, whoever asked.
    pub(crate) fn changed(&self, asking: &Asking, status: StatusCode, headers: &HeaderMap, at: u64) {
        let Some(uri) = &asking.changes else { return };
        if !status.is_success() && !status.is_redirection() {
            return;
        }
        let nobody = Extensions::new();
        let request = RequestHead::new(&asking.method, uri, &asking.request, &nobody, None);
        self.invalidate(&self.keys.key(&request), at);
        for group in structured::invalidated_groups(headers).iter() {
            self.kept.changes.note(self.keys.group(&asking.key, group), at);
        }
        for name in [LOCATION, CONTENT_LOCATION] {
            let named = headers.get(&name).and_then(|value| same_origin(uri, value.as_bytes()));
            let Some(named) = named else { continue };
            self.invalidate(&self.keys.of(&request, &named), at);
        }
    }

    pub(crate) fn invalidate(&self, key: &Key<'_>, at: u64) {
        self.kept.changes.note(key.target_digest, at);
        self.event(&Event::Invalidated { target: key.target() });
    }
}
