//! Where responses are kept: moka's map, of which the weight is bounded, and variants side by side in each entry.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::fields::VaryKey;
use crate::key::{Key, StoredKey};
use crate::reuse::{Born, Candidate};
use crate::storing::Policy;

/// A complete response, and what it says of its reuse.
pub(crate) struct Stored {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) policy: Policy,
    pub(crate) born: Born,
    /// Which requests it answers.
    pub(crate) vary: VaryKey,
    /// By its `Date`, or when it came.
    pub(crate) generated: std::time::SystemTime,
}

/// All variants of one key, the newest first.
#[derive(Clone)]
pub(crate) struct Group {
    key: StoredKey,
    pub(crate) variants: Vec<Arc<Stored>>,
}

/// So many variants of one key are kept, and the oldest makes room.
const VARIANTS: usize = 32;

#[derive(Clone)]
pub(crate) struct Store {
    map: Cache<u128, Arc<Group>>,
}

impl Stored {
    pub(crate) fn candidate(&self, now: tokio::time::Instant) -> Candidate<'_> {
        Candidate { policy: &self.policy, age: self.born.age(now) }
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
        Self { map }
    }

    pub(crate) fn get(&self, key: &Key<'_>) -> Option<Arc<Group>> {
        self.map.get(&key.digest).filter(|group| group.key.is(key))
    }

    /// Beside the other variants, in the place of those that answer the same requests.
    pub(crate) fn put(&self, key: &StoredKey, stored: Arc<Stored>) {
        self.map.entry(key.digest).and_compute_with(|entry| {
            let known = entry.map(|entry| entry.into_value()).filter(|group| group.key == *key);
            let mut variants = known.map_or_else(Vec::new, |group| group.variants.clone());
            variants.retain(|variant| variant.vary != stored.vary);
            let place = variants.partition_point(|variant| variant.generated > stored.generated);
            variants.insert(place, stored);
            variants.truncate(VARIANTS);
            Op::Put(Arc::new(Group { key: key.clone(), variants }))
        });
    }

    pub(crate) fn remove(&self, key: &Key<'_>) {
        self.map.invalidate(&key.digest);
    }

    pub(crate) fn clear(&self) {
        self.map.invalidate_all();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("entries", &self.map.entry_count()).finish_non_exhaustive()
    }
}
