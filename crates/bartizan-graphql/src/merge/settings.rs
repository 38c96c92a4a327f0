/// What may share a request.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub(super) mutations: bool,
    pub(super) operations: usize,
    pub(super) bytes: usize,
}

impl Settings {
    /// Mutations share a request too, in their order. By default each goes alone, since what the one does to the answer of the other cannot be
    /// undone by sending it again.
    #[must_use]
    pub fn with_mutations(mut self) -> Self {
        self.mutations = true;
        self
    }

    /// So many operations in a request at most. 20 by default: a server counts what a request costs as a whole, and what it refuses is sent one
    /// by one.
    #[must_use]
    pub fn operations(mut self, operations: usize) -> Self {
        self.operations = operations;
        self
    }

    /// So many bytes of document and variables in a request at most. 64 KiB by default: many servers read 100 kB of body (the default of Express),
    /// and quotes and line breaks take two bytes each there.
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { mutations: false, operations: 20, bytes: 64 * 1024 }
    }
}
