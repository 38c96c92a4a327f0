//! The few types that two bartizan crates must share, or must agree on at run time.
//!
//! Each pattern of bartizan is a crate of its own, and none depends on another. They still have to understand each
//! other: retry must know that a circuit breaker below it refused and sent nothing, a timeout must see the deadline
//! that an outer layer stamped. What they need for that lives here, and nothing else does.
//!
//! | for | types |
//! |---|---|
//! | errors | [`BoxError`], [`find_source`], [`Rejection`], [`RetriesSpent`], [`Delivery`], [`InvalidHeader`] |
//! | what an answer means | [`Classify`], [`Outcome`], [`Head`], [`ByStatus`], [`classify`], [`RetryHint`] |
//! | an error or an answer | [`Face`], [`Refuse`], [`Respond`], [`Refusal`], [`ErrorRef`], [`RespondBody`] |
//! | bodies that go twice | [`Replay`], [`ReplayBody`], [`ReplayNow`] |
//! | bodies that are read | [`Collect`], [`NotCollected`] |
//! | what the content is | [`has_media_type`] |
//! | facts of one call | [`CallContext`], [`Deadline`], [`ThroughBody`], [`Attempts`] |
//! | what a request is | [`RequestHead`], [`Origin`], [`PathTemplate`] |
//! | what is shown of URLs, errors and dates | [`shown_url`], [`shown_urls_in`], [`host_and_port`], [`error_line`], [`error_chain`], [`shown_line`], [`Utc`] |
//! | state per upstream or caller | [`PerKey`], [`KeyBy`], [`Key`], [`Subject`] |
//! | time and chance | [`WallClock`], [`http_date`], [`retry_after`], [`Chance`] |
//! | readiness | [`ReadyThenCall`], [`Readied`] |
//!
//! There is no runtime in here: no `tokio`, no timer, no task. Applications rarely name this crate; they meet its types
//! through the crate whose layer they use.
//!
//! ```
//! use std::time::Duration;
//! use bartizan_core::{BoxError, Rejection, find_source};
//!
//! // A layer refused, and some outer layer has to know whether anything was sent.
//! let error: BoxError = Rejection::new(Some(Duration::from_secs(2))).into();
//! let refused = find_source::<Rejection>(&*error).and_then(Rejection::retry_in);
//! assert_eq!(refused, Some(Duration::from_secs(2)));
//! ```

mod chance;
mod classify;
mod clock;
mod collect;
mod context;
mod date;
mod delivery;
mod error;
mod error_line;
mod face;
mod header;
mod key;
mod media_type;
mod origin;
mod path_template;
mod per_key;
mod readied;
mod ready_then_call;
mod rejection;
mod replay;
mod replay_body;
mod request_head;
mod retries_spent;
mod retry_after;
mod retry_hint;
mod shown_url;
mod subject;
#[cfg(feature = "hyper")]
mod transport;
#[cfg(not(feature = "hyper"))]
#[path = "no_transport.rs"]
mod transport;
mod utc;

pub use chance::Chance;
pub use classify::{ByStatus, Classify, Head, Outcome, classify};
pub use clock::WallClock;
pub use collect::{Collect, NotCollected};
pub use context::{Attempts, CacheMode, CacheOverride, CallContext, Deadline, RetryOverride, ThroughBody};
pub use date::http_date;
pub use delivery::{Delivery, delivery};
pub use error::{BoxError, find_source};
pub use error_line::{error_chain, error_line, shown_line};
pub use face::{ErrorRef, Face, Refusal, Refuse, Respond, RespondBody};
pub use header::{Header, InvalidHeader};
pub use key::{Key, KeyBy};
pub use media_type::has_media_type;
pub use origin::{Origin, RelativeUri};
pub use path_template::PathTemplate;
pub use per_key::{Entry, PerKey};
pub use readied::Readied;
pub use ready_then_call::ReadyThenCall;
pub use rejection::Rejection;
pub use replay::{Replay, ReplayNow, replay_request};
pub use replay_body::{ReplayBody, ReplayError};
pub use request_head::{IDEMPOTENCY_KEY, RequestHead};
pub use retries_spent::RetriesSpent;
pub use retry_after::retry_after;
pub use retry_hint::RetryHint;
pub use shown_url::{host_and_port, shown_url, shown_urls_in};
pub use subject::Subject;
pub use utc::Utc;
