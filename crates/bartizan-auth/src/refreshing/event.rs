use std::error::Error;
use std::time::Duration;

use crate::TokenError;

/// What happened to a token that is fetched.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum TokenEvent<'a> {
    /// One was fetched, or found in the store, and is used from now on.
    #[non_exhaustive]
    Renewed {
        /// How long it lives, if that is known.
        lifetime: Option<Duration>,
    },
    /// None was to be had.
    Failed(&'a TokenError),
    /// The one in use was refused by the API.
    Refused,
    /// It is used, and not saved.
    NotSaved(&'a (dyn Error + 'static)),
    /// What is saved could not be read; a token is fetched without it.
    NotLoaded(&'a (dyn Error + 'static)),
}
