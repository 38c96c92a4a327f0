//! Many calls at once, some of which are left, over an origin that takes one at a time: everybody who stays has his answer.

use std::time::Duration;

use bartizan_core::Chance;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::cell::{Stacked, called, quiet, request_for, until_over};
use crate::model::End;
use crate::origin::{MS, Origin};
use crate::part::{KINDS, Kind, Part, erased, parts};

const CALLS: u32 = 6;
const SEEDS: u64 = 4;

/// None that stays is kept waiting by what is held elsewhere.
const PATIENCE: Duration = Duration::from_secs(600);

async fn crowd(stack: &Stacked<'_>, is_same: bool, seed: u64) -> Result<(), String> {
    let chance = Chance::from_seed(seed);
    let below = |most: f64| (chance.unit() * most) as u32;
    let parts = (stack.parts)();
    let (origin, watch) = Origin::new();
    // Ready before anybody decides, or only while somebody waits for it.
    let origin = if seed.is_multiple_of(2) { origin.eager() } else { origin };
    let service = (stack.make)(&parts, origin);
    let is_relative = stack.kinds.contains(&Kind::BaseUrl);

    let mut calls = JoinSet::new();
    for number in 0..CALLS {
        let mut handle = service.clone();
        let request = request_for(if is_same { 0 } else { number }, is_relative);
        let (starts, leaves) = (below(40.0) * MS, (number % 2 == 1).then(|| below(120.0) * MS));
        calls.spawn(async move {
            sleep(starts).await;
            let end = timeout(leaves.unwrap_or(PATIENCE), called(&mut handle, request)).await;
            // Those that stay keep their handles, which are idle by now.
            (leaves.is_some(), end.map_err(drop), leaves.is_none().then_some(handle))
        });
    }
    let (mut answered, mut handles) = (0, Vec::new());
    while let Some(ended) = calls.join_next().await {
        let (may_leave, end, handle) = ended.map_err(|panic| panic.to_string())?;
        handles.extend(handle);
        match end {
            Ok((End::Status(200), body)) if body.ends_with(", whole") => answered += 1,
            Ok((End::Refused, _)) if stack.kinds.contains(&Kind::Bulkhead) => {}
            Err(()) if may_leave => {}
            other => return Err(format!("a call ended with {other:?}")),
        }
    }
    if answered == 0 {
        return Err("nobody was answered".into());
    }
    let requests = watch.requests() as u32;
    let least = if stack.kinds.contains(&Kind::Cache) { 1 } else { answered };
    if !(least..=CALLS).contains(&requests) {
        return Err(format!("{requests} requests for {answered} answers"));
    }
    // A hit needs no token; all others that are answered have had one each.
    let least = if stack.kinds[1..].contains(&Kind::RateLimit) { least } else { answered };
    if let Some(tokens) = parts.iter().filter_map(Part::spent).find(|spent| !(least..=CALLS).contains(spent))
    {
        return Err(format!("{tokens} tokens for {requests} requests and {answered} answers"));
    }
    if let Some(votes) =
        parts.iter().filter_map(Part::votes).find(|(calls, failures)| *calls > CALLS || *failures > 0)
    {
        return Err(format!("votes are {votes:?}"));
    }
    quiet(&parts, &watch).await?;
    match called(&mut service.clone(), request_for(CALLS, is_relative)).await {
        (End::Status(200), _) => Ok(()),
        other => Err(format!("the next call ended with {other:?}")),
    }
}

#[test]
fn of_many_calls_at_once_everybody_who_stays_is_answered() {
    let (mut cells, mut wrong) = (0, Vec::new());
    for outer in KINDS {
        for inner in KINDS {
            let kinds = [outer, inner];
            let stack = Stacked {
                kinds: &kinds,
                parts: &|| parts(&kinds),
                make: &|parts, origin| {
                    parts.iter().rev().fold(erased(origin), |inner, part| part.around(inner))
                },
            };
            for (is_same, seed) in
                [false, true].into_iter().flat_map(|it| (0..SEEDS).map(move |seed| (it, seed)))
            {
                cells += 1;
                if let Err(what) = until_over(crowd(&stack, is_same, seed)) {
                    let targets = if is_same { "one target" } else { "a target each" };
                    wrong.push(format!("{outer:?} > {inner:?}, {targets}, seed {seed}: {what}"));
                }
            }
        }
    }
    println!("{cells} cells");
    assert!(
        wrong.is_empty(),
        "{} of {cells} cells are wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
    assert_eq!(cells, 18 * 18 * 2 * SEEDS);
}
