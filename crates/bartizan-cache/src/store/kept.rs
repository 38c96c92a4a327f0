use std::fmt;
use std::sync::Arc;

use super::{Entry, Store};
use crate::changes::Changes;
use crate::key::{Key, StoredKey};
use crate::parts::{Joined, joined};
use crate::stored::Stored;

/// What is stored, and what has changed since.
pub(crate) struct Kept {
    store: Box<dyn Store>,
    pub(crate) changes: Changes,
    /// Bytes of all variants of one target.
    most: usize,
}

/// So many variants of one target are kept, and the oldest makes room.
const VARIANTS: usize = 32;

impl Kept {
    pub(crate) fn new(store: Box<dyn Store>, slots: usize, most: usize) -> Self {
        Self { store, changes: Changes::new(slots), most }
    }

    pub(crate) fn get(&self, key: &Key<'_>) -> Option<Arc<Entry>> {
        let entry = self.store.get(key.digest).filter(|entry| entry.key.is(key))?;
        let is_valid = |stored: &Arc<Stored>| self.is_valid(key.target_digest, stored);
        if entry.variants.iter().all(is_valid) {
            return Some(entry);
        }
        let mut entry = (*entry).clone();
        entry.variants.retain(is_valid);
        Some(entry).filter(|entry| !entry.variants.is_empty()).map(Arc::new)
    }

    /// Beside the other variants, in the place of `former` and of those that answer the same requests, unless one of those was asked for
    /// later. Whether it is there now.
    pub(crate) fn put(&self, key: &StoredKey, stored: Arc<Stored>, former: Option<&Arc<Stored>>) -> bool {
        let mut is_put = false;
        self.store.update(key.digest, &mut |known| {
            if !self.is_valid(key.target_digest, &stored) {
                return None;
            }
            let known = known.filter(|entry| entry.key == *key);
            let mut variants = known.map_or_else(Vec::new, |entry| entry.variants.clone());
            if variants.iter().any(|variant| variant.vary == stored.vary && variant.asked > stored.asked) {
                return None;
            }
            let is_former = |variant: &_| former.is_some_and(|former| Arc::ptr_eq(variant, former));
            variants.retain(|variant| variant.vary != stored.vary && !is_former(variant));
            let place = variants.partition_point(|variant| variant.generated > stored.generated);
            variants.insert(place, stored.clone());
            let entry = self.entry(key, variants);
            is_put = entry.variants.iter().any(|variant| Arc::ptr_eq(variant, &stored));
            Some(Arc::new(entry))
        });
        is_put
    }

    /// In the place of `former`, and as one with the other parts that it fits. Whether it is there now, and the whole once nothing is missing.
    pub(crate) fn put_part(
        &self,
        key: &StoredKey,
        part: &Arc<Stored>,
        former: Option<&Arc<Stored>>,
        most: usize,
    ) -> (bool, Option<Stored>) {
        let mut put = (false, None);
        self.store.update(key.digest, &mut |known| {
            if !self.is_valid(key.target_digest, part) {
                return None;
            }
            let known = known.filter(|entry| entry.key == *key);
            let is_former = |known: &_| former.is_some_and(|former| Arc::ptr_eq(known, former));
            let is_kept = |known: &&Arc<Stored>| !is_former(known) && self.is_valid(key.target_digest, known);
            let known: Vec<_> =
                known.iter().flat_map(|entry| &entry.variants).filter(is_kept).cloned().collect();
            let Joined { parts, whole } = joined(part.clone(), &known, most)?;
            put = (true, whole);
            Some(Arc::new(self.entry(key, parts)))
        });
        put
    }

    /// Those that the whole makes needless.
    pub(crate) fn forget_parts(&self, key: &StoredKey, whole: &Stored) {
        let is_kept = |part: &Arc<Stored>| part.vary != whole.vary || part.asked > whole.asked;
        if self.store.get(key.digest).is_none_or(|entry| entry.variants.iter().all(is_kept)) {
            return;
        }
        self.store.update(key.digest, &mut |known| {
            let mut entry = Entry::clone(known.filter(|entry| entry.key == *key)?);
            entry.variants.retain(is_kept);
            Some(Arc::new(entry))
        });
    }

    /// As many of them as there is room for, from the newest on.
    fn entry(&self, key: &StoredKey, mut variants: Vec<Arc<Stored>>) -> Entry {
        variants.truncate(VARIANTS);
        let mut entry = Entry { key: key.clone(), variants };
        while entry.variants.len() > 1 && entry.weight() > self.most {
            entry.variants.pop();
        }
        entry.variants.shrink_to_fit();
        entry
    }

    /// Whether nothing has changed since its request went.
    pub(crate) fn is_valid(&self, target: u128, stored: &Stored) -> bool {
        let mut digests = stored.groups.iter().copied().chain([target]);
        digests.all(|digest| self.changes.is_unchanged(digest, stored.asked))
    }

    /// What is on its way is not stored either.
    pub(crate) fn clear(&self) {
        self.changes.note_all(self.changes.now());
        self.store.clear();
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("most", &self.most).finish_non_exhaustive()
    }
}
