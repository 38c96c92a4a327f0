//! Batches of GraphQL operations, made up by chance, through the merger and a real server: each operation is told what the server tells it alone.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]

mod asked;
mod chance;
mod hold;
mod make;
mod schema;
mod shrink;

use bartizan_graphql::Operation;
use bartizan_graphql::merge::{Settings, Verdict, plan};

use hold::{Ways, World};

/// So many are held in an ordinary run; `GRAPHQL_BATCHES` in the environment asks for another number.
const BATCHES: u64 = 1500;

fn world() -> World {
    World {
        server: schema::server(),
        runtime: tokio::runtime::Builder::new_current_thread().build().expect("a runtime"),
    }
}

/// Runs the batches of these seeds, and shows the first that fails as short as it can be made.
fn hold_all(seeds: impl Iterator<Item = u64>) -> Ways {
    let world = world();
    let mut ways = Ways::new();
    for seed in seeds {
        let batch = make::batch(seed);
        match hold::hold(&world, &batch) {
            Ok(happened) => {
                *ways.entry("batches merged").or_default() += usize::from(happened.contains_key("merged"));
                for (way, times) in happened {
                    *ways.entry(way).or_default() += times;
                }
            }
            Err(wrong) => {
                let (least, wrong) = shrink::shrink(batch, wrong, |batch| hold::hold(&world, batch).err());
                println!("seed {seed}: {wrong}");
                for asked in &least {
                    println!("--\n{}\n{}", asked.document(), asked.values());
                }
                let operations: Vec<_> = least.iter().map(hold::operation).collect();
                for sending in plan(&operations, Settings::default()) {
                    println!("== {:?}\n{}\n{}", sending.members(), sending.document(), sending.variables());
                }
                panic!("seed {seed}");
            }
        }
    }
    ways
}

#[test]
fn each_operation_of_a_batch_is_told_what_it_is_told_alone() {
    let batches =
        std::env::var("GRAPHQL_BATCHES").map_or(BATCHES, |number| number.parse().expect("a number"));
    // Two threads, since there are two cores at least.
    let halves = [0, 1].map(|first| std::thread::spawn(move || hold_all((first..batches).step_by(2))));
    let mut ways = Ways::new();
    for half in halves {
        let half = half.join().unwrap_or_else(|wrong| std::panic::resume_unwind(wrong));
        for (way, times) in half {
            *ways.entry(way).or_insert(0) += times;
        }
    }
    println!("{batches} batches: {ways:?}");
    let times = |way: &str| ways.get(way).copied().unwrap_or(0) as u64;
    assert!(times("batches merged") * 100 >= batches * 60, "{ways:?}");
    // What never happens is not held.
    for way in ["alone", "again", "all well", "partial", "null", "null and other errors", "broken"] {
        assert!(times(way) >= batches / 200, "{way} in {ways:?}");
    }
}

#[test]
fn merged_mutations_run_in_their_order() {
    let document = "mutation($word: String!) { say(word: $word) }";
    let operation = |word: &str| {
        Operation::new(document).variables(&serde_json::json!({ "word": word })).expect("an object")
    };
    let operations = [operation("one"), operation("two"), operation("three")];
    let sendings = plan(&operations, Settings::default().with_mutations());
    let [sending] = &sendings[..] else { panic!("{sendings:?}") };
    let variables = serde_json::from_str(&sending.variables()).expect("JSON");
    let told: Vec<_> = sending
        .split(world().ask(sending.document(), variables, None))
        .into_iter()
        .map(|(_, verdict)| match verdict {
            Verdict::Own(answer) => answer.data().map(|data| data.get().to_owned()),
            _ => None,
        })
        .collect();
    let said = [r#"{"say":["one"]}"#, r#"{"say":["one","two"]}"#, r#"{"say":["one","two","three"]}"#];
    assert_eq!(told, said.map(|said| Some(said.to_owned())));
}
