use bytes::Bytes;
use form_urlencoded::byte_serialize;
use http_body_util::Full;
use zeroize::Zeroizing;

/// What a user adds to a request.
#[derive(Clone, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// There is one scope.
    pub(super) fn scope(&mut self, scope: String) {
        self.0.retain(|(name, _)| name != "scope");
        self.add("scope".into(), scope);
    }

    pub(super) fn add(&mut self, name: String, value: String) {
        self.0.push((name, value));
    }
}

/// A body of `application/x-www-form-urlencoded`, which is overwritten when it is dropped.
pub(super) struct Form(Zeroizing<String>);

impl Form {
    pub(super) fn new() -> Self {
        // At once, since what grows leaves copies behind.
        Self(Zeroizing::new(String::with_capacity(4096)))
    }

    pub(super) fn push(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.extend(byte_serialize(name.as_bytes()));
        self.0.push('=');
        self.0.extend(byte_serialize(value.as_bytes()));
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.push(name, value);
        self
    }

    /// With what a user has set, but for what is in it already.
    pub(super) fn with_all(mut self, parameters: &Parameters) -> Self {
        let ours = self.0.len();
        for (name, value) in &parameters.0 {
            let encoded: String = byte_serialize(name.as_bytes()).collect();
            let is_ours = self.0[..ours].split('&').any(|pair| pair.split('=').next() == Some(&*encoded));
            if !is_ours {
                self.push(name, value);
            }
        }
        self
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_body(self) -> Full<Bytes> {
        Full::new(Bytes::from_owner(self.0))
    }
}
