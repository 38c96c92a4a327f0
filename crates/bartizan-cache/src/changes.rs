//! What has changed, and whether before or after something was asked for: in an order of our own, since two things may happen in one instant.

use std::sync::atomic::{AtomicU64, Ordering};

/// The latest change of every target and group, as far as there is room: several share a slot, and a change of one may make the others
/// invalid too, but never the other way round. The memory is fixed, and a look takes no lock.
pub(crate) struct Changes {
    latest: Box<[AtomicU64]>,
    /// All that was asked for before is invalid.
    cleared: AtomicU64,
    next: AtomicU64,
}

impl Changes {
    /// With so many slots, rounded up to a power of two.
    pub(crate) fn new(slots: usize) -> Self {
        let latest = (0..slots.next_power_of_two()).map(|_| AtomicU64::new(0)).collect();
        Self { latest, cleared: AtomicU64::new(0), next: AtomicU64::new(1) }
    }

    /// The place of what happens now in the order of all.
    pub(crate) fn now(&self) -> u64 {
        self.next.fetch_add(1, Ordering::AcqRel)
    }

    /// What was asked for before `at` and has this digest is not to be used any more.
    pub(crate) fn note(&self, digest: u128, at: u64) {
        self.slot(digest).fetch_max(at, Ordering::AcqRel);
    }

    /// Nothing is that was asked for before `at`.
    pub(crate) fn note_all(&self, at: u64) {
        self.cleared.fetch_max(at, Ordering::AcqRel);
    }

    pub(crate) fn is_unchanged(&self, digest: u128, asked: u64) -> bool {
        asked > self.slot(digest).load(Ordering::Acquire) && asked > self.cleared.load(Ordering::Acquire)
    }

    fn slot(&self, digest: u128) -> &AtomicU64 {
        // A seeded hash, of which every bit is as good as another.
        &self.latest[digest as usize & (self.latest.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_before_a_change_is_invalid_and_after_it_is_not() {
        let changes = Changes::new(4);
        let [before, at, after] = [(); 3].map(|()| changes.now());
        changes.note(2, at);
        assert_eq!([before, at, after].map(|asked| changes.is_unchanged(2, asked)), [false, false, true]);
        assert!(changes.is_unchanged(1, before), "another slot");
        changes.note(2, before);
        assert!(!changes.is_unchanged(2, at), "the latest counts");
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
