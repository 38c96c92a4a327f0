use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, RwLock};

use http::Uri;

use crate::Origin;

/// One value per origin, made when the origin is first met: circuits, buckets, budgets.
///
/// The first origin, which for most clients is the only one, is found without a lock and without parsing host and port: its
/// raw authority is compared. Others cost one shared read lock. URIs without an origin (origin-form requests on the server
/// side) share one value; the `Host` header, which a stranger chooses, is never looked at.
///
/// At most `capacity` values are kept beside the first. Above that, one that no call holds, that was not used since the
/// last eviction and that `evictable` lets go makes room; if there is none, the new origin gets a value that is not kept.
pub struct PerOrigin<V> {
    first: OnceLock<Arc<Entry<V>>>,
    others: RwLock<HashMap<Option<Origin>, Arc<Entry<V>>>>,
    capacity: NonZeroUsize,
    evictable: fn(&V) -> bool,
}

/// A value and the origin that it belongs to.
pub struct Entry<V> {
    origin: Option<Origin>,
    /// As the first request spelt it, for a comparison without parsing.
    raw: Option<(Box<str>, Box<str>)>,
    used: AtomicBool,
    value: V,
}

impl<V> PerOrigin<V> {
    /// Keeps at most `capacity` origins beside the first; of these, only what is `evictable` makes room.
    pub fn new(capacity: NonZeroUsize, evictable: fn(&V) -> bool) -> Self {
        Self { first: OnceLock::new(), others: RwLock::default(), capacity, evictable }
    }

    /// The value of the origin of `uri`; `make` is called if it has none yet.
    pub fn get(&self, uri: &Uri, make: impl FnOnce() -> V) -> Arc<Entry<V>> {
        if let Some(first) = self.first.get()
            && first.is_spelt(uri)
        {
            return first.clone();
        }
        self.get_by_origin(uri, make)
    }

    /// All values there are, the first origin's first.
    pub fn entries(&self) -> Vec<Arc<Entry<V>>> {
        let others = self.others.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.first.get().into_iter().chain(others.values()).cloned().collect()
    }

    fn get_by_origin(&self, uri: &Uri, make: impl FnOnce() -> V) -> Arc<Entry<V>> {
        let origin = Origin::of(uri).ok();
        let mut make = Some(make);
        let first = self.first.get_or_init(|| {
            let make = make.take().expect("`make` is there until its one use");
            Arc::new(Entry::new(uri, origin.clone(), make()))
        });
        if first.origin == origin {
            return first.clone();
        }
        {
            // A panic of `make` under the lock leaves the map as it was, so a poisoned one is as good as any.
            let others = self.others.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some(entry) = others.get(&origin) {
                entry.touch();
                return entry.clone();
            }
        }
        let mut others = self.others.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(entry) = others.get(&origin) {
            entry.touch();
            return entry.clone();
        }
        let make = make.take().expect("`make` was not used: the first origin is another one");
        let entry = Arc::new(Entry::new(uri, origin.clone(), make()));
        if others.len() < self.capacity.get() || self.evict_one(&mut others) {
            others.insert(origin, entry.clone());
        }
        entry
    }

    /// Second chance: what was used since the last look is spared once.
    fn evict_one(&self, others: &mut HashMap<Option<Origin>, Arc<Entry<V>>>) -> bool {
        let idle = |entry: &Arc<Entry<V>>| Arc::strong_count(entry) == 1 && (self.evictable)(&entry.value);
        let unused = others.iter().find(|(_, e)| idle(e) && !e.used.swap(false, Ordering::Relaxed));
        let victim =
            unused.or_else(|| others.iter().find(|(_, e)| idle(e))).map(|(origin, _)| origin.clone());
        victim.is_some_and(|origin| others.remove(&origin).is_some())
    }
}

impl<V> Entry<V> {
    fn new(uri: &Uri, origin: Option<Origin>, value: V) -> Self {
        let raw = uri.scheme_str().zip(uri.authority()).map(|(s, a)| (s.into(), a.as_str().into()));
        Self { origin, raw, used: AtomicBool::new(false), value }
    }

    /// The origin; `None` for requests that name none.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The value.
    pub fn value(&self) -> &V {
        &self.value
    }

    fn is_spelt(&self, uri: &Uri) -> bool {
        match (&self.raw, uri.authority(), uri.scheme_str()) {
            (Some((scheme, authority)), Some(asked), Some(asked_scheme)) => {
                **authority == *asked.as_str() && **scheme == *asked_scheme
            }
            (None, None, None) => true,
            _ => false,
        }
    }

    fn touch(&self) {
        // Reads first: a shared cache line that is only read stays in every core's cache.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }
}

impl<V: fmt::Debug> fmt::Debug for PerOrigin<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries()).finish()
    }
}

