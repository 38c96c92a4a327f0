//! What the RFCs ask of a cache, as scenarios that a person can read: `scenarios/*.txt`, in the format of [`parse`].
//!
//! Each runs four times: in a private and in a shared cache, over a mock, and between hyper's client and a server on loopback. Time is
//! paused, and moves where a scenario says so, for dates and durations alike. `crates/bartizan-cache/rules.tsv` lists the requirements, and
//! names the scenarios that show each of them, or the reason why there is none.

#![allow(missing_docs)]

mod judge;
mod origin;
mod parse;
mod rules;
mod run;
mod scenario;

use origin::Transport;
use scenario::{Mode, Scenario};

/// Each file by its name and its text.
type File = (&'static str, &'static str);

const FILES: &[File] = &[
    ("storing.txt", include_str!("scenarios/storing.txt")),
    ("stored-fields.txt", include_str!("scenarios/stored-fields.txt")),
    ("vary.txt", include_str!("scenarios/vary.txt")),
    ("freshness.txt", include_str!("scenarios/freshness.txt")),
    ("age.txt", include_str!("scenarios/age.txt")),
    ("stale.txt", include_str!("scenarios/stale.txt")),
    ("validation.txt", include_str!("scenarios/validation.txt")),
    ("conditions.txt", include_str!("scenarios/conditions.txt")),
    ("freshening.txt", include_str!("scenarios/freshening.txt")),
    ("invalidation.txt", include_str!("scenarios/invalidation.txt")),
    ("request-directives.txt", include_str!("scenarios/request-directives.txt")),
    ("response-directives.txt", include_str!("scenarios/response-directives.txt")),
    ("ranges.txt", include_str!("scenarios/ranges.txt")),
    ("parts.txt", include_str!("scenarios/parts.txt")),
    ("extensions.txt", include_str!("scenarios/extensions.txt")),
    ("background.txt", include_str!("scenarios/background.txt")),
    ("post.txt", include_str!("scenarios/post.txt")),
    ("status.txt", include_str!("scenarios/status.txt")),
    ("targeted.txt", include_str!("scenarios/targeted.txt")),
    ("groups.txt", include_str!("scenarios/groups.txt")),
];

/// What the cache does not do yet: read, and not run. A line that moves up is switched on.
const PENDING: &[File] = &[];

fn read(files: &[File]) -> Vec<Scenario> {
    let read = |&(name, text): &File| match parse::scenarios(text) {
        Ok(scenarios) => scenarios,
        Err(error) => panic!("{name}:{error}"),
    };
    files.iter().flat_map(read).collect()
}

async fn all_hold(mode: Mode, transport: Transport) {
    let scenarios = read(FILES);
    let mut wrong = Vec::new();
    for scenario in &scenarios {
        let result = run::run(scenario, mode, transport).await;
        match (result, scenario.expected_to_fail.contains(&mode)) {
            (Ok(()), false) | (Err(_), true) => {}
            (Err(text), false) => wrong.push(format!("{}: {text}", scenario.id)),
            (Ok(()), true) => wrong.push(format!("{}: holds, and is expected to fail", scenario.id)),
        }
    }
    let expected_to_fail =
        scenarios.iter().filter(|scenario| scenario.expected_to_fail.contains(&mode)).count();
    println!("{} scenarios, of which {expected_to_fail} are expected to fail", scenarios.len());
    assert!(wrong.is_empty(), "{} do not hold\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_private_cache_over_a_mock() {
    all_hold(Mode::Private, Transport::Mock).await;
}

#[tokio::test(start_paused = true)]
async fn a_shared_cache_over_a_mock() {
    all_hold(Mode::Shared, Transport::Mock).await;
}

#[tokio::test(start_paused = true)]
async fn a_private_cache_over_sockets() {
    let _standing_still = run::StandingStill::new();
    all_hold(Mode::Private, Transport::Sockets).await;
}

#[tokio::test(start_paused = true)]
async fn a_shared_cache_over_sockets() {
    let _standing_still = run::StandingStill::new();
    all_hold(Mode::Shared, Transport::Sockets).await;
}

#[test]
fn every_requirement_is_shown_or_has_its_reason() {
    rules::check(&read(FILES), &read(PENDING));
}
