use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use http::Uri;

use crate::key::Name;
use crate::{Key, KeyBy, RequestHead, Subject};

/// One value per key, made when the key is first met: circuits, buckets, budgets.
///
/// The first origin, which for most clients is the only one, is found without a lock and without parsing host and port: its
/// raw authority is compared. Other keys cost one shared read lock. Finding a known key allocates nothing. Keys are told apart by 128
/// bits of a hash that is seeded for each `PerKey`, so a long one takes no more room than a short one.
///
/// At most `capacity` values are kept beside the first. Above that, one that no call holds and that `evictable` lets go makes
/// room, rather one that was not used for some time; a few are looked at for each new key, however many there are. If there is
/// none, the new key gets a value that is not kept, or, after [`sharing_when_full`](Self::sharing_when_full), one together with
/// all others that found no room; [`get_kept`](Self::get_kept) gives it none.
pub struct PerKey<V> {
    by: KeyBy,
    first: OnceLock<Arc<Entry<V>>>,
    others: RwLock<Others<V>>,
    hashing: [RandomState; 2],
    capacity: NonZeroUsize,
    evictable: fn(&V) -> bool,
    shares_when_full: bool,
}

struct Others<V> {
    by_digest: HashMap<u128, Arc<Entry<V>>, BuildHasherDefault<Digested>>,
    /// The same digests, in a ring around which `hand` goes.
    ring: Vec<u128>,
    hand: usize,
    /// Of all that found no room.
    beyond: Option<Arc<Entry<V>>>,
}

/// A value and whose it is.
pub struct Entry<V> {
    subject: Subject,
    spelling: Spelling,
    digest: u128,
    used: AtomicBool,
    value: V,
}

/// What can be recognised without a hash.
enum Spelling {
    All,
    /// Scheme and authority as the first request spelt them; `None` for requests without an origin.
    Origin(Option<(Box<str>, Box<str>)>),
    Other,
}

/// How many values are looked at to make room for one.
const LOOKS: usize = 32;

