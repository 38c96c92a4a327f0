//! Greedy callers of a server that allows fifty calls a second and says so.

use tower::service_fn;

use super::*;

/// How a server counts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Counts {
    /// In windows of a second, from the full second on.
    Windows,
    /// In windows of a second, from 0.37 s on.
    ShiftedWindows,
    /// A bucket of fifty, which fills evenly.
    Bucket,
}

/// How it says so.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    #[cfg(feature = "structured-fields")]
    Draft,
    Legacy,
    /// What is left and until when, without a limit.
    LeftAlone,
}

struct Server {
    counts: Counts,
    says: Says,
    started: Instant,
    window: u64,
    used: f64,
    filled_at: Duration,
    /// When each call came, and whether it was allowed.
    log: Vec<(Duration, bool)>,
}

const QUOTA: f64 = 50.0;

impl Server {
    fn new(counts: Counts, says: Says) -> Self {
        let (started, filled_at) = (Instant::now(), Duration::ZERO);
        Self { counts, says, started, window: 0, used: 0.0, filled_at, log: Vec::new() }
    }

    fn answer(&mut self) -> Response<()> {
        let now = self.started.elapsed();
        let until_more = match self.counts {
            Counts::Windows | Counts::ShiftedWindows => {
                let shift = if self.counts == Counts::Windows { Duration::ZERO } else { 630 * MILLI };
                let shifted = now + shift;
                if shifted.as_secs() != self.window {
                    (self.window, self.used) = (shifted.as_secs(), 0.0);
                }
                SECOND - Duration::from_nanos(shifted.subsec_nanos().into())
            }
            Counts::Bucket => {
                self.used = (self.used - (now - self.filled_at).as_secs_f64() * QUOTA).max(0.0);
                self.filled_at = now;
                Duration::from_secs_f64(1.0 / QUOTA)
            }
        };
        let allowed = self.used + 1.0 <= QUOTA;
        if allowed {
            self.used += 1.0;
        }
        self.log.push((now, allowed));
        let seconds = until_more.as_secs_f64().ceil() as u64;
        let left = (QUOTA - self.used).floor() as u64;
        let mut fields = match self.says {
            #[cfg(feature = "structured-fields")]
            Says::Draft => vec![
                ("ratelimit-policy", "\"default\";q=50;w=1".to_owned()),
                ("ratelimit", format!("\"default\";r={left};t={seconds}")),
            ],
            Says::Legacy => vec![
                ("x-ratelimit-limit", "50".to_owned()),
                ("x-ratelimit-remaining", left.to_string()),
                ("x-ratelimit-reset", seconds.to_string()),
            ],
            Says::LeftAlone => {
                vec![("x-ratelimit-remaining", left.to_string()), ("x-ratelimit-reset", seconds.to_string())]
            }
        };
        if !allowed {
            fields.push(("retry-after", seconds.to_string()));
        }
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        response(if allowed { 200 } else { 429 }, &fields)
    }
}

/// The share of the quota that was used, and of the calls that were thrown back, after the first two seconds.
async fn greed(counts: Counts, says: Says, layer: RateLimitLayer, latency: Duration) -> (f64, f64) {
    const LASTS: Duration = Duration::from_secs(22);
    let server = Arc::new(Mutex::new(Server::new(counts, says)));
    let chance = Chance::from_seed(11);
    let upstream = service_fn({
        let server = server.clone();
        move |_: http::Request<()>| {
            let (server, there) = (server.clone(), latency.mul_f64(chance.unit()));
            let back = latency.mul_f64(chance.unit());
            async move {
                tokio::time::sleep(there).await;
                let answer = server.lock().unwrap().answer();
                tokio::time::sleep(back).await;
                Ok::<_, std::io::Error>(answer)
            }
        }
    });
    let service = layer.max_wait(Duration::MAX).layer(upstream);
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move {
                loop {
                    service.clone().oneshot(get(URI)).await.unwrap();
                }
            })
        })
        .collect();
    tokio::time::sleep(LASTS).await;
    callers.iter().for_each(tokio::task::JoinHandle::abort);
    let log = &server.lock().unwrap().log;
    let late: Vec<_> = log.iter().filter(|(at, _)| *at >= 2 * SECOND).collect();
    let allowed = late.iter().filter(|(_, allowed)| *allowed).count() as f64;
    let used = allowed / (QUOTA * (LASTS - 2 * SECOND).as_secs_f64());
    let thrown_back = 1.0 - allowed / late.len() as f64;
    println!(
        "{counts:?} {says:?} {latency:?}: {:.1} % used, {:.2} % thrown back",
        100.0 * used,
        100.0 * thrown_back
    );
    (used, thrown_back)
}

#[tokio::test(start_paused = true)]
async fn greedy_callers_use_the_servers_quota_and_are_not_thrown_back() {
    for counts in [Counts::Windows, Counts::ShiftedWindows, Counts::Bucket] {
        for says in [
            #[cfg(feature = "structured-fields")]
            Says::Draft,
            Says::Legacy,
            Says::LeftAlone,
        ] {
            for latency in [MILLI, 20 * MILLI] {
                let (used, thrown_back) = greed(counts, says, RateLimitLayer::without_quota(), latency).await;
                assert!(used >= 0.95, "{used} of {counts:?}");
                assert!(thrown_back <= 0.01, "{thrown_back} of {counts:?}");
            }
        }
    }
}
