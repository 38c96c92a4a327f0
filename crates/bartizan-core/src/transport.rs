use std::error::Error;

use crate::error::chain;

/// How far a request got before its transport failed, as far as the error can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// No connection came about: nothing was sent.
    ConnectFailed,
    /// The server says, or the connection knows, that the request was not processed: REFUSED_STREAM, a clean GOAWAY below its
    /// stream (RFC 9113 sections 6.8 and 8.7), or a connection that closed before the request was taken.
    NotProcessed,
    /// The connection ended in the middle of the answer, or before it.
    Incomplete,
    /// It may have been processed.
    Unknown,
}

/// Reads the errors of `hyper`, `hyper-util`'s legacy client and `h2` in the chain of `error`.
pub fn delivery(error: &(dyn Error + 'static)) -> Delivery {
    let mut found = Delivery::Unknown;
    for error in chain(error) {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            // A GOAWAY with another code may stand for streams that were processed.
            let clean_goaway = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
            let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
            if error.is_remote() && (clean_goaway || refused) {
                return Delivery::NotProcessed;
            }
        } else if let Some(error) = error.downcast_ref::<hyper::Error>() {
            if error.is_canceled() {
                return Delivery::NotProcessed;
            }
            if error.is_incomplete_message() {
                found = Delivery::Incomplete;
            }
        } else if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>()
            && error.is_connect()
        {
            return Delivery::ConnectFailed;
        }
    }
    found
}
