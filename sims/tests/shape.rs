//! What the documents say, with one seed.

use bartizan_retry::{Budget, Jitter};
use bartizan_sims::breaker::{self, Guard};
use bartizan_sims::budget::{Strategy, run};
use bartizan_sims::jitter::{Waits, effort};
use bartizan_sims::load::{Figures, Trouble};

const MANY: usize = 10_000;
const DEFAULT: Strategy = Strategy::Bartizan(Budget::new());

fn of(trouble: Trouble, clients: usize, strategy: Strategy) -> Figures {
    let figures = run(trouble, clients, strategy, 1);
    let (good, load) = (figures.goodput(), figures.load());
    println!("{trouble}, {clients} clients, {strategy}: {good:.3}, {load:.2}, {:?}", figures.recovery());
    figures
}

#[test]
fn after_a_slowdown_naive_retries_keep_the_server_down_and_a_budget_does_not() {
    let recovery = |strategy| of(Trouble::Slowdown, MANY, strategy).recovery();
    assert_eq!(recovery(Strategy::Naive), None);
    assert_eq!(recovery(Strategy::Tower), None);
    assert!(recovery(Strategy::None).is_some_and(|seconds| (20.0..30.0).contains(&seconds)));
    assert!(recovery(DEFAULT).is_some_and(|seconds| (40.0..70.0).contains(&seconds)));
}

#[test]
fn in_an_outage_a_budget_adds_little_load() {
    let load = |strategy| of(Trouble::Outage, MANY, strategy).load();
    assert!(load(Strategy::Naive) > 2.9);
    assert!(load(DEFAULT) < 1.2);
}

#[test]
fn when_failures_cost_work_a_reserve_of_one_bears_up_and_one_of_three_does_not() {
    let goodput = |strategy| of(Trouble::DearFailures, MANY, strategy).goodput();
    assert!((0.8..0.9).contains(&goodput(DEFAULT)));
    assert!(goodput(Strategy::Naive) < 0.3);
    assert!(goodput(Strategy::Bartizan(Budget::new().reserve(3))) < 0.6);
}

#[test]
fn where_the_default_loses() {
    let cheap = |strategy| of(Trouble::CheapFailures, MANY, strategy).goodput();
    assert!(cheap(Strategy::Naive) > cheap(DEFAULT) + 0.1, "failures that cost nothing");
    let tiny = |strategy| of(Trouble::Slowdown, 100_000, strategy).recovery();
    assert_eq!(tiny(DEFAULT), None, "a hundred thousand tiny clients");
    assert!(tiny(Strategy::Bartizan(Budget::fleet())).is_some());
}

#[test]
fn a_breaker_that_counts_calls_and_not_time_takes_a_third_of_failures_for_an_outage() {
    let goodput = |guard| breaker::run(Trouble::CheapFailures, 20, guard, 1).goodput();
    let [none, default, consecutive] = [Guard::None, Guard::Default, Guard::Consecutive].map(goodput);
    assert!(default > none - 0.01, "{default} {none}");
    assert!(consecutive < 0.3, "{consecutive}");
}

#[test]
fn in_an_outage_a_breaker_takes_the_load_off() {
    let of = |guard| breaker::run(Trouble::Outage, 20, guard, 1);
    assert!(of(Guard::None).load() > 1.0);
    let default = of(Guard::Default);
    assert!(
        default.load() < 0.3 && default.recovery().is_some(),
        "{} {:?}",
        default.load(),
        default.recovery()
    );
}

#[test]
fn jitter_has_the_shape_that_aws_found() {
    let of = |waits| effort(waits, 100, 5);
    let [none, exponential, full, decorrelated] = [
        Waits::None,
        Waits::Exponential(Jitter::None),
        Waits::Exponential(Jitter::Full),
        Waits::Exponential(Jitter::Decorrelated),
    ]
    .map(of);
    assert!(none.calls > exponential.calls, "{none:?} {exponential:?}");
    assert!(exponential.calls > 1.8 * full.calls, "{exponential:?} {full:?}");
    assert!(decorrelated.seconds <= 1.1 * full.seconds, "{decorrelated:?} {full:?}");
}

#[test]
fn one_seed_gives_one_result() {
    let of = |seed| run(Trouble::Slowdown, 20, DEFAULT, seed);
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
}