impl<V> PerKey<V> {
    /// Keeps at most `capacity` keys beside the first; of these, only what is `evictable` makes room.
    #[expect(
        clippy::disallowed_methods,
        reason = "a seed that strangers must not know, and by which nothing is decided"
    )]
    pub fn new(by: KeyBy, capacity: NonZeroUsize, evictable: fn(&V) -> bool) -> Self {
        Self {
            by,
            first: OnceLock::new(),
            others: RwLock::default(),
            hashing: [RandomState::new(), RandomState::new()],
            capacity,
            evictable,
            shares_when_full: false,
        }
    }

    /// Keys that find no room share one value. By default each of their calls has a fresh one, which limits nothing.
    #[must_use]
    pub fn sharing_when_full(mut self) -> Self {
        self.shares_when_full = true;
        self
    }

    /// The value of the key of `request`; `make` is called if it has none yet.
    pub fn get(&self, request: &RequestHead<'_>, make: impl FnOnce(&Subject) -> V) -> Arc<Entry<V>> {
        self.get_by(&self.by.key(request), request.uri, make)
    }

    /// The value of `key` for a request to `uri`, if it is kept: where there is no room for it, nothing is made.
    pub fn get_kept(
        &self,
        key: &Key<'_>,
        uri: &Uri,
        make: impl FnOnce(&Subject) -> V,
    ) -> Option<Arc<Entry<V>>> {
        let digest = self.digest(key, uri);
        let mut entry = making(key, uri, digest, make);
        self.find(digest, || entry(Subject::of(key, uri)))
    }

    /// The value of what is no request and has no key.
    pub fn get_for_none(&self, make: impl FnOnce(&Subject) -> V) -> Arc<Entry<V>> {
        self.get_by(&Key::NONE, &Uri::default(), make)
    }

    /// All values there are, the first key's first.
    pub fn entries(&self) -> Vec<Arc<Entry<V>>> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let first = self.first.get().into_iter();
        first.chain(others.by_digest.values()).chain(&others.beyond).cloned().collect()
    }

    /// Shows `look` each value there is. It must not ask for one.
    pub fn for_each(&self, mut look: impl FnMut(&V)) {
        if let Some(first) = self.first.get() {
            look(&first.value);
        }
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.by_digest.values().chain(&others.beyond).for_each(|entry| look(&entry.value));
    }

    /// What the keys are.
    pub fn by(&self) -> &KeyBy {
        &self.by
    }

    fn get_by(&self, key: &Key<'_>, uri: &Uri, make: impl FnOnce(&Subject) -> V) -> Arc<Entry<V>> {
        if let Some(first) = self.first.get()
            && first.is_spelt(key, uri)
        {
            return first.clone();
        }
        let digest = self.digest(key, uri);
        let mut entry = making(key, uri, digest, make);
        if let Some(kept) = self.find(digest, || entry(Subject::of(key, uri))) {
            return kept;
        }
        if !self.shares_when_full {
            return entry(Subject::of(key, uri));
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        others.beyond.get_or_insert_with(|| entry(Subject::BEYOND)).clone()
    }

    /// `None` if it is not known and there is no room for it.
    fn find(&self, digest: u128, mut entry: impl FnMut() -> Arc<Entry<V>>) -> Option<Arc<Entry<V>>> {
        let first = self.first.get_or_init(&mut entry);
        if first.digest == digest {
            return Some(first.clone());
        }
        // A panic of `make` under the lock leaves all as it was, so a poisoned one is as good as any.
        if let Some(known) = self.others.read().unwrap_or_else(PoisonError::into_inner).get(digest) {
            return Some(known);
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(digest) {
            return Some(known);
        }
        let place = others.place(self.capacity, self.evictable)?;
        let entry = entry();
        others.put(place, entry.clone());
        Some(entry)
    }

    fn digest(&self, key: &Key<'_>, uri: &Uri) -> u128 {
        let [high, low] = self.hashing.each_ref().map(|hashing| {
            let mut hasher = hashing.build_hasher();
            key.hash(uri, &mut hasher);
            hasher.finish()
        });
        u128::from(high) << 64 | u128::from(low)
    }
}

/// Makes one entry, and no second.
fn making<V>(
    key: &Key<'_>,
    uri: &Uri,
    digest: u128,
    make: impl FnOnce(&Subject) -> V,
) -> impl FnMut(Subject) -> Arc<Entry<V>> {
    let mut make = Some(make);
    move |subject| {
        let make = make.take().expect("one value is made at most");
        let value = make(&subject);
        let spelling = Spelling::of(key, uri);
        Arc::new(Entry { subject, spelling, digest, used: AtomicBool::new(false), value })
    }
}

impl<V> Others<V> {
    fn get(&self, digest: u128) -> Option<Arc<Entry<V>>> {
        let entry = self.by_digest.get(&digest)?;
        entry.touch();
        Some(entry.clone())
    }

    /// Where in the ring there is room, if there is. Second chance: what was used since the last look is spared while there
    /// is something that was not.
    fn place(&mut self, capacity: NonZeroUsize, evictable: fn(&V) -> bool) -> Option<usize> {
        if self.ring.len() < capacity.get() {
            return Some(self.ring.len());
        }
        let mut idle = None;
        for _ in 0..LOOKS.min(2 * self.ring.len()) {
            let place = self.hand;
            self.hand = (place + 1) % self.ring.len();
            let entry = self.by_digest.get_mut(&self.ring[place]).expect("what is in the ring is known");
            // What its last holder did to it is seen by then, which a count alone would not say.
            let Some(entry) = Arc::get_mut(entry) else { continue };
            if evictable(&entry.value) {
                if !std::mem::take(entry.used.get_mut()) {
                    return Some(place);
                }
                idle.get_or_insert(place);
            }
        }
        idle
    }

    fn put(&mut self, place: usize, entry: Arc<Entry<V>>) {
        match self.ring.get_mut(place) {
            Some(digest) => {
                self.by_digest.remove(digest);
                *digest = entry.digest;
            }
            None => self.ring.push(entry.digest),
        }
        self.by_digest.insert(entry.digest, entry);
    }
}

impl<V> Default for Others<V> {
    fn default() -> Self {
        Self { by_digest: HashMap::default(), ring: Vec::new(), hand: 0, beyond: None }
    }
}

impl<V> Entry<V> {
    /// Whose it is.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The value.
    pub fn value(&self) -> &V {
        &self.value
    }

    fn is_spelt(&self, key: &Key<'_>, uri: &Uri) -> bool {
        match (&self.spelling, key.name == Name::None) {
            (Spelling::Other, _) | (_, false) => false,
            (Spelling::All, true) => !key.of_origin,
            (Spelling::Origin(spelt), true) if key.of_origin => {
                match (spelt, uri.authority(), uri.scheme_str()) {
                    (Some((scheme, authority)), Some(asked), Some(asked_scheme)) => {
                        **authority == *asked.as_str() && **scheme == *asked_scheme
                    }
                    (None, None, None) => true,
                    _ => false,
                }
            }
            (Spelling::Origin(_), true) => false,
        }
    }

    fn touch(&self) {
        // Reads first: a shared cache line that is only read stays in every core's cache.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }
}

impl Spelling {
    fn of(key: &Key<'_>, uri: &Uri) -> Self {
        match key.name {
            Name::None if key.of_origin => {
                let spelt = uri.scheme_str().zip(uri.authority());
                Self::Origin(spelt.map(|(scheme, authority)| (scheme.into(), authority.as_str().into())))
            }
            Name::None => Self::All,
            _ => Self::Other,
        }
    }
}

/// What is hashed already.
#[derive(Default)]
struct Digested(u64);

impl Hasher for Digested {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("a digest is one number");
    }

    fn write_u128(&mut self, digest: u128) {
        self.0 = digest as u64;
    }
}

impl<V: fmt::Debug> fmt::Debug for PerKey<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries()).finish()
    }
}

