use std::time::SystemTime;

use http::HeaderMap;
use http::header::{
    ETAG, HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
    LAST_MODIFIED, RANGE,
};

use crate::etag::EntityTag;
use crate::singleton;

/// What is taken out of a request before it validates: conditions that are about somebody else's copy, and parts of it.
const OF_THE_CLIENT: [HeaderName; 6] =
    [IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, IF_RANGE, RANGE];
/// So many of those are conditions, and the others say which part is asked for.
const CONDITIONS: usize = 4;

/// Bytes of `If-None-Match`. Servers take 8 KiB for all fields of a request, or little more.
const LIST_LIMIT: usize = 4096;

/// The conditions by which a request asks whether stored responses still hold (RFC 9111 section 4.3.1).
#[derive(Debug)]
pub(crate) struct Validators {
    if_none_match: Option<HeaderValue>,
    if_modified_since: Option<HeaderValue>,
    of_a_part: bool,
}

impl Validators {
    /// The validators of `stored`, which are complete responses, newest first. `None` if they have none: there is
    /// nothing to ask, and a plain request is the way.
    ///
    /// `If-None-Match` names as many as 4 KiB hold, and at least one. `If-Modified-Since` is about one response: the only
    /// one, or, if no tag is known, the newest that has a `Last-Modified`. It says what the origin said, byte for byte,
    /// since some origins compare no otherwise (RFC 9110 section 13.1.3). `Date` never takes its place.
    pub(crate) fn of(stored: &[&HeaderMap], now: SystemTime) -> Option<Self> {
        let if_none_match = tags(stored);
        let if_modified_since = match stored {
            [_, _, ..] if if_none_match.is_some() => None,
            _ => stored.iter().find_map(|headers| last_modified(headers, now)),
        };
        (if_none_match.is_some() || if_modified_since.is_some()).then_some(Self {
            if_none_match,
            if_modified_since,
            of_a_part: false,
        })
    }

    /// What is stored is the part that the client asks for.
    pub(crate) fn of_a_part(self) -> Self {
        Self { of_a_part: true, ..self }
    }

    /// Puts the validators in the place of all conditions that the client set, and asks for the whole of it, if it is not about a part.
    pub(crate) fn replace_conditions(self, request: &mut HeaderMap) {
        let replaced = if self.of_a_part { &OF_THE_CLIENT[..CONDITIONS] } else { &OF_THE_CLIENT };
        for name in replaced {
            request.remove(name);
        }
        let ours = [(IF_NONE_MATCH, self.if_none_match), (IF_MODIFIED_SINCE, self.if_modified_since)];
        for (name, value) in ours {
            if let Some(value) = value {
                // In a map that is full to the brim the condition is missing, and the answer comes whole.
                let _ = request.try_insert(name, value);
            }
        }
    }
}

fn last_modified(stored: &HeaderMap, now: SystemTime) -> Option<HeaderValue> {
    singleton::date(stored, LAST_MODIFIED, now)?;
    stored.get(LAST_MODIFIED).cloned()
}

fn tags(stored: &[&HeaderMap]) -> Option<HeaderValue> {
    if let [headers] = stored {
        EntityTag::of(headers)?;
        return headers.get(ETAG).cloned();
    }
    let mut list = Vec::new();
    for (index, headers) in stored.iter().enumerate() {
        let Some(tag) = EntityTag::of(headers) else { continue };
        if stored[..index].iter().any(|newer| EntityTag::of(newer) == Some(tag)) {
            continue;
        }
        let before = list.len();
        if before > 0 {
            list.extend_from_slice(b", ");
        }
        tag.write(&mut list);
        if before > 0 && list.len() > LIST_LIMIT {
            list.truncate(before);
        }
    }
    (!list.is_empty()).then(|| HeaderValue::try_from(list).expect("entity tags came out of field values"))
}
