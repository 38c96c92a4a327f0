//! What has changed, and whether before or after something was asked for: in an order of our own, since two things may happen in one instant.

use std::sync::atomic::{AtomicU64, Ordering};

/// The latest change of every target and group, as far as there is room: each has a slot in every row, which others share, and is invalid if all of them
/// have changed. So changes of others may make it invalid too, rarely, but never the other way round (a count-min sketch; Cormode and Muthukrishnan,
/// 2005). The memory is fixed, and a look takes no lock.
pub(crate) struct Changes {
    /// One row after the other.
    latest: Box<[AtomicU64]>,
    /// All that was asked for before is invalid.
    cleared: AtomicU64,
    next: AtomicU64,
}

impl Changes {
    /// With so many slots in all, rounded up to a power of two.
    pub(crate) fn new(slots: usize) -> Self {
        let latest = (0..slots.next_power_of_two().max(ROWS)).map(|_| AtomicU64::new(0)).collect();
        Self { latest, cleared: AtomicU64::new(0), next: AtomicU64::new(1) }
    }

    /// The place of what happens now in the order of all.
    pub(crate) fn now(&self) -> u64 {
        self.next.fetch_add(1, Ordering::AcqRel)
    }

    /// What was asked for before `at` and has this digest is not to be used any more.
    pub(crate) fn note(&self, digest: u128, at: u64) {
        self.slots(digest).for_each(|slot| {
            slot.fetch_max(at, Ordering::AcqRel);
        });
    }

    /// Nothing is that was asked for before `at`.
    pub(crate) fn note_all(&self, at: u64) {
        self.cleared.fetch_max(at, Ordering::AcqRel);
    }

    pub(crate) fn is_unchanged(&self, digest: u128, asked: u64) -> bool {
        self.slots(digest).any(|slot| asked > slot.load(Ordering::Acquire))
            && asked > self.cleared.load(Ordering::Acquire)
    }

    /// One in each row.
    fn slots(&self, digest: u128) -> impl Iterator<Item = &AtomicU64> {
        let row = self.latest.len() / ROWS;
        // A seeded hash, of which every bit is as good as another.
        self.latest.chunks_exact(row).enumerate().map(move |(nth, slots)| {
            let part = (digest >> (nth * 32)) as u32;
            &slots[part as usize & (row - 1)]
        })
    }
}

/// As many as the digest has parts of 32 bits.
const ROWS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_before_a_change_is_invalid_and_after_it_is_not() {
        let changes = Changes::new(16);
        let [before, at, after] = [(); 3].map(|()| changes.now());
        changes.note(2, at);
        assert_eq!([before, at, after].map(|asked| changes.is_unchanged(2, asked)), [false, false, true]);
        assert!(changes.is_unchanged(1, before), "another slot");
        changes.note(2, before);
        assert!(!changes.is_unchanged(2, at), "the latest counts");
    }

    #[test]
    fn who_shares_some_slots_with_what_has_changed_is_not_invalid_and_who_shares_all_is() {
        let changes = Changes::new(16);
        let digest =
            |parts: [u32; 4]| parts.iter().fold(0_u128, |digest, part| digest << 32 | u128::from(*part));
        let before = changes.now();
        for parts in [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]] {
            changes.note(digest(parts), changes.now());
            assert!(changes.is_unchanged(digest([1, 1, 1, 1]), before), "{parts:?}");
        }
        changes.note(digest([0, 0, 0, 1]), changes.now());
        assert!(!changes.is_unchanged(digest([1, 1, 1, 1]), before));
    }

    #[test]
    fn a_change_of_all_is_one_of_each() {
        let changes = Changes::new(4);
        let [before, at, after] = [(); 3].map(|()| changes.now());
        changes.note_all(at);
        changes.note_all(before);
        for digest in 0..8 {
            assert_eq!(
                [before, at, after].map(|asked| changes.is_unchanged(digest, asked)),
                [false, false, true]
            );
        }
    }

    /// What strangers change does not keep a change from being known.
    #[test]
    fn no_change_is_forgotten() {
        let changes = Changes::new(5);
        assert_eq!(changes.latest.len(), 8);
        let before = changes.now();
        let digests = (0..1000).map(|digest| digest << 64 | digest);
        digests.clone().for_each(|digest| changes.note(digest, changes.now()));
        assert!(!digests.clone().any(|digest| changes.is_unchanged(digest, before)));
    }
}
