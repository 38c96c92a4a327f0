//! Whether a connect failed, if the feature `hyper` is on.

use std::error::Error;

#[cfg(feature = "hyper")]
pub(crate) fn is_connect(error: &(dyn Error + 'static)) -> bool {
    bartizan_core::delivery(error) == bartizan_core::Delivery::ConnectFailed
}

#[cfg(not(feature = "hyper"))]
pub(crate) fn is_connect(_: &(dyn Error + 'static)) -> bool {
    false
}
