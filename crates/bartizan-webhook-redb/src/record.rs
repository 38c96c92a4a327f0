//! How entries and events are written down. Version 1 of the format.
//!
//! A number is a LEB128 varint, a date the seconds since 1970 rounded down (8 bytes, signed, little end first) and the nanoseconds above that (4 bytes), a text its
//! length and its bytes, a list its length and what is in it.
//!
//! | record | fields |
//! |---|---|
//! | entry | state: a byte, its date, and the token of a lease or the reason of a death; when it was received; attempts; times it was driven again; 0, or 1 with source and order key; names of handlers that are done; those that failed, each as name, error, and 1 if for good |
//! | event | source; type; 0 without an id, 1 with one, 2 with one that is signed; 0, or 1 with an order key; when it was received; header fields, each as name, value, and 1 if it is sensitive; the body, up to the end |

mod entry;
mod event;
mod read;
mod write;

pub(crate) use self::entry::{Entry, Head, Lane, State};
pub(crate) use self::event::{decode_event, encode_event};
pub(crate) use self::read::Malformed;

#[cfg(test)]
mod tests;
