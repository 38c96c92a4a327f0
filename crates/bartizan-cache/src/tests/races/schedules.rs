//! Whoever comes, leaves and changes what, in whatever order.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// Somebody asks, and reads what he gets or keeps it unread.
    Ask {
        who: usize,
        reads: bool,
    },
    /// The origin answers one of those that wait for it, and says this of it.
    Answer {
        which: usize,
        says: &'static str,
    },
    /// One of those who asked leaves.
    Leave {
        which: usize,
    },
    Change,
}

fn a_step() -> impl Strategy<Value = Step> {
    let says = proptest::sample::select(vec![
        "max-age=99",
        "max-age=99",
        "max-age=99",
        "no-store",
        "max-age=0, stale-while-revalidate=99",
        "max-age=0",
        "no-cache",
    ]);
    prop_oneof![
        6 => (0..WHO.len(), any::<bool>()).prop_map(|(who, reads)| Step::Ask { who, reads }),
        4 => (0..8_usize, says).prop_map(|(which, says)| Step::Answer { which, says }),
        2 => (0..8_usize).prop_map(|which| Step::Leave { which }),
        1 => Just(Step::Change),
    ]
}

/// By `x` all that the origin answers varies.
const WHO: [&[(&str, &str)]; 4] = [
    &[("x", "a")],
    &[("x", "b")],
    &[("x", "a"), ("authorization", "me")],
    &[("x", "a"), ("range", "bytes=0-99")],
];

/// A request on its way to the origin: the version that it will be told, and whose it is.
struct Waits {
    version: u64,
    whose: String,
    answers: oneshot::Sender<Response<Full<Bytes>>>,
}

fn whose(headers: &HeaderMap) -> String {
    ["x", "authorization"].map(|name| headers.get(name).map_or("", |value| value.to_str().unwrap())).concat()
}

#[derive(Clone)]
struct World {
    layer: CacheLayer,
    version: Arc<AtomicU64>,
    waits: Arc<Mutex<Vec<Waits>>>,
}

impl World {
    /// What somebody gets who asks now, of this version at least.
    fn ask(&self, who: usize, reads: bool) -> JoinHandle<Option<Response<CacheBody<Full<Bytes>>>>> {
        let (waits, version) = (self.waits.clone(), self.version.clone());
        let inner = tower::service_fn(move |request: Request<Full<Bytes>>| {
            let (answers, answered) = oneshot::channel();
            let (version, whose) = (version.load(Ordering::SeqCst), whose(request.headers()));
            waits.lock().unwrap().push(Waits { version, whose, answers });
            async move { answered.await.map_err(|_| "given up") }
        });
        let request = request("GET", URI, WHO[who]);
        let (least, whose) = (self.version.load(Ordering::SeqCst), whose(request.headers()));
        let call = self.layer.layer(inner).oneshot(request);
        tokio::spawn(async move {
            let response = call.await.unwrap();
            if !reads {
                // It is there, unread, until all is over.
                return Some(response);
            }
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let text = String::from_utf8(body.to_vec()).unwrap();
            let (version, of) = text.split_once(' ').unwrap();
            assert_eq!(of, whose);
            assert!(version.parse::<u64>().unwrap() >= least, "{text}, and {least} had been there");
            None
        })
    }

    fn answer(&self, which: usize, says: &str) {
        let mut waits = self.waits.lock().unwrap();
        if waits.is_empty() {
            return;
        }
        let which = which % waits.len();
        let Waits { version, whose, answers } = waits.remove(which);
        let mut response = answer_of(200, &[("cache-control", says), ("vary", "x")], "");
        *response.body_mut() = Full::from(format!("{version} {whose}"));
        // Who asked may have left.
        let _ = answers.send(response);
    }
}

fn run(steps: Vec<Step>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World {
            layer: CacheLayer::rfc9111().wall_clock(clock()),
            version: Arc::default(),
            waits: Arc::default(),
        };
        let (start, mut tasks) = (Instant::now(), Vec::new());
        for step in steps {
            match step {
                Step::Ask { who, reads } => tasks.push(world.ask(who, reads)),
                Step::Answer { which, says } => world.answer(which, says),
                Step::Leave { which } if !tasks.is_empty() => {
                    let which = which % tasks.len();
                    tasks.swap_remove(which).abort();
                }
                Step::Leave { .. } => {}
                Step::Change => {
                    world.version.fetch_add(1, Ordering::SeqCst);
                    world.layer.clear();
                }
            }
            settle().await;
        }
        while !world.waits.lock().unwrap().is_empty() {
            world.answer(0, "max-age=99");
            settle().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(start.elapsed(), Duration::ZERO, "nobody is forgotten");
    });
}

proptest! {
    #[test]
    fn nobody_is_forgotten_and_nobody_gets_what_is_old_or_of_another(
        steps in proptest::collection::vec(a_step(), 1..40),
    ) {
        run(steps);
    }
}
