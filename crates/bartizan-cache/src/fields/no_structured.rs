//! What stands in for `structured` without the feature `targeted-fields`.

use http::{HeaderMap, HeaderName};

use crate::fields::{Directives, Groups};

pub(crate) fn directives(_: &HeaderMap, _: &HeaderName) -> Option<Directives> {
    None
}

pub(crate) fn groups(_: &HeaderMap) -> Groups {
    Groups::default()
}

pub(crate) fn invalidated_groups(_: &HeaderMap) -> Groups {
    Groups::default()
}
