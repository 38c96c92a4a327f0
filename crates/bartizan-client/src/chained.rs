//! Errors with sources, for tests.

use std::error::Error;
use std::fmt;

/// An error with a source.
#[derive(Debug)]
pub(crate) struct Wrapped(pub(crate) &'static str, pub(crate) Option<Box<Wrapped>>);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Wrapped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|error| error as _)
    }
}

/// One error, whose sources have the other texts.
pub(crate) fn chained(texts: &[&'static str]) -> Box<Wrapped> {
    let wrap = |source, text: &&'static str| Some(Box::new(Wrapped(text, source)));
    texts.iter().rev().fold(None, wrap).expect("one text at least")
}
