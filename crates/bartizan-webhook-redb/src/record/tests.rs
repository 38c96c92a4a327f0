use bartizan_webhook::inbox::{Event, FailedHandler, Progress};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::date::Date;

fn dates() -> impl Strategy<Value = Date> {
    (any::<i64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Date { seconds, nanos })
}

fn states() -> impl Strategy<Value = State> {
    prop_oneof![
        dates().prop_map(|due| State::Waiting { due }),
        (dates(), any::<u64>()).prop_map(|(until, token)| State::Leased { until, token }),
        (dates(), any::<String>()).prop_map(|(died, reason)| State::Dead { died, reason }),
    ]
}

fn entries() -> impl Strategy<Value = Entry> {
    let lane = any::<(String, String)>().prop_map(|(source, key)| Lane { source, key });
    let failed = any::<(String, String, bool)>();
    let failed = failed.prop_map(|(name, error, is_permanent)| FailedHandler { name, error, is_permanent });
    let progress = (vec(any::<String>(), 0..4), vec(failed, 0..4));
    let rest = (any::<(u32, u32)>(), proptest::option::of(lane), progress);
    (states(), dates(), rest).prop_map(|(state, received, ((attempts, redriven), lane, (done, failed)))| {
        Entry { state, received, attempts, redriven, lane, progress: Progress { done, failed } }
    })
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    let value = vec(prop_oneof![0x20..0x7f_u8, 0x80..=0xff_u8], 0..20);
    vec(("[a-c]{1,2}", value, any::<bool>()), 0..6).prop_map(|fields| {
        let mut headers = HeaderMap::new();
        for (name, value, is_sensitive) in fields {
            let mut value = HeaderValue::from_bytes(&value).expect("a value");
            value.set_sensitive(is_sensitive);
            headers.append(HeaderName::from_bytes(name.as_bytes()).expect("a name"), value);
        }
        headers
    })
}

fn events() -> impl Strategy<Value = Event> {
    let id = proptest::option::of(any::<(String, bool)>());
    let names = any::<(String, String, Option<String>)>();
    (names, id, dates(), headers(), vec(any::<u8>(), 0..200)).prop_map(
        |((source, event_type, key), id, received, headers, body)| {
            let mut event = Event::new(source, event_type, received.into(), body).with_headers(headers);
            if let Some((id, is_signed)) = id {
                event = event.with_id(id, is_signed);
            }
            match key {
                Some(key) => event.with_order_key(key),
                None => event,
            }
        },
    )
}

proptest! {
    #[test]
    fn an_entry_comes_back(entry in entries()) {
        let record = entry.encode();
        let head = Head::decode(&record).expect("it was written here");
        prop_assert_eq!((&head.state, head.received), (&entry.state, entry.received));
        prop_assert_eq!(Entry::decode(&record), Ok(entry));
    }

    #[test]
    fn an_event_comes_back(event in events()) {
        let again = decode_event(&encode_event(&event)).expect("it was written here");
        let sensitive = |event: &Event| event.headers().values().map(HeaderValue::is_sensitive).collect::<Vec<_>>();
        prop_assert_eq!(sensitive(&again), sensitive(&event));
        prop_assert_eq!(again, event);
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = (Entry::decode(&bytes), decode_event(&bytes));
    }

    #[test]
    fn a_record_that_was_changed_is_another_one_or_none(entry in entries(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut record = entry.encode();
        let at = at.index(record.len());
        record[at] ^= 1_u8 << bit;
        prop_assert_ne!(Entry::decode(&record), Ok(entry));
    }

    #[test]
    fn an_entry_that_is_cut_short_or_goes_on_is_none(entry in entries(), cut in any::<prop::sample::Index>()) {
        let mut record = entry.encode();
        prop_assert!(Entry::decode(&record[..cut.index(record.len())]).is_err());
        record.push(0);
        prop_assert!(Entry::decode(&record).is_err());
    }
}
