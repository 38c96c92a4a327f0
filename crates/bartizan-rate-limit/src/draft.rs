//! `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers, which are structured fields (RFC 9651).
//!
//! A field that is no list is ignored whole (RFC 9651 section 4.2). Within a list an item that breaks the draft's rules is ignored by
//! itself: "malformed RateLimit header fields MUST be ignored" is said of fields, and the other items are well-formed policies of their own.

use std::convert::Infallible;

use http::{HeaderMap, HeaderName};
use sfv::visitor::{
    DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ListVisitor, ParameterVisitor,
};
use sfv::{BareItemFromInput, KeyRef, Parser};

use crate::said::{Window, Windows};

static RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What both fields say together.
pub(crate) fn read(headers: &HeaderMap) -> Windows {
    let policies = Items::read(headers, &RATELIMIT_POLICY).unwrap_or_default();
    let mut windows = Windows::NONE;
    let limits = Items::read(headers, &RATELIMIT).unwrap_or_else(|| {
        if let Some(window) = Spelling07::read(headers).and_then(|old| old.window()) {
            windows.offer(window);
        }
        Items::default()
    });
    for item in limits.iter().filter(|item| !policies.count_other_units(item)) {
        if let Some(limit) = item.service_limit() {
            let policy = policies.iter().filter_map(Item::quota_policy).find(|p| p.policy == limit.policy);
            let (quota, lasts) = policy.map(|policy| (policy.limit, policy.lasts)).unwrap_or_default();
            windows.offer(Window { limit: quota, lasts, ..limit });
        }
    }
    for item in policies.iter().filter(|item| !policies.count_other_units(item)) {
        // One that has its limit already is less restrictive than that, and changes nothing.
        if let Some(policy) = item.quota_policy() {
            windows.offer(policy);
        }
    }
    windows
}

/// The items of a list that are looked at: its first 16. Whatever follows only has to be well-formed.
#[derive(Default)]
struct Items {
    items: [Item; Items::MOST],
    len: usize,
}

impl Items {
    const MOST: usize = 16;

    /// All lines of the field; `None` if one of them is no list. That lines are read one by one rather than joined is allowed by RFC 9651
    /// section 4.2, since no member may go over two of them.
    fn read(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut items = Self::default();
        for line in headers.get_all(name) {
            Parser::new(line.as_bytes()).parse_list_with_visitor(&mut items).ok()?;
        }
        Some(items)
    }

    fn iter(&self) -> impl Iterator<Item = &Item> {
        self.items[..self.len].iter()
    }

    /// Whether the policy that has the name of `item` counts anything but requests.
    fn count_other_units(&self, item: &Item) -> bool {
        self.iter().any(|policy| policy.name == item.name && policy.counts_other_units)
    }
}

/// An item of either field.
#[derive(Clone, Copy, Default)]
struct Item {
    /// A hash of the name; `None` if that is no string.
    name: Option<u64>,
    partition: Parameter,
    quota: Parameter,
    seconds: Parameter,
    remaining: Parameter,
    reset: Parameter,
    counts_other_units: bool,
}

impl Item {
    /// As an item of `RateLimit-Policy`, if it is a valid one.
    fn quota_policy(&self) -> Option<Window> {
        let seconds = self.seconds.optional()?;
        Some(Window {
            policy: self.policy()?,
            limit: Some(self.quota.required()?),
            lasts: if seconds == Some(0) { return None } else { seconds.map(Window::seconds) },
            remaining: None,
            resets_in: None,
        })
    }

    /// As an item of `RateLimit`, if it is a valid one.
    fn service_limit(&self) -> Option<Window> {
        Some(Window {
            policy: self.policy()?,
            limit: None,
            lasts: None,
            remaining: Some(self.remaining.required()?),
            resets_in: self.reset.optional()?.map(Window::seconds),
        })
    }

    /// Name and partition key, by which items of both fields belong together.
    fn policy(&self) -> Option<u64> {
        let name = self.name?;
        Some(match self.partition.optional()? {
            Some(partition) => hash(name, &partition.to_be_bytes()),
            None => name,
        })
    }
}

