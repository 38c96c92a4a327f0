use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{Principal, SecretDigest};

/// Whose secret is whose, by digests. Clones share it: what is set by one counts for all from the next request on.
///
/// A secret is found by a hash of its digest, with a seed that nobody outside knows, and what is found is compared in constant time. So it takes as long with a
/// thousand secrets as with one, and the time tells nobody how near he came.
///
/// ```
/// use bartizan_auth::server::{Principals, SecretDigest};
///
/// let principals = Principals::new([(SecretDigest::of("k3y"), "billing")]);
/// // The key is changed; for a while both are good.
/// principals.set([(SecretDigest::of("k3y"), "billing"), (SecretDigest::of("n3w"), "billing")]);
/// ```
#[derive(Clone)]
pub struct Principals(Arc<ArcSwap<HashMap<SecretDigest, Principal>>>);

impl Principals {
    /// Each with his secret. He may have several; of two who have the same one the last counts.
    pub fn new<P: Into<Principal>>(known: impl IntoIterator<Item = (SecretDigest, P)>) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(by_digest(known))))
    }

    /// From the next request on it is these, and no others.
    pub fn set<P: Into<Principal>>(&self, known: impl IntoIterator<Item = (SecretDigest, P)>) {
        self.0.store(Arc::new(by_digest(known)));
    }

    pub(super) fn who(&self, digest: &SecretDigest) -> Option<Principal> {
        self.0.load().get(digest).cloned()
    }
}

fn by_digest<P: Into<Principal>>(
    known: impl IntoIterator<Item = (SecretDigest, P)>,
) -> HashMap<SecretDigest, Principal> {
    known.into_iter().map(|(digest, principal)| (digest, principal.into())).collect()
}

impl fmt::Debug for Principals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Principals({} secrets)", self.0.load().len())
    }
}
