use bartizan_core::BoxError;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use zeroize::Zeroizing;

use crate::Secret;

/// 256 bits that nobody can guess, in 43 characters that may stand anywhere.
pub(super) fn random() -> Result<Secret, BoxError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)
        .map_err(|error| format!("the operating system has no chance to give: {error}"))?;
    Ok(Secret::from(BASE64_URL_SAFE_NO_PAD.encode(*bytes)))
}
