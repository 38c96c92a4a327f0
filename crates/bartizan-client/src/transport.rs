//! Whether a connect failed: by what every transport's errors have, and by hyper's own if the feature `hyper` is on.

use std::error::Error;
use std::io;

use bartizan_core::find_source;

/// How many errors may wrap each other.
const MAX_DEPTH: usize = 16;

pub(crate) fn is_connect(error: &(dyn Error + 'static)) -> bool {
    io_says_so(error) || hyper_says_so(error)
}

/// Only kinds that a connection which came about never has. A host that is unreachable may have been reached before: an
/// established connection that times out can end so.
fn io_says_so(error: &(dyn Error + 'static)) -> bool {
    let all = std::iter::successors(find_source::<io::Error>(error), |&error| wrapped_by(error));
    all.take(MAX_DEPTH).any(|error| {
        matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::AddrNotAvailable)
    })
}

fn wrapped_by(error: &io::Error) -> Option<&io::Error> {
    find_source(error.get_ref()?)
}

#[cfg(feature = "hyper")]
fn hyper_says_so(error: &(dyn Error + 'static)) -> bool {
    bartizan_core::delivery(error) == bartizan_core::Delivery::ConnectFailed
}

#[cfg(not(feature = "hyper"))]
fn hyper_says_so(_: &(dyn Error + 'static)) -> bool {
    false
}
