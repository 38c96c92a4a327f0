//! What an error is called: few words that stay, for attributes and labels.

use std::error::Error;
use std::io;

use bartizan_core::{Delivery, Rejection, delivery, find_source};

/// Reads the errors of one layer.
pub(crate) type Reader = fn(&(dyn Error + 'static)) -> Option<&'static str>;

/// Where nothing better is known, by the semantic conventions.
const OTHER: &str = "_OTHER";

pub(crate) fn name_of(error: &(dyn Error + 'static)) -> &'static str {
    let by_layer = crate::READERS.iter().find_map(|read| read(error));
    by_layer.or_else(|| of_refusal(error)).or_else(|| of_transport(error)).unwrap_or(OTHER)
}

fn of_refusal(error: &(dyn Error + 'static)) -> Option<&'static str> {
    find_source::<Rejection>(error).map(|_| "refused")
}

fn of_transport(error: &(dyn Error + 'static)) -> Option<&'static str> {
    match delivery(error) {
        Delivery::ConnectFailed => return Some("connect"),
        Delivery::NotProcessed => return Some("not_processed"),
        Delivery::Incomplete => return Some("incomplete"),
        _ => {}
    }
    let mut error = find_source::<io::Error>(error)?;
    loop {
        match error.kind() {
            io::ErrorKind::TimedOut => return Some("timeout"),
            io::ErrorKind::ConnectionReset => return Some("connection_reset"),
            // One may be wrapped in another.
            _ => error = find_source(error.get_ref()?)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_nobody_knows_has_a_name_too() {
        assert_eq!(name_of(&std::fmt::Error), "_OTHER");
        assert_eq!(name_of(&io::Error::other("strange")), "_OTHER");
    }

    #[test]
    fn what_the_transport_says_is_named() {
        for (kind, name) in [
            (io::ErrorKind::ConnectionRefused, "connect"),
            (io::ErrorKind::TimedOut, "timeout"),
            (io::ErrorKind::ConnectionReset, "connection_reset"),
        ] {
            assert_eq!(name_of(&io::Error::other(io::Error::from(kind))), name);
        }
    }

    #[test]
    fn a_refusal_of_a_layer_that_nobody_knows_is_one() {
        assert_eq!(name_of(&io::Error::other(Rejection::new(None))), "refused");
    }
}
