use std::fmt;

use http::{Method, Uri};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Meta asks, before it sends anything, whether somebody is there who knows a token: `GET ?hub.mode=subscribe&hub.verify_token=..&hub.challenge=..`.
#[derive(Clone)]
pub(super) struct MetaHandshake {
    token: Zeroizing<String>,
}

/// What such a request is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Another one.
    No,
    /// The challenge goes back.
    Challenge(String),
    /// The token is another one.
    Token,
}

/// Meta's are ten digits.
const LONGEST: usize = 256;

impl MetaHandshake {
    pub(super) fn new(token: String) -> Self {
        Self { token: Zeroizing::new(token) }
    }

    pub(super) fn read(&self, method: &Method, uri: &Uri) -> Asked {
        let query = uri.query().unwrap_or_default();
        let value = |name: &str| {
            form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value)
        };
        if method != Method::GET || value("hub.mode").as_deref() != Some("subscribe") {
            return Asked::No;
        }
        let token = value("hub.verify_token").map(|token| Zeroizing::new(token.into_owned()));
        let is_known = token.is_some_and(|token| token.as_bytes().ct_eq(self.token.as_bytes()).into());
        match value("hub.challenge") {
            // An empty setting lets nobody in.
            Some(challenge) if is_known && !self.token.is_empty() && challenge.len() <= LONGEST => {
                Asked::Challenge(challenge.into_owned())
            }
            _ => Asked::Token,
        }
    }
}

impl fmt::Debug for MetaHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetaHandshake(..)")
    }
}