impl<V: fmt::Debug> fmt::Debug for Entry<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "{origin}: {:?}", self.value),
            None => write!(f, "no origin: {:?}", self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Barrier;

    use super::*;

    fn two() -> PerOrigin<u32> {
        PerOrigin::new(NonZeroUsize::new(2).unwrap(), |&value| value != 99)
    }

    fn get(per_origin: &PerOrigin<u32>, uri: &str, value: u32) -> Arc<Entry<u32>> {
        per_origin.get(&uri.parse().unwrap(), || value)
    }

    #[test]
    fn one_value_for_all_spellings() {
        let origins = two();
        for uri in ["http://a.example/", "http://A.example:80/x", "HTTP://user@a.example"] {
            assert_eq!(*get(&origins, uri, 1).value(), 1, "{uri}");
        }
        for uri in ["http://b.example:8080/", "http://B.example:8080/x"] {
            assert_eq!(*get(&origins, uri, 2).value(), 2, "{uri}");
        }
        let third = get(&origins, "https://a.example/", 3);
        assert_eq!((*third.value(), third.origin().unwrap().as_str()), (3, "https://a.example"));
        assert_eq!(origins.entries().len(), 3);
        assert!(format!("{origins:?}").contains("https://a.example: 3"), "{origins:?}");
    }

    #[test]
    fn a_known_spelling_needs_no_parsing() {
        let table = [
            ("http://a.example/", "http://a.example/x", true),
            ("http://a.example/", "https://a.example/", false),
            ("http://a.example/", "http://b.example/", false),
            ("http://a.example/", "http://a.example:80/", false),
            ("http://a.example/", "/x", false),
            ("/a", "/b", true),
            ("/a", "http://a.example/", false),
        ];
        for (first, uri, spelt) in table {
            assert_eq!(get(&two(), first, 1).is_spelt(&uri.parse().unwrap()), spelt, "{uri} after {first}");
        }
    }

    #[test]
    fn a_known_origin_makes_nothing() {
        let origins = two();
        let made = Cell::new(0);
        for uri in ["http://a.example/", "http://b.example/"] {
            for _ in 0..3 {
                origins.get(&uri.parse().unwrap(), || made.replace(made.get() + 1));
            }
        }
        assert_eq!(made.get(), 2);
    }

    #[test]
    fn threads_that_meet_an_origin_at_once_share_one_value() {
        let uris: Vec<Uri> = (0..500).map(|n| format!("http://{n}.example/").parse().unwrap()).collect();
        for _ in 0..40 {
            let origins = PerOrigin::new(NonZeroUsize::new(500).unwrap(), |_| false);
            let barrier = Barrier::new(2);
            let of = |value: u32| {
                barrier.wait();
                uris.iter().map(|uri| *origins.get(uri, || value).value()).collect::<Vec<_>>()
            };
            let (one, other) = std::thread::scope(|scope| {
                let (one, other) = (scope.spawn(|| of(1)), scope.spawn(|| of(2)));
                (one.join().unwrap(), other.join().unwrap())
            });
            assert_eq!(one, other);
        }
    }

    #[test]
    fn requests_without_origin_share_one() {
        let origins = two();
        assert_eq!(*get(&origins, "/a", 1).value(), 1);
        assert_eq!(*get(&origins, "/b", 2).value(), 1);
        assert_eq!(get(&origins, "/b", 2).origin(), None);
        assert_eq!(*get(&origins, "http://a.example/", 3).value(), 3);
        assert_eq!(*get(&origins, "*", 4).value(), 1);
    }

    #[test]
    fn the_idle_and_unused_make_room() {
        // Many times, since the order of a map is another each time.
        for _ in 0..50 {
            let origins = two();
            get(&origins, "http://first.example/", 0);
            get(&origins, "http://b.example/", 1);
            get(&origins, "http://c.example/", 2);
            get(&origins, "http://b.example/", 1); // used again
            get(&origins, "http://d.example/", 3); // c makes room
            assert_eq!(*get(&origins, "http://b.example/", 11).value(), 1);
            assert_eq!(*get(&origins, "http://first.example/", 10).value(), 0);
            assert_eq!(*get(&origins, "http://c.example/", 12).value(), 12);
            assert!(origins.entries().len() <= 3);
        }
    }

    #[test]
    fn what_is_held_or_protected_stays() {
        let origins = two();
        get(&origins, "http://first.example/", 0);
        let held = get(&origins, "http://b.example/", 1);
        get(&origins, "http://c.example/", 99);
        for round in 0..3 {
            assert_eq!(*get(&origins, "http://d.example/", 50 + round).value(), 50 + round, "not kept");
        }
        assert_eq!(*get(&origins, "http://c.example/", 3).value(), 99);
        assert!(Arc::ptr_eq(&held, &get(&origins, "http://b.example/", 4)));
        drop(held);
        get(&origins, "http://d.example/", 60);
        assert_eq!(*get(&origins, "http://d.example/", 61).value(), 60, "room was made");
    }
}
