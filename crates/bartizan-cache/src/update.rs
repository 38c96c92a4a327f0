//! Freshening of stored responses (RFC 9111 sections 3.2, 4.3.4 and 4.3.5), and what is stored of a response at all
//! ([`remove_unstored`], section 3.1).

#[cfg(test)]
mod tests;
mod unstored;

use std::time::SystemTime;

use http::HeaderMap;
use http::header::{
    AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderName, LAST_MODIFIED, MaxSizeReached,
};

pub(crate) use self::unstored::remove_unstored;
use crate::etag::EntityTag;
use crate::range::decimal;
use crate::singleton;

/// They say how the stored bytes are to be read, and those stay.
const OF_THE_CONTENT: [HeaderName; 3] = [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE];

/// Which stored responses a 304 freshens, as indices: `stored` could all have been chosen for the request, newest first.
/// None: the 304 is about something that is not here, and the request is sent again without conditions.
///
/// A strong tag means all that have it; a weak one, or without a tag `Last-Modified`, means the newest that matches. A
/// date counts as weak, and is not asked if there is a tag. A 304 without validator means the only one there is, since
/// the cache's own conditions were about nothing else.
pub(crate) fn selected<'a>(
    not_modified: &'a HeaderMap,
    stored: &'a [&'a HeaderMap],
    now: SystemTime,
) -> impl Iterator<Item = usize> + 'a {
    let tag = EntityTag::of(not_modified);
    let strong = tag.filter(|tag| tag.is_strong());
    let newest = if let Some(tag) = tag {
        stored.iter().position(|stored| EntityTag::of(stored).is_some_and(|its| its.matches_weakly(tag)))
    } else if let Some(date) = singleton::date(not_modified, LAST_MODIFIED, now) {
        stored.iter().position(|stored| singleton::date(stored, LAST_MODIFIED, now) == Some(date))
    } else {
        (stored.len() == 1).then_some(0)
    };
    (0..stored.len()).filter(move |&index| match strong {
        Some(tag) => EntityTag::of(stored[index]).is_some_and(|its| its.matches_strongly(tag)),
        None => newest == Some(index),
    })
}

/// The fields of a stored response after `answer`, a 304 or the 200 to a HEAD, freshened it.
///
/// A field of the answer takes the place of all lines of that name, but for those that are not stored, of which `names`
/// are some ([`remove_unstored`]), and for Content-Encoding, Content-Length and Content-Range. An old `Age` does not
/// outlive the answer: how old the response now is follows from the answer alone.
pub(crate) fn freshened(
    stored: &HeaderMap,
    answer: &HeaderMap,
    names: &[HeaderName],
) -> Result<HeaderMap, MaxSizeReached> {
    let mut new = answer.clone();
    remove_unstored(&mut new, names);
    for name in OF_THE_CONTENT {
        new.remove(name);
    }
    let mut headers = stored.clone();
    headers.remove(AGE);
    for name in names.iter().chain(new.keys()) {
        headers.remove(name);
    }
    for (name, value) in &new {
        headers.try_append(name, value.clone())?;
    }
    Ok(headers)
}

/// Whether the fields of a 200 to HEAD are about this stored response, of `length` bytes: then they freshen it. If not,
/// it is stale from now on.
pub(crate) fn head_agrees(stored: &HeaderMap, length: usize, head: &HeaderMap) -> bool {
    let same_validators = [ETAG, LAST_MODIFIED]
        .into_iter()
        .all(|name| !head.contains_key(&name) || head.get_all(&name).iter().eq(stored.get_all(&name).iter()));
    let same_length = !head.contains_key(CONTENT_LENGTH)
        || singleton::value(head, CONTENT_LENGTH).and_then(decimal) == Some(length);
    same_validators && same_length
}
