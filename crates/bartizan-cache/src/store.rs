//! Where responses are kept: moka's map, of which the weight is bounded, and variants side by side in each entry.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use moka::notification::RemovalCause;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::time::Instant;

use crate::fields::Variant;
use crate::key::{Key, StoredKey};
use crate::parts::joined;
use crate::range::ContentRange;
use crate::reuse::{Born, Candidate};
use crate::storing::Policy;

/// A complete response, or a 206 that is one part of one, and what it says of its reuse.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) policy: Policy,
    pub(crate) born: Born,
    /// Which requests it answers.
    pub(crate) vary: Variant,
    /// By its `Date`, or when it came.
    pub(crate) generated: SystemTime,
    /// The groups that it belongs to.
    pub(crate) groups: Box<[u128]>,
    /// When its request went.
    pub(crate) asked: Instant,
    /// When it came, by the wall clock.
    pub(crate) received: SystemTime,
}

/// All variants of one key, the newest first.
#[derive(Clone)]
pub(crate) struct Group {
    key: StoredKey,
    pub(crate) variants: Vec<Arc<Stored>>,
}

/// So many variants of one key are kept, and the oldest makes room.
const VARIANTS: usize = 32;
/// So many bytes of parts of one key.
const PARTS: usize = 8 * 1024 * 1024;

#[derive(Clone)]
pub(crate) struct Store {
    map: Cache<u128, Arc<Group>>,
    /// When a target was last invalidated: whoever asks for it, and whatever was on its way then.
    invalidated: Cache<u128, Instant>,
    /// The latest invalidation that had to be forgotten, in nanoseconds since `start`: what was asked for by then may be any target's.
    forgotten: Arc<AtomicU64>,
    start: Instant,
}

/// So many invalidations are remembered.
const INVALIDATIONS: u64 = 100_000;

impl Stored {
    pub(crate) fn candidate(&self, now: Instant) -> Candidate<'_> {
        Candidate { policy: &self.policy, age: self.born.age(now) }
    }

    /// Which bytes it has, if it is a part.
    pub(crate) fn part(&self) -> Option<ContentRange> {
        if self.status == StatusCode::PARTIAL_CONTENT { ContentRange::of(&self.headers) } else { None }
    }

    fn weight(&self) -> usize {
        // A field's entry in the map, and its two texts.
        let fields = |headers: &HeaderMap| {
            headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 96).sum::<usize>()
        };
        size_of::<Self>() + self.body.len() + fields(&self.headers) + self.trailers.as_ref().map_or(0, fields)
    }
}