/// A parameter, of which only the last of its name counts (RFC 9651 section 4.2.3.2).
#[derive(Clone, Copy, Default)]
enum Parameter {
    #[default]
    Absent,
    Is(u64),
    Malformed,
}

impl Parameter {
    fn non_negative(value: &BareItemFromInput<'_>) -> Self {
        match value {
            BareItemFromInput::Integer(number) => u64::try_from(*number).map_or(Self::Malformed, Self::Is),
            _ => Self::Malformed,
        }
    }

    fn bytes(value: &BareItemFromInput<'_>) -> Self {
        match value {
            BareItemFromInput::ByteSequence(bytes) => Self::Is(hash(START, bytes)),
            _ => Self::Malformed,
        }
    }

    fn required(self) -> Option<u64> {
        self.optional().flatten()
    }

    /// `None` if it makes its item invalid.
    fn optional(self) -> Option<Option<u64>> {
        match self {
            Self::Absent => Some(None),
            Self::Is(value) => Some(Some(value)),
            Self::Malformed => None,
        }
    }
}

const START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a. Fixed and not secret: who can choose names can choose the numbers as well.
fn hash(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

impl<'de> ListVisitor<'de> for &mut Items {
    type Out = ();
    type Error = Infallible;

    fn entry(&mut self) -> Result<impl EntryVisitor<'de>, Infallible> {
        let item = self.items.get_mut(self.len);
        self.len = (self.len + 1).min(Items::MOST);
        Ok(item)
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<'de> EntryVisitor<'de> for &mut Item {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'de>, Infallible> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Infallible> {
        Ok(Ignored)
    }
}

impl<'de> ItemVisitor<'de> for &mut Item {
    type Out = ();
    type Error = Infallible;

    fn bare_item(
        self,
        name: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de, Out = ()>, Infallible> {
        if let BareItemFromInput::String(name) = name {
            self.name = Some(hash(START, name.as_str().as_bytes()));
        }
        Ok(self)
    }
}

impl<'de> ParameterVisitor<'de> for &mut Item {
    type Out = ();
    type Error = Infallible;

    fn parameter(&mut self, key: &'de KeyRef, value: BareItemFromInput<'de>) -> Result<(), Infallible> {
        match key.as_str() {
            "q" => self.quota = Parameter::non_negative(&value),
            "w" => self.seconds = Parameter::non_negative(&value),
            "r" => self.remaining = Parameter::non_negative(&value),
            "t" => self.reset = Parameter::non_negative(&value),
            "pk" => self.partition = Parameter::bytes(&value),
            // The draft's text says `requests`, its registry `request`. A unit that is no string is none that we know.
            "qu" => {
                self.counts_other_units = !matches!(&value, BareItemFromInput::String(unit)
                    if matches!(unit.as_str(), "requests" | "request"));
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// `RateLimit: limit=100, remaining=50, reset=30`, as versions 06 and 07 of the draft had it.
#[derive(Default)]
struct Spelling07 {
    limit: Parameter,
    remaining: Parameter,
    reset: Parameter,
}

impl Spelling07 {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let mut old = Self::default();
        for line in headers.get_all(&RATELIMIT) {
            Parser::new(line.as_bytes()).parse_dictionary_with_visitor(&mut old).ok()?;
        }
        Some(old)
    }

    fn window(&self) -> Option<Window> {
        Some(Window {
            policy: Window::UNNAMED,
            limit: self.limit.optional()?,
            lasts: None,
            remaining: Some(self.remaining.required()?),
            resets_in: self.reset.optional()?.map(Window::seconds),
        })
    }
}

impl<'de> DictionaryVisitor<'de> for &mut Spelling07 {
    type Out = ();
    type Error = Infallible;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Infallible> {
        Ok(match key.as_str() {
            "limit" => Some(&mut self.limit),
            "remaining" => Some(&mut self.remaining),
            "reset" => Some(&mut self.reset),
            _ => None,
        })
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<'de> EntryVisitor<'de> for &mut Parameter {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'de>, Infallible> {
        Ok(|value: BareItemFromInput<'de>| {
            *self = Parameter::non_negative(&value);
            Ok::<_, Infallible>(Ignored)
        })
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Infallible> {
        *self = Parameter::Malformed;
        Ok(Ignored)
    }
}

#[cfg(test)]
mod tests;
