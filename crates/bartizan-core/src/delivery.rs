use std::error::Error;
use std::io;

use crate::error::chain;
use crate::transport;

/// How far a request got before its transport failed, as far as the error can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// No connection came about: nothing was sent.
    ConnectFailed,
    /// The server says, or the connection knows, that the request was not processed: REFUSED_STREAM, a clean GOAWAY below its
    /// stream (RFC 9113 sections 6.8 and 8.7), or a connection that closed before the request was taken.
    ///
    /// As sure as the transport is: hyper 1.x says the same of a request whose head it had just handed to a connection when a
    /// GOAWAY came in that spares all streams, though that head may still go out, without its body.
    NotProcessed,
    /// The connection ended in the middle of the answer, or before it.
    Incomplete,
    /// It may have been processed.
    Unknown,
}

impl Delivery {
    /// Whether the errors of hyper are read: with the feature `hyper`, which any crate of a program may switch on. Without it only a
    /// connection that was refused is known.
    pub const READS_HYPER: bool = transport::IS_READ;
}

/// Reads the errors in the chain of `error`: an [`io::Error`] of a kind that only connecting has (refused, or no address to connect
/// from) and, with the feature `hyper`, those of `hyper`, `hyper-util`'s legacy client and `h2`.
pub fn delivery(error: &(dyn Error + 'static)) -> Delivery {
    let mut found = Delivery::Unknown;
    for error in chain(error) {
        match transport::read(error).or_else(|| never_connected(error)) {
            // Something further in may know better.
            Some(Delivery::Incomplete) => found = Delivery::Incomplete,
            Some(known) => return known,
            None => {}
        }
    }
    found
}

fn never_connected(error: &(dyn Error + 'static)) -> Option<Delivery> {
    // A host that is unreachable may have been reached before: an established connection that times out can end so.
    let kind = error.downcast_ref::<io::Error>()?.kind();
    matches!(kind, io::ErrorKind::ConnectionRefused | io::ErrorKind::AddrNotAvailable)
        .then_some(Delivery::ConnectFailed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_is_known_to_all() {
        let of = |kind| delivery(&io::Error::other(io::Error::from(kind)));
        for kind in [io::ErrorKind::ConnectionRefused, io::ErrorKind::AddrNotAvailable] {
            assert_eq!(of(kind), Delivery::ConnectFailed, "{kind:?}");
        }
        for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::HostUnreachable, io::ErrorKind::Other] {
            assert_eq!(of(kind), Delivery::Unknown, "{kind:?}");
        }
    }
}