impl Store {
    /// Keeps at most so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let weigh = |_: &u128, group: &Arc<Group>| {
            let variants: usize = group.variants.iter().map(|stored| stored.weight()).sum();
            u32::try_from(variants + group.key.weight() + 256).unwrap_or(u32::MAX)
        };
        let map = Cache::builder()
            .max_capacity(bytes)
            .weigher(weigh)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        let (forgotten, start) = (Arc::<AtomicU64>::default(), Instant::now());
        let latest = forgotten.clone();
        let invalidated = Cache::builder()
            .max_capacity(INVALIDATIONS)
            // The newest has its place, whatever else is asked for often.
            .eviction_policy(EvictionPolicy::lru())
            .eviction_listener(move |_, at, cause| {
                if cause == RemovalCause::Size {
                    latest.fetch_max(since(start, at), Ordering::AcqRel);
                }
            })
            .build();
        Self { map, invalidated, forgotten, start }
    }

    pub(crate) fn get(&self, key: &Key<'_>) -> Option<Arc<Group>> {
        let group = self.map.get(&key.digest).filter(|group| group.key.is(key))?;
        let is_valid = |stored: &Arc<Stored>| self.is_valid(key.target_digest, stored);
        if group.variants.iter().all(is_valid) {
            return Some(group);
        }
        let mut group = (*group).clone();
        group.variants.retain(is_valid);
        Some(group).filter(|group| !group.variants.is_empty()).map(Arc::new)
    }

    /// Beside the other variants, in the place of `former` and of those that answer the same requests, unless one of those was asked for
    /// later.
    pub(crate) fn put(&self, key: &StoredKey, stored: Arc<Stored>, former: Option<&Arc<Stored>>) {
        if !self.is_valid(key.target_digest, &stored) {
            return;
        }
        if stored.part().is_some() {
            return self.put_part(key, stored, former);
        }
        self.map.entry(key.digest).and_compute_with(|entry| {
            let known = entry.map(|entry| entry.into_value()).filter(|group| group.key == *key);
            let mut variants = known.map_or_else(Vec::new, |group| group.variants.clone());
            if variants.iter().any(|variant| variant.vary == stored.vary && variant.asked > stored.asked) {
                return Op::Nop;
            }
            let is_former = |variant: &_| former.is_some_and(|former| Arc::ptr_eq(variant, former));
            variants.retain(|variant| variant.vary != stored.vary && !is_former(variant));
            let place = variants.partition_point(|variant| variant.generated > stored.generated);
            variants.insert(place, stored);
            variants.truncate(VARIANTS);
            Op::Put(Arc::new(Group { key: key.clone(), variants }))
        });
    }

    /// Apart from what is complete, and as one with the other parts that it fits.
    fn put_part(&self, key: &StoredKey, part: Arc<Stored>, former: Option<&Arc<Stored>>) {
        let of_parts = key.of_parts();
        let mut whole = None;
        self.map.entry(of_parts.digest).and_compute_with(|entry| {
            let known = entry.map(|entry| entry.into_value()).filter(|group| group.key == of_parts);
            let is_former = |part: &_| former.is_some_and(|former| Arc::ptr_eq(part, former));
            let is_kept = |part: &&Arc<Stored>| !is_former(part) && self.is_valid(key.target_digest, part);
            let known: Vec<_> =
                known.iter().flat_map(|group| &group.variants).filter(is_kept).cloned().collect();
            let Some(mut joined) = joined(part, &known, PARTS) else { return Op::Nop };
            whole = joined.whole;
            joined.parts.truncate(VARIANTS);
            Op::Put(Arc::new(Group { key: of_parts.clone(), variants: joined.parts }))
        });
        if let Some(whole) = whole {
            self.put(key, Arc::new(whole), None);
        }
    }

    /// What is now complete needs no parts.
    pub(crate) fn forget_parts(&self, key: &StoredKey, vary: &Variant) {
        let of_parts = key.of_parts();
        self.map.entry(of_parts.digest).and_compute_with(|entry| {
            let known = entry.map(|entry| entry.into_value()).filter(|group| group.key == of_parts);
            let Some(group) = known else { return Op::Nop };
            let mut group = Group::clone(&group);
            group.variants.retain(|part| part.vary != *vary);
            if group.variants.is_empty() { Op::Remove } else { Op::Put(Arc::new(group)) }
        });
    }

    /// What there is of this target, or of this group, for whomever, is not to be used any more.
    pub(crate) fn invalidate(&self, digest: u128, now: Instant) {
        self.invalidated.insert(digest, now);
    }

    /// Whether nothing has changed since its request went.
    pub(crate) fn is_valid(&self, target: u128, stored: &Stored) -> bool {
        let mut digests = stored.groups.iter().copied().chain([target]);
        digests.all(|digest| self.is_unchanged(digest, stored.asked))
    }

    fn is_unchanged(&self, digest: u128, asked: Instant) -> bool {
        self.invalidated.get(&digest).is_none_or(|at| asked > at)
            && since(self.start, asked) > self.forgotten.load(Ordering::Acquire)
    }

    pub(crate) fn clear(&self) {
        self.map.invalidate_all();
    }
}

/// At least one, so that zero is before all.
fn since(start: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(start).as_nanos()).unwrap_or(u64::MAX).saturating_add(1)
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("entries", &self.map.entry_count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What strangers ask for often does not keep a change from being known.
    #[tokio::test(start_paused = true)]
    async fn an_invalidation_is_remembered_or_counts_for_all() {
        let store = Store::new(0);
        let asked = |seconds| store.start + Duration::from_secs(seconds);
        let others = 1..=u128::from(INVALIDATIONS);
        others.clone().for_each(|other| store.invalidate(other, asked(2)));
        others.clone().for_each(|other| assert!(!store.is_unchanged(other, asked(1))));
        assert!(store.is_unchanged(0, asked(1)), "nothing is forgotten yet");
        store.invalidate(0, asked(4));
        store.invalidated.run_pending_tasks();
        assert!(!store.is_unchanged(0, asked(3)), "the newest is remembered");
        assert!(!others.clone().any(|other| store.is_unchanged(other, asked(1))), "one was forgotten");
        assert!(others.clone().all(|other| store.is_unchanged(other, asked(3))));
        // Known anew, it is not forgotten.
        store.invalidate(0, asked(9));
        store.invalidated.run_pending_tasks();
        assert!(store.is_unchanged(u128::MAX, asked(4)));
    }
}
