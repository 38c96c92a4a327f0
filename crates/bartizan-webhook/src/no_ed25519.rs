//! Without the feature there are no keys of Ed25519.

#[derive(Clone, Copy)]
pub(crate) enum EdKey {}

const NEEDS: &str = "is of Ed25519, which needs the feature `ed25519`";

impl EdKey {
    pub(crate) fn public(_: &[u8]) -> Result<Self, &'static str> {
        Err(NEEDS)
    }

    pub(crate) fn pair(_: &[u8]) -> Result<Self, &'static str> {
        Err(NEEDS)
    }

    pub(crate) fn verifies(&self, _: &[u8], _: &[u8]) -> bool {
        match *self {}
    }

    pub(crate) fn sign(&self, _: &[u8]) -> Option<Vec<u8>> {
        match *self {}
    }

    pub(crate) fn is_public(&self) -> bool {
        match *self {}
    }
}
