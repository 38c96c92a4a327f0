use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;

/// A request named no tenant, so there was nobody's credential to go with. The cause of a [`NoCredential`](crate::NoCredential).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTenant(pub(super) ());

impl fmt::Display for NoTenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request names no tenant")
    }
}

impl Error for NoTenant {}

/// There was no room for one more tenant. The cause of a [`NoCredential`](crate::NoCredential), or what [`Tenants::get`](crate::Tenants::get) ends
/// with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyTenants {
    pub(super) most: NonZeroUsize,
}

impl TooManyTenants {
    /// So many are kept beside the first: see [`Tenants::max_tenants`](crate::Tenants::max_tenants).
    pub fn most(&self) -> NonZeroUsize {
        self.most
    }
}

impl fmt::Display for TooManyTenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no room for one more tenant: of {} none can be forgotten without loss", self.most)
    }
}

impl Error for TooManyTenants {}
