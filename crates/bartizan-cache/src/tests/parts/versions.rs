//! Whatever many ask for, of whatever was stored before: the answer is one that the origin could give.

use proptest::prelude::*;

use super::*;
use crate::range::{Portion, portion};

/// What a client does next.
#[derive(Clone, Debug)]
enum Step {
    Ask {
        range: Option<String>,
        /// The tag of which version.
        if_range: Option<u8>,
        if_none_match: Option<u8>,
        directives: &'static str,
        reads: bool,
    },
    Wait(u32),
    /// The origin has another version.
    Change,
}

fn a_step() -> impl Strategy<Value = Step> {
    let range = prop_oneof![
        (0..12_usize, 0..12_usize).prop_map(|(first, last)| format!("bytes={first}-{last}")),
        (0..12_usize).prop_map(|first| format!("bytes={first}-")),
        (0..12_usize).prop_map(|last| format!("bytes=-{last}")),
        Just("bytes=0-1,3-4".to_owned()),
    ];
    let version = || proptest::option::weighted(0.2, 0..3_u8);
    let directives = proptest::sample::select(vec!["", "", "", "no-cache", "no-store", "max-stale"]);
    let ask = (proptest::option::weighted(0.8, range), version(), version(), directives, any::<bool>());
    prop_oneof![
        8 => ask.prop_map(|(range, if_range, if_none_match, directives, leaves)| Step::Ask {
            range,
            if_range,
            if_none_match,
            directives,
            reads: !leaves,
        }),
        2 => (0..9_u32).prop_map(Step::Wait),
        1 => Just(Step::Change),
    ]
}

fn tag_of(version: u8) -> String {
    format!("\"{version}\"")
}

/// Of each version other bytes, and as many more.
fn text_of(version: u8) -> Vec<u8> {
    (0..8 + version).map(|place| b'a' + version * 3 + place).collect()
}

/// An origin that does as RFC 9110 says, by the parts of this crate that have tests of their own.
fn honest(version: u8, request: &HeaderMap) -> Response<Full<Bytes>> {
    let tag = tag_of(version);
    let text = Bytes::from(text_of(version));
    let mut response = Response::builder().header("cache-control", "max-age=9").header("etag", &tag);
    if request.get_all("if-none-match").iter().any(|known| known.as_bytes() == tag.as_bytes()) {
        return response.status(304).body(Full::default()).unwrap();
    }
    let head = response.headers_ref().unwrap();
    match portion(&Method::GET, request, head, text.len(), SystemTime::UNIX_EPOCH) {
        Portion::Whole => response.body(Full::from(text)).unwrap(),
        Portion::Part(part) => {
            response.headers_mut().unwrap().extend(part.fields().map(|(name, value)| (Some(name), value)));
            response.status(206).body(Full::from(text.slice(part.bytes()))).unwrap()
        }
        Portion::Unsatisfiable(range) => {
            response.status(416).header("content-range", range).body(Full::default()).unwrap()
        }
    }
}

fn run(steps: Vec<Step>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let version = Arc::new(Mutex::new(0_u8));
        let at_the_origin = version.clone();
        let inner = tower::service_fn(move |request: Request<Full<Bytes>>| {
            ready(Ok::<_, &str>(honest(*at_the_origin.lock().unwrap(), request.headers())))
        });
        let cache = CacheLayer::rfc9111().wall_clock(clock()).layer(inner);
        for step in &steps {
            let (range, if_range, if_none_match, directives, reads) = match step {
                Step::Wait(seconds) => {
                    advance(*seconds * SECOND).await;
                    continue;
                }
                Step::Change => {
                    let mut version = version.lock().unwrap();
                    *version = (*version + 1).min(2);
                    continue;
                }
                Step::Ask { range, if_range, if_none_match, directives, reads } => {
                    (range, if_range.map(tag_of), if_none_match.map(tag_of), directives, reads)
                }
            };
            let mut request = request("GET", URI, &[("cache-control", directives)]);
            let lines = [("range", range), ("if-range", &if_range), ("if-none-match", &if_none_match)];
            for (name, value) in lines {
                if let Some(value) = value {
                    request.headers_mut().insert(name, value.parse().unwrap());
                }
            }
            let asked = request.headers().clone();
            let response = cache.clone().oneshot(request).await.unwrap();
            if !reads {
                continue;
            }
            let (head, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            // It is what the origin says of one of its versions, and of the newest if that was asked for.
            let newest = *version.lock().unwrap();
            let oldest = if *directives == "no-cache" { newest } else { 0 };
            let mut told: Vec<_> = (oldest..=newest).map(|version| (version, asked.clone())).collect();
            // Where a version that is gone had the range, all of the new one is an answer too.
            told.push((newest, HeaderMap::new()));
            // Where one that is gone was asked about in the client's place, so is what it asked for without its condition.
            let mut unconditional = asked;
            unconditional.remove("if-none-match");
            told.push((newest, unconditional));
            let mut expected = Vec::new();
            for (version, asked) in told {
                let (said, text) = honest(version, &asked).into_parts();
                let said = (
                    said.status,
                    said.headers.get("etag").cloned(),
                    said.headers.get("content-range").cloned(),
                );
                expected.push((said, text.collect().await.unwrap().to_bytes()));
            }
            let got =
                (head.status, head.headers.get("etag").cloned(), head.headers.get("content-range").cloned());
            assert!(
                expected.contains(&(got.clone(), body.clone())),
                "{step:?} {got:?} {body:?} of {expected:?}"
            );
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_is_answered_as_one_version_of_the_origin_would(
        steps in proptest::collection::vec(a_step(), 1..40),
    ) {
        run(steps);
    }
}
