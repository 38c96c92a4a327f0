//! The errors of hyper and its kin, one at a time.

use std::error::Error;

use crate::Delivery;

pub(crate) const IS_READ: bool = true;

pub(crate) fn read(error: &(dyn Error + 'static)) -> Option<Delivery> {
    if let Some(error) = error.downcast_ref::<h2::Error>() {
        // A GOAWAY with another code may stand for streams that were processed.
        let clean_goaway = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
        let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        (error.is_remote() && (clean_goaway || refused)).then_some(Delivery::NotProcessed)
    } else if let Some(error) = error.downcast_ref::<hyper::Error>() {
        if error.is_canceled() {
            Some(Delivery::NotProcessed)
        } else {
            error.is_incomplete_message().then_some(Delivery::Incomplete)
        }
    } else {
        let error = error.downcast_ref::<hyper_util::client::legacy::Error>()?;
        error.is_connect().then_some(Delivery::ConnectFailed)
    }
}
