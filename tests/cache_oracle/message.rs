//! What was asked and what was answered, as plain strings. Times are milliseconds since 1970.

use crate::fields::Fields;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub fields: Fields,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub fields: Fields,
    pub body: String,
    /// Whether the body came to its end, as long as it said.
    pub is_whole: bool,
}

/// What the origin was asked, and what became of it: no response if it was not reached.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub request: Request,
    pub sent: i64,
    pub received: i64,
    pub response: Option<Response>,
}

/// One request of the client with all that it led to.
#[derive(Clone, Debug)]
pub struct Turn {
    pub request: Request,
    pub asked: i64,
    pub exchanges: Vec<Exchange>,
    pub answered: i64,
    pub answer: Option<Response>,
    /// Whether the client read the body to its end.
    pub is_read: bool,
    /// What the origin was asked behind the client's back.
    pub meanwhile: Vec<Exchange>,
}