impl<V: fmt::Debug> fmt::Debug for Entry<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.subject, self.value)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Barrier;

    use http::Request;

    use super::*;

    fn two() -> PerKey<u32> {
        PerKey::new(KeyBy::origin(), NonZeroUsize::new(2).unwrap(), |&value| value != 99)
    }

    fn get(per_key: &PerKey<u32>, uri: &str, value: u32) -> Arc<Entry<u32>> {
        per_key.get(&RequestHead::from(&Request::get(uri).body(()).unwrap()), |_| value)
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
        assert_eq!((*third.value(), third.subject().origin().unwrap().as_str()), (3, "https://a.example"));
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
            let first_entry = get(&two(), first, 1);
            assert_eq!(
                first_entry.is_spelt(&Key::ORIGIN, &uri.parse().unwrap()),
                spelt,
                "{uri} after {first}"
            );
        }
    }

    #[test]
    fn the_value_of_all_is_known_without_hashing_and_that_of_a_name_is_not() {
        let uri = "http://a.example/".parse().unwrap();
        for (key, spelt) in [(Key::NONE, true), (Key::named("a"), false)] {
            let first = two().get_by(&key, &uri, |_| 1);
            assert_eq!(first.is_spelt(&key, &uri), spelt, "{key:?}");
        }
    }

    #[test]
    fn a_digest_has_128_bits_and_is_not_hashed_again() {
        let values = two();
        let uris = [0, 1, 2, 3].map(|n| format!("http://{n}.example/").parse().unwrap());
        let digests = uris.map(|uri| values.digest(&Key::ORIGIN, &uri));
        assert!(digests.iter().any(|digest| digest >> 64 != 0));
        for digest in digests {
            assert_eq!(BuildHasherDefault::<Digested>::default().hash_one(digest), digest as u64);
        }
    }

    #[test]
    fn what_values_go_by_is_told() {
        assert_eq!(format!("{:?}", by_header(1).by()), "header x-key");
    }

    #[test]
    fn a_known_origin_makes_nothing() {
        let origins = two();
        let made = Cell::new(0);
        for uri in ["http://a.example/", "http://b.example/"] {
            for _ in 0..3 {
                let request = Request::get(uri).body(()).unwrap();
                origins.get(&RequestHead::from(&request), |_| made.replace(made.get() + 1));
            }
        }
        assert_eq!(made.get(), 2);
    }

    #[test]
    fn threads_that_meet_an_origin_at_once_share_one_value() {
        let uris: Vec<String> = (0..500).map(|n| format!("http://{n}.example/")).collect();
        for _ in 0..40 {
            let origins = PerKey::new(KeyBy::origin(), NonZeroUsize::new(500).unwrap(), |_| false);
            let barrier = Barrier::new(2);
            let of = |value: u32| {
                barrier.wait();
                uris.iter().map(|uri| *get(&origins, uri, value).value()).collect::<Vec<_>>()
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
        assert_eq!(get(&origins, "/b", 2).subject().origin(), None);
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

    fn named(per_key: &PerKey<u32>, name: &str, value: u32) -> Arc<Entry<u32>> {
        let request = Request::get("http://a.example/").header("x-key", name).body(()).unwrap();
        per_key.get(&RequestHead::from(&request), |_| value)
    }

    fn by_header(capacity: usize) -> PerKey<u32> {
        let by = KeyBy::header(http::HeaderName::from_static("x-key"));
        PerKey::new(by, NonZeroUsize::new(capacity).unwrap(), |&value| value != 99)
    }

    #[test]
    fn other_keys_have_their_own_values() {
        let values = by_header(2);
        for (name, value, expected) in [("a", 1, 1), ("b", 2, 2), ("a", 3, 1), ("b", 4, 2)] {
            assert_eq!(*named(&values, name, value).value(), expected, "{name}");
        }
        let values = PerKey::new(KeyBy::nothing(), NonZeroUsize::MIN, |_| true);
        for uri in ["http://a.example/", "http://b.example/", "/"] {
            assert_eq!(*get(&values, uri, 1).value(), 1, "{uri}");
        }
        assert_eq!((*values.get_for_none(|_| 2).value(), values.entries().len()), (1, 1));
    }

    #[test]
    fn a_value_of_all_or_of_a_name_is_not_that_of_an_origin() {
        let table = [Key::NONE, Key::ORIGIN, Key::named("a"), Key::named("a").of_origin()];
        for first in 0..table.len() {
            let (uri, next) = ("http://a.example/".parse().unwrap(), Cell::new(0));
            let values = PerKey::new(KeyBy::nothing(), NonZeroUsize::new(9).unwrap(), |_| true);
            let get = |key| *values.get_by(key, &uri, |_| next.replace(next.get() + 1)).value();
            get(&table[first]);
            let all: std::collections::HashSet<u32> = table.iter().map(get).collect();
            assert_eq!((all.len(), get(&table[first])), (4, 0), "{:?}", table[first]);
        }
    }

    #[test]
    fn when_full_keys_have_a_value_that_is_not_kept_or_share_one() {
        for shares in [false, true] {
            let mut values = by_header(2);
            if shares {
                values = values.sharing_when_full();
            }
            named(&values, "first", 0);
            for name in ["a", "b"] {
                named(&values, name, 99);
            }
            let beyond = named(&values, "c", 3);
            assert_eq!(*beyond.value(), 3);
            assert_eq!(*named(&values, "d", 4).value(), if shares { 3 } else { 4 });
            assert_eq!(*named(&values, "c", 5).value(), if shares { 3 } else { 5 });
            assert_eq!(*named(&values, "b", 6).value(), 99, "what is known stays");
            assert_eq!(beyond.subject().to_string().contains("beyond"), shares);
            assert_eq!(values.entries().len(), if shares { 4 } else { 3 });
        }
    }

    #[test]
    fn what_is_kept_or_nothing_is_had_where_that_is_asked_for() {
        let values = by_header(2);
        let kept = |name, value| {
            values.get_kept(&Key::named(name), &Uri::default(), |_| value).map(|entry| *entry.value())
        };
        assert_eq!(kept("first", 0), Some(0));
        assert_eq!((kept("a", 1), kept("b", 99)), (Some(1), Some(99)));
        let held = values.get_kept(&Key::named("a"), &Uri::default(), |_| 2);
        let never = |_: &Subject| panic!("there is no room");
        assert!(values.get_kept(&Key::named("c"), &Uri::default(), never).is_none());
        assert_eq!((kept("first", 9), kept("a", 9), kept("b", 9)), (Some(0), Some(1), Some(99)));
        drop(held);
        assert_eq!((kept("c", 3), kept("b", 9), kept("a", 99)), (Some(3), Some(99), Some(99)));
        assert_eq!(kept("c", 3), None, "what made room for it is gone");
    }

    #[test]
    fn each_value_is_shown() {
        let values = by_header(1).sharing_when_full();
        for (name, value) in [("first", 1), ("a", 99), ("beyond", 3)] {
            named(&values, name, value);
        }
        let mut shown = Vec::new();
        values.for_each(|value| shown.push(*value));
        assert_eq!(shown, [1, 99, 3]);
    }

    #[test]
    fn a_few_are_looked_at_and_the_next_time_the_next_few() {
        let values = by_header(2 * LOOKS);
        named(&values, "first", 0);
        let mut held: Vec<_> = (0..2 * LOOKS).map(|n| named(&values, &format!("{n}"), 0)).collect();
        held.truncate(LOOKS);
        assert_eq!(*named(&values, "x", 1).value(), 1);
        assert_eq!(*named(&values, "x", 2).value(), 2, "those that were looked at are held");
        assert_eq!(*named(&values, "x", 3).value(), 2, "the next few were not");
        drop(held);
    }

    #[test]
    fn a_panic_in_making_a_value_loses_nothing() {
        let values = by_header(1);
        named(&values, "first", 0);
        named(&values, "a", 1);
        let panics = std::panic::AssertUnwindSafe(|| {
            let request = Request::get("/").header("x-key", "b").body(()).unwrap();
            values.get(&RequestHead::from(&request), |_| panic!("no value"));
        });
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(*named(&values, "a", 2).value(), 1);
        assert_eq!(*named(&values, "b", 3).value(), 3);
        assert_eq!(*named(&values, "b", 4).value(), 3);
    }
}
