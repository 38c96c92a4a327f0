use std::error::Error;

use bartizan_auth::{NoCredential, OtherOrigin};
use bartizan_core::find_source;

pub(crate) fn read(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let none = find_source::<NoCredential>(error).map(|_| "no_credential");
    none.or_else(|| find_source::<OtherOrigin>(error).map(|_| "other_origin"))
}
