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

#[cfg(test)]
mod tests {
    use crate::SignatureFormat;

    #[test]
    fn keys_of_ed25519_say_what_they_need() {
        let error = |format: SignatureFormat, key: &str| format.verifier([key]).unwrap_err().to_string();
        let discord = error(SignatureFormat::discord(), &"00".repeat(32));
        assert!(discord.ends_with("is of Ed25519, which needs the feature `ed25519`"), "{discord}");
        let standard = error(SignatureFormat::standard_webhooks(), "whpk_AAAA");
        assert!(standard.ends_with("is of Ed25519, which needs the feature `ed25519`"), "{standard}");
        assert!(SignatureFormat::standard_webhooks().verifier(["whsec_AAAA"]).is_ok());
    }
}
