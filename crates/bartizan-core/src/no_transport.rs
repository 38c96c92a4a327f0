//! Without the feature `hyper` nothing is known of its errors.

use std::error::Error;

use crate::Delivery;

pub(crate) const IS_READ: bool = false;

pub(crate) fn read(_: &(dyn Error + 'static)) -> Option<Delivery> {
    None
}
