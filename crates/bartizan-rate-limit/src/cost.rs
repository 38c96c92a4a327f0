use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use bartizan_core::RequestHead;

/// How many tokens a request costs: put it into the request's extensions. Without it a request costs one.
///
/// ```
/// use bartizan_rate_limit::Cost;
///
/// let mut export = http::Request::get("https://api.example.com/export").body(())?;
/// export.extensions_mut().insert(Cost(10));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cost(
    /// Zero costs nothing, and never waits for tokens.
    pub u32,
);

/// Where the cost of a request is found.
#[derive(Clone, Default)]
pub(crate) enum Costs {
    /// In its extensions.
    #[default]
    Extension,
    Closure(Arc<dyn Fn(&RequestHead<'_>) -> u32 + Send + Sync>),
}

impl Costs {
    pub(crate) fn of(&self, request: &RequestHead<'_>) -> Option<NonZeroU32> {
        NonZeroU32::new(match self {
            Self::Extension => request.extensions.get().map_or(1, |Cost(cost)| *cost),
            Self::Closure(cost) => cost(request),
        })
    }
}

impl fmt::Debug for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Extension => "by extension",
            Self::Closure(_) => "a closure",
        })
    }
}
