//! Loom's atomic, so that loom tries all orders.
//!
//! Of each atomic loom keeps the last access alone: a thread that reads before it writes hides from it that another thread has
//! read before, and the order in which that one reads later is never tried. A read that is an addition of nothing is an access that loom
//! does not take for harmless; but then it knows of no old values. So models run in both ways.

use std::cell::Cell;

use super::Ordering;

std::thread_local! {
    // Loom runs all threads of a model on one.
    static READS_ARE_ADDITIONS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `model` in all orders, once with reads that may be old and once with reads that are additions.
#[cfg(test)]
pub(crate) fn in_all_orders(model: impl Fn() + Send + Sync + 'static) {
    let model = std::sync::Arc::new(model);
    for are_additions in [false, true] {
        READS_ARE_ADDITIONS.set(are_additions);
        let model = model.clone();
        loom::model(move || model());
    }
}

#[derive(Debug, Default)]
pub(crate) struct AtomicU64(loom::sync::atomic::AtomicU64);

impl AtomicU64 {
    pub(crate) fn new(value: u64) -> Self {
        Self(loom::sync::atomic::AtomicU64::new(value))
    }

    pub(crate) fn load(&self, order: Ordering) -> u64 {
        if READS_ARE_ADDITIONS.get() { self.0.fetch_add(0, order) } else { self.0.load(order) }
    }

    /// A swap: loom would let a plain store and an addition come in either order, whatever was read in between.
    pub(crate) fn store(&self, value: u64, order: Ordering) {
        self.0.swap(value, order);
    }

    pub(crate) fn fetch_update(
        &self,
        set: Ordering,
        fetch: Ordering,
        mut update: impl FnMut(u64) -> Option<u64>,
    ) -> Result<u64, u64> {
        let mut value = self.load(fetch);
        while let Some(next) = update(value) {
            match self.0.compare_exchange(value, next, set, fetch) {
                Ok(value) => return Ok(value),
                Err(newer) => value = newer,
            }
        }
        Err(value)
    }
}
