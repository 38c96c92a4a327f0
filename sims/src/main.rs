//! `cargo xtask sim breaker`, `budget` and `jitter`: Markdown on standard output, and pictures in a folder.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use bartizan_sims::{breaker, budget, jitter};

/// As many as the figures in `docs/` have.
const SEEDS: u64 = 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seeds = arguments.get(2).map_or(Ok(SEEDS), |seeds| seeds.parse());
    let result = match (arguments.first().map(String::as_str), arguments.get(1), seeds) {
        (Some("budget"), Some(folder), Ok(seeds)) => with_budget(&PathBuf::from(folder), seeds),
        (Some("breaker"), Some(_), Ok(seeds)) => {
            print!("{}", breaker::document(&breaker::all(seeds), seeds));
            Ok(())
        }
        (Some("jitter"), Some(_), Ok(seeds)) => {
            print!("{}", jitter::document(seeds));
            Ok(())
        }
        _ => Err("usage: bartizan-sims breaker|budget|jitter FOLDER [SEEDS]".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn with_budget(folder: &std::path::Path, seeds: u64) -> Result<(), Box<dyn Error + Send + Sync>> {
    let summaries = budget::all(seeds);
    budget::pictures(folder, &summaries)?;
    print!("{}", budget::document(&summaries, seeds));
    Ok(())
}
