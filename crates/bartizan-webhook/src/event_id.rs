/// The sender's own name of an event, the same for each attempt to deliver it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    text: String,
    is_signed: bool,
}

impl EventId {
    /// `is_signed` tells whether the sender's signature covers it. Where it does not, anybody on the way could give an old body a new one.
    pub fn new(text: impl Into<String>, is_signed: bool) -> Self {
        Self { text: text.into(), is_signed }
    }

    /// As the sender wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the signature covers it.
    pub fn is_signed(&self) -> bool {
        self.is_signed
    }
}
