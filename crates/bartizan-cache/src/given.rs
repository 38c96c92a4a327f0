//! What the tests of several modules are given.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

/// 1994-11-06T08:49:37Z, as in the RFC's own dates.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

pub(crate) const THAT_SECOND: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
pub(crate) const THE_NEXT: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
pub(crate) const THE_ONE_BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

pub(crate) fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let line = |&(name, value): &(&str, &str)| {
        (HeaderName::try_from(name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    lines.iter().map(line).collect()
}

/// Lines of these fields with anything in them, or something near to sense.
pub(crate) fn any_lines(names: &'static [&'static str]) -> impl Strategy<Value = HeaderMap> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..24);
    let near = "(bytes[= ])?[0-9]{0,22}-?[0-9]{0,22}(/[0-9*]{0,22})?|(W/)?\"[a,]{0,2}\"(, )?\"?|[*,-]{0,3}";
    let value = prop_oneof![
        bytes.prop_filter_map("a field value", |bytes| HeaderValue::from_bytes(&bytes).ok()),
        near.prop_map(|text| HeaderValue::try_from(text).unwrap()),
        Just(HeaderValue::from_static(THAT_SECOND)),
    ];
    let line = (proptest::sample::select(names).prop_map(HeaderName::from_static), value);
    proptest::collection::vec(line, 0..8).prop_map(HeaderMap::from_iter)
}
