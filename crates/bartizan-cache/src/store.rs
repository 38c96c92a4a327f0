//! Where entries are kept: the trait, and what an entry is.

use std::fmt;
use std::sync::Arc;

use crate::key::StoredKey;
use crate::stored::Stored;

mod kept;
mod memory;

pub(crate) use kept::Kept;
pub use memory::Memory;

/// Where a cache keeps its entries: a map that may forget any of them at any time. [`Memory`] is one; another one may count,
/// partition or evict differently.
///
/// All decisions are the cache's. It compares keys whole, so a digest that collides is a miss, and it never uses an entry that something has
/// changed since.
pub trait Store: Send + Sync + 'static {
    /// The entry under this digest, if it is still there.
    fn get(&self, digest: u128) -> Option<Arc<Entry>>;

    /// Puts what `change` makes of the entry under this digest in its place, and leaves it if that is `None`. No other update of the same digest
    /// may come between.
    fn update(&self, digest: u128, change: &mut Change<'_>);

    /// Forgets everything.
    fn clear(&self);
}

/// What becomes of what is there.
pub type Change<'a> = dyn FnMut(Option<&Arc<Entry>>) -> Option<Arc<Entry>> + 'a;

impl<S: Store + ?Sized> Store for Arc<S> {
    fn get(&self, digest: u128) -> Option<Arc<Entry>> {
        (**self).get(digest)
    }

    fn update(&self, digest: u128, change: &mut Change<'_>) {
        (**self).update(digest, change);
    }

    fn clear(&self) {
        (**self).clear();
    }
}

/// All that is complete of one target for one principal, or all parts of it: the variants, the newest first.
#[derive(Clone)]
pub struct Entry {
    pub(crate) key: StoredKey,
    pub(crate) variants: Vec<Arc<Stored>>,
}

impl Entry {
    /// About how many bytes of memory it takes, heads, bodies and keys.
    pub fn weight(&self) -> usize {
        // The counters of the `Arc`s, and the place of each in the list.
        let variants = self.variants.iter().map(|stored| stored.weight() + 3 * size_of::<usize>());
        variants.sum::<usize>() + size_of::<Self>() + 2 * size_of::<usize>() + self.key.weight()
    }

    /// How many variants there are.
    pub fn variants(&self) -> usize {
        self.variants.len()
    }
}

/// Without what is in it.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key)
            .field("variants", &self.variants.len())
            .field("weight", &self.weight())
            .finish()
    }
}
