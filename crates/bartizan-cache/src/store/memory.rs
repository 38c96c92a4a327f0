use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::{Change, Entry, Store};

/// The memory of one process, of which the weight is bounded: a map of [moka](https://docs.rs/moka).
///
/// What was not asked for the longest makes room ([`Memory::lru`]), or what is asked for the least ([`Memory::tiny_lfu`]): that keeps what is
/// popular when many ask once for much, and may refuse what is new.
pub struct Memory {
    map: Cache<u128, Arc<Entry>, BuildHasherDefault<Digest>>,
    bytes: u64,
    /// What was put in since moka last made room.
    pending: AtomicU64,
}

/// What moka takes for an entry beside what is in it.
const PLACE: usize = 320;

impl Memory {
    /// At most so many bytes; the least recently used makes room.
    pub fn lru(bytes: u64) -> Self {
        Self::new(bytes, 0, EvictionPolicy::lru())
    }

    /// At most so many bytes; what is asked for less often than what is new makes room.
    pub fn tiny_lfu(bytes: u64) -> Self {
        Self::new(bytes, 0, EvictionPolicy::tiny_lfu())
    }

    /// At most so many bytes and so many entries: each counts for its share at least. The least recently used makes room.
    pub fn entries(entries: u64, bytes: u64) -> Self {
        let share = bytes.checked_div(entries).unwrap_or_default();
        Self::new(share * entries, share, EvictionPolicy::lru())
    }

    fn new(bytes: u64, least: u64, policy: EvictionPolicy) -> Self {
        let weigh = move |_: &u128, entry: &Arc<Entry>| {
            let weight = (entry.weight() + PLACE) as u64;
            u32::try_from(weight.max(least)).unwrap_or(u32::MAX)
        };
        let map = Cache::builder()
            .max_capacity(bytes)
            .weigher(weigh)
            .eviction_policy(policy)
            .build_with_hasher(BuildHasherDefault::default());
        Self { map, bytes, pending: AtomicU64::new(0) }
    }
}

impl Store for Memory {
    fn get(&self, digest: u128) -> Option<Arc<Entry>> {
        self.map.get(&digest)
    }

    fn update(&self, digest: u128, change: &mut Change<'_>) {
        let mut weight = 0;
        self.map.entry(digest).and_compute_with(|known| {
            let known = known.map(|known| known.into_value());
            match change(known.as_ref()) {
                Some(entry) => {
                    weight = entry.weight() as u64;
                    Op::Put(entry)
                }
                None => Op::Nop,
            }
        });
        // moka makes room now and then, after so many changes, however great they are.
        let pending = self.pending.fetch_add(weight, Ordering::Relaxed).saturating_add(weight);
        if pending > self.bytes / 64 {
            self.pending.store(0, Ordering::Relaxed);
            self.map.run_pending_tasks();
        }
    }

    fn clear(&self) {
        self.map.invalidate_all();
        self.map.run_pending_tasks();
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("max_bytes", &self.bytes)
            .field("entries", &self.map.entry_count())
            .field("bytes", &self.map.weighted_size())
            .finish()
    }
}

/// What is looked for is a seeded hash already.
#[derive(Default)]
pub(crate) struct Digest(u64);

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, digest: u128) {
        self.0 = digest as u64;
    }
}
