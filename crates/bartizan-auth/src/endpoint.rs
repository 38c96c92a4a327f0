//! Where credentials are exchanged for tokens: a URL, the service that brings requests there, and what is made of the answers.

mod answer;
mod error;
mod transport;

use std::fmt;

use bartizan_core::Origin;
use http::Uri;

pub(crate) use self::answer::{Answer, Fields, shown};
pub(crate) use self::error::Why;
pub use self::error::{EndpointError, ErrorCode};
pub use self::transport::Transport;
use crate::InvalidOrigin;
use crate::origins::parse;

/// The URL of one.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) uri: Uri,
    /// As errors name it.
    pub(crate) origin: Box<str>,
}

impl Endpoint {
    pub(crate) fn new(url: &str) -> Result<Self, InvalidOrigin> {
        let uri = parse(url)?;
        let origin = Origin::of(&uri).expect("it was found to be absolute").as_str().into();
        Ok(Self { uri, origin })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }
}

/// Without the query, which some servers have secrets in.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.uri.path())
    }
}
