//! Fields that are structured (RFC 9651): targeted cache control (RFC 9213), and cache groups (RFC 9875).
//!
//! One that does not parse is ignored whole, and so is one that has no member.

use std::convert::Infallible;

use http::{HeaderMap, HeaderName};
use sfv::visitor::{DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ListVisitor};
use sfv::{BareItemFromInput, KeyRef, Parser};

use crate::fields::{Delta, Directives, Groups, Names};

/// What the field `target` says of a response; `None` if it is absent, empty or no dictionary.
///
/// Of a key that stands there twice the last counts (RFC 9651 section 4.2.2), parameters are ignored. A value of another type than its
/// directive has is not taken for one (RFC 9213 section 2.1): such an age is invalid, such a restriction holds unless it is false, such a
/// permission is none.
pub(crate) fn directives(response: &HeaderMap, target: &HeaderName) -> Option<Directives> {
    let mut read = Targeted::default();
    for line in lines(response, target)? {
        Parser::new(line).parse_dictionary_with_visitor(&mut read).ok()?;
    }
    (!read.is_empty).then_some(read.directives)
}

/// `Cache-Groups`: the groups that a response belongs to.
pub(crate) fn groups(response: &HeaderMap) -> Groups {
    strings(response, &HeaderName::from_static("cache-groups")).unwrap_or_default()
}

/// `Cache-Group-Invalidation`: the groups that the response to an unsafe request invalidates.
pub(crate) fn invalidated_groups(response: &HeaderMap) -> Groups {
    strings(response, &HeaderName::from_static("cache-group-invalidation")).unwrap_or_default()
}

/// The strings of a list; `None` if it is none, or has something else for a member (RFC 9651 section 2.2).
fn strings(response: &HeaderMap, name: &HeaderName) -> Option<Groups> {
    let mut read = Strings::default();
    for line in lines(response, name)? {
        Parser::new(line).parse_list_with_visitor(&mut read).ok()?;
    }
    (!read.has_others).then_some(read.groups)
}

/// The lines of a field, which are read one by one since no member may go over two of them; `None` if an empty one is among several,
/// which joined would leave a comma without a member (RFC 9651 section 4.2).
fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<impl Iterator<Item = &'h [u8]> + use<'h>> {
    let lines = || headers.get_all(name).iter().map(|line| line.as_bytes().trim_ascii());
    let well_joined = lines().nth(1).is_none() || lines().all(|line| !line.is_empty());
    well_joined.then(lines)
}

struct Targeted {
    directives: Directives,
    is_empty: bool,
}

impl Default for Targeted {
    fn default() -> Self {
        Self { directives: Directives::default(), is_empty: true }
    }
}

/// A member of a targeted field.
struct Member<'a, 'de> {
    directives: &'a mut Directives,
    name: &'de str,
}

impl Member<'_, '_> {
    /// Takes the value; `None` is an inner list, which no directive has.
    fn is(self, value: Option<&BareItemFromInput<'_>>) {
        let Self { directives, name } = self;
        match name {
            "no-store" => directives.no_store = restricts(value),
            "no-cache" => directives.no_cache = names(value),
            "private" => directives.private = names(value),
            "public" => directives.public = permits(value),
            "must-revalidate" => directives.must_revalidate = restricts(value),
            "proxy-revalidate" => directives.proxy_revalidate = restricts(value),
            "must-understand" => directives.must_understand = permits(value),
            "immutable" => directives.immutable = permits(value),
            "max-age" => directives.max_age = Some(delta(value)),
            "s-maxage" => directives.s_maxage = Some(delta(value)),
            "stale-while-revalidate" => directives.stale_while_revalidate = Some(delta(value)),
            "stale-if-error" => directives.stale_if_error = Some(delta(value)),
            _ => {}
        }
    }
}

fn restricts(value: Option<&BareItemFromInput<'_>>) -> bool {
    value != Some(&BareItemFromInput::Boolean(false))
}

fn permits(value: Option<&BareItemFromInput<'_>>) -> bool {
    value == Some(&BareItemFromInput::Boolean(true))
}

fn names(value: Option<&BareItemFromInput<'_>>) -> Option<Names> {
    match value {
        Some(BareItemFromInput::Boolean(false)) => None,
        Some(BareItemFromInput::String(list)) => Some(Names::of_list(list.as_str().as_bytes())),
        Some(BareItemFromInput::Token(name)) => Some(Names::of_list(name.as_str().as_bytes())),
        _ => Some(Names::All),
    }
}

fn delta(value: Option<&BareItemFromInput<'_>>) -> Delta {
    let Some(BareItemFromInput::Integer(seconds)) = value else { return Delta::Invalid };
    u64::try_from(*seconds).map_or(Delta::Invalid, |seconds| {
        Delta::Seconds(u32::try_from(seconds).map_or(Delta::MOST, |seconds| seconds.min(Delta::MOST)))
    })
}

impl<'de> DictionaryVisitor<'de> for &mut Targeted {
    type Out = ();
    type Error = Infallible;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Infallible> {
        self.is_empty = false;
        Ok(Member { directives: &mut self.directives, name: key.as_str() })
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<'de> EntryVisitor<'de> for Member<'_, 'de> {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'de>, Infallible> {
        Ok(|value: BareItemFromInput<'de>| {
            self.is(Some(&value));
            Ok::<_, Infallible>(Ignored)
        })
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Infallible> {
        self.is(None);
        Ok(Ignored)
    }
}

#[derive(Default)]
struct Strings {
    groups: Groups,
    has_others: bool,
}

impl<'de> ListVisitor<'de> for &mut Strings {
    type Out = ();
    type Error = Infallible;

    fn entry(&mut self) -> Result<impl EntryVisitor<'de>, Infallible> {
        Ok(&mut **self)
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<'de> EntryVisitor<'de> for &mut Strings {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'de>, Infallible> {
        Ok(|value: BareItemFromInput<'de>| {
            match value {
                BareItemFromInput::String(group) => self.groups.extend([group.as_str()]),
                _ => self.has_others = true,
            }
            Ok::<_, Infallible>(Ignored)
        })
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Infallible> {
        self.has_others = true;
        Ok(Ignored)
    }
}

#[cfg(test)]
#[path = "structured_tests.rs"]
mod tests;
