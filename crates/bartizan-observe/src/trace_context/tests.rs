use proptest::prelude::*;

use super::*;

const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn parse(value: &str) -> Option<String> {
    TraceContext::parse(value.as_bytes()).map(|context| context.to_string())
}

#[test]
fn what_is_valid_is_read_as_it_is_written() {
    for value in [VALID, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"] {
        assert_eq!(parse(value).as_deref(), Some(value));
    }
}

#[test]
fn what_is_invalid_is_not_read() {
    for value in [
        "",
        "00",
        // Zeros.
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        // Upper case.
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        // Lengths.
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331c-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
        "0-00af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        // No digits.
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
        "zz-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333+-01",
        // No dashes, and one more.
        "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b71-9203331-01",
        // Version 00 ends there, and ff is none.
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
    ] {
        assert_eq!(parse(value), None, "{value}");
    }
}

#[test]
fn of_a_later_version_is_read_what_is_known() {
    for value in [
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes",
    ] {
        assert_eq!(parse(value).as_deref(), Some(VALID));
    }
}

#[test]
fn two_fields_are_none() {
    let mut headers = HeaderMap::new();
    headers.append(&TRACEPARENT, HeaderValue::from_static(VALID));
    assert!(TraceContext::of(&headers).is_some());
    headers.append(&TRACEPARENT, HeaderValue::from_static(VALID));
    assert_eq!(TraceContext::of(&headers), None);
}

#[test]
fn a_child_is_of_the_same_trace_and_passes_on_the_one_flag_that_is_known() {
    let chance = Chance::from_seed(1);
    let parent = TraceContext::parse(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff").unwrap();
    let child = parent.child(&chance);
    assert_eq!((child.trace, child.flags), (parent.trace, 1));
    assert_ne!(child.span, parent.span);
    assert_ne!(child.span, parent.child(&chance).span);
}

#[test]
fn a_start_is_valid_and_says_whether_it_is_sampled() {
    let chance = Chance::from_seed(1);
    for (is_sampled, flags) in [(true, "-01"), (false, "-00")] {
        let start = TraceContext::start(&chance, is_sampled).to_string();
        assert!(start.ends_with(flags), "{start}");
        assert_eq!(parse(&start), Some(start));
    }
}

#[test]
fn a_start_takes_the_place_of_what_was_no_trace() {
    let mut headers = HeaderMap::new();
    headers.insert(&TRACEPARENT, HeaderValue::from_static("no"));
    headers.insert(&TRACESTATE, HeaderValue::from_static("a=b"));
    TraceContext::start(&Chance::from_seed(1), true).put_first(&mut headers);
    assert!(TraceContext::of(&headers).is_some());
    assert!(!headers.contains_key(&TRACESTATE));
}

proptest! {
    #[test]
    fn no_bytes_panic_and_what_is_read_can_be_read_again(value in prop::collection::vec(any::<u8>(), 0..70)) {
        if let Some(context) = TraceContext::parse(&value) {
            prop_assert_eq!(TraceContext::parse(context.to_string().as_bytes()), Some(context));
        }
    }

    #[test]
    fn nearly_valid_text_does_not_panic(at in 0_usize..56, byte in any::<u8>()) {
        let mut value = VALID.as_bytes().to_vec();
        value.insert(at.min(value.len()), byte);
        let _ = TraceContext::parse(&value);
        value.remove(0);
        let _ = TraceContext::parse(&value);
    }
}
