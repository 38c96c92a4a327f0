use proptest::prelude::*;

use super::*;

const NAMES: [&str; 14] = [
    "age",
    "date",
    "ratelimit",
    "ratelimit-limit",
    "ratelimit-policy",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "x-rate-limit-limit",
    "x-rate-limit-remaining",
    "x-rate-limit-reset",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

const VALID: [&str; 10] = [
    "\"default\";q=100;w=60;pk=:cHsdsRa894==:;qu=\"requests\"",
    "\"burst\";q=100;w=60,\"daily\\\"\";q=1000;w=86400",
    "\"default\";r=50;t=30;pk=:cHsdsRa894==:",
    "limit=100, remaining=50, reset=30;a=?0",
    "100, 100;w=60, (1 2);w=3, @5, %\"f%c3%bc\"",
    "999999999999999",
    "18446744073709551615.999999999999",
    "1795478430250.5",
    "Tue, 24 Nov 2026 00:00:30 GMT",
    "300",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let random = proptest::collection::vec(any::<u8>(), 0..80);
    let mutations = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let alike =
        prop_oneof![Just(b'"'), Just(b';'), Just(b','), Just(b'='), Just(b'('), Just(b':'), b'0'..=b'9'];
    let alike = proptest::collection::vec((any::<prop::sample::Index>(), alike), 0..4);
    let mutated = (prop::sample::select(&VALID[..]), mutations, alike, any::<prop::sample::Index>())
        .prop_map(|(valid, mutations, alike, cut)| {
            let mut value = valid.as_bytes().to_vec();
            for (place, byte) in mutations.into_iter().chain(alike) {
                value[place.index(valid.len())] = byte;
            }
            if cut.index(3) == 0 {
                value.truncate(cut.index(valid.len()));
            }
            value
        });
    let repeated = (prop::sample::select(&VALID[..]), 1_usize..300)
        .prop_map(|(valid, times)| vec![valid; times].join(",").into_bytes());
    prop_oneof![1 => random, 4 => mutated, 1 => repeated]
}

proptest! {
    #[test]
    fn whatever_an_answer_holds_it_is_read_and_within_bounds(
        status in prop_oneof![Just(200_u16), Just(403), Just(425), Just(429), Just(503)],
        fields in proptest::collection::vec((prop::sample::select(&NAMES[..]), bytes()), 0..6),
        seconds in prop_oneof![Just(0), Just(NOW), 0..4 * NOW],
    ) {
        let mut response = answer(status, &[]);
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                response.headers_mut().append(name, value);
            }
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let said = read(&Head::from(&response), Outcome::Throttled, || now);
        prop_assert!(said.pause.is_none_or(|pause| pause.lasts <= Pause::LONGEST));
        prop_assert_eq!(said.pause.is_some(), status != 425);
        for window in said.windows.iter() {
            prop_assert!(window.remaining.is_some() || window.limit.is_some());
            prop_assert!(window.resets_in.is_none_or(|resets_in| resets_in <= Window::LONGEST));
            prop_assert!(window.lasts.is_none_or(|lasts| !lasts.is_zero() && lasts <= Window::LONGEST));
        }
    }

    #[test]
    fn a_reset_is_read_to_the_nanosecond(whole in 0..30_000_000_u64, fraction in 0..1_000_000_000_u64) {
        let reset = format!("{whole}.{fraction:09}");
        let fields = [("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", &*reset)];
        let windows = said(200, &fields).windows;
        let window = windows.iter().next().expect("it says what remains");
        let nanos = u128::from(whole) * 1_000_000_000 + u128::from(fraction);
        prop_assert_eq!(window.resets_in.map(|reset| reset.as_nanos()), Some(nanos));
    }
}
