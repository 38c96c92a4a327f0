use std::error::Error;

use bartizan_core::find_source;
use bartizan_rate_limit::RateLimited;
use bartizan_rate_limit::bulkhead::BulkheadFull;

pub(crate) fn read(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let limited = find_source::<RateLimited>(error).map(|_| "rate_limited");
    limited.or_else(|| find_source::<BulkheadFull>(error).map(|_| "bulkhead_full"))
}
