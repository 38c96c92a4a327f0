//! What stands in for `draft` without the feature `structured-fields`.

use http::HeaderMap;

use crate::said::Windows;

pub(crate) fn read(_: &HeaderMap) -> Windows {
    Windows::NONE
}
