//! An inbox in a file.
mod builder;
mod committer;
mod date;
mod error;
mod file;
mod inbox;
mod record;
mod tables;

pub use builder::Builder;
pub use error::OpenError;
pub use inbox::RedbInbox;

#[cfg(test)]
mod tests;
