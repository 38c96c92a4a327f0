use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Verdict;
use super::prefix::Prefix;
use crate::{Answer, GraphqlError, PathSegment, RawJson};

/// An answer, by whose it is.
#[derive(Debug)]
pub(super) struct Shares {
    by_member: BTreeMap<usize, Share>,
    /// Whether there is an object of data.
    data: bool,
    /// Errors without a path that begins with somebody's key.
    pub(super) of_nobody: Vec<GraphqlError>,
    /// Data that is no object, or has a key that is nobody's.
    pub(super) strange: bool,
}

/// The inside of an object, and errors.
#[derive(Debug, Default)]
struct Share {
    members: String,
    errors: Vec<GraphqlError>,
}

impl Shares {
    pub(super) fn of(members: &[usize], answer: &Answer) -> Self {
        let mut shares = Self {
            by_member: members.iter().map(|&member| (member, Share::default())).collect(),
            data: answer.data().is_some(),
            of_nobody: Vec::new(),
            strange: false,
        };
        match answer.data().map(RawJson::read::<Entries<'_>>) {
            None => {}
            Some(Ok(entries)) => entries.0.iter().for_each(|(key, value)| shares.add_entry(key, value)),
            Some(Err(_)) => shares.strange = true,
        }
        answer.errors().iter().for_each(|error| shares.add_error(error));
        shares
    }

    fn add_entry(&mut self, key: &str, value: &RawValue) {
        let share =
            Prefix::split(key).and_then(|(member, own)| Some((self.by_member.get_mut(&member)?, own)));
        let Some((share, own)) = share else {
            self.strange = true;
            return;
        };
        if !share.members.is_empty() {
            share.members.push(',');
        }
        let key = serde_json::to_string(own).expect("a text is JSON");
        share.members.extend([key.as_str(), ":", value.get()]);
    }

    fn add_error(&mut self, error: &GraphqlError) {
        let owner = match error.path().split_first() {
            Some((PathSegment::Key(key), below)) => {
                Prefix::split(key).map(|(member, own)| (member, own, below))
            }
            _ => None,
        };
        let share =
            owner.and_then(|(member, own, below)| Some((self.by_member.get_mut(&member)?, own, below)));
        let error = error.clone().with_locations(Vec::new());
        match share {
            Some((share, own, below)) => {
                let path =
                    [PathSegment::Key(own.to_owned())].into_iter().chain(below.iter().cloned()).collect();
                share.errors.push(error.with_path(path));
            }
            None => self.of_nobody.push(error),
        }
    }

    pub(super) fn any_errors(&self) -> bool {
        self.by_member.values().any(|share| !share.errors.is_empty())
    }

    pub(super) fn only_one_with_errors(&self) -> Option<usize> {
        let mut with_errors = self.by_member.iter().filter(|(_, share)| !share.errors.is_empty());
        with_errors.next().filter(|_| with_errors.next().is_none()).map(|(member, _)| *member)
    }

    /// What `verdict` makes of each one's data, which is there unless all is `null`, and errors.
    pub(super) fn settle(
        self,
        verdict: impl Fn(usize, Option<RawJson>, Vec<GraphqlError>) -> Verdict,
    ) -> Vec<(usize, Verdict)> {
        let object = |members| self.data.then(|| RawJson::known(format!("{{{members}}}")));
        self.by_member
            .into_iter()
            .map(|(member, share)| (member, verdict(member, object(share.members), share.errors)))
            .collect()
    }
}

/// The members of an object, in their order.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}
