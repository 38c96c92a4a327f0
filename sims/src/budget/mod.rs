//! How many retries an origin in trouble can bear: retry budgets beside each other.
//!
//! An open load of calls comes to one server, from a few busy clients or from very many that hardly ever call. Each client has its
//! own layers and so its own budget. In the middle something goes wrong for a while; what matters is how much still
//! succeeds, how much more load the retries make of it, and whether all is well again after it.

mod clients;
mod plot;
mod report;

use std::error::Error;
use std::path::Path;

pub use clients::Strategy;
pub(crate) use clients::{ATTEMPT, CALL};
pub use report::document;

use bartizan_retry::Budget;

use crate::load::{self, Figures, Summary, Trouble};

/// What goes wrong.
const TROUBLES: [Trouble; 4] =
    [Trouble::Slowdown, Trouble::Outage, Trouble::CheapFailures, Trouble::DearFailures];

/// A few busy clients, and many that call every five seconds.
const CLIENTS: [usize; 2] = [20, 10_000];
/// So many that each of them calls every fifty seconds.
const TINY_CLIENTS: usize = 100_000;

/// One run.
pub fn run(trouble: Trouble, clients: usize, strategy: Strategy, seed: u64) -> Figures {
    load::play(trouble, clients, seed, |server, waits| strategy.client(server, waits))
}

/// All that the document shows.
pub fn all(seeds: u64) -> Vec<Summary> {
    let mut cases = Vec::new();
    for trouble in TROUBLES {
        for clients in CLIENTS {
            cases.extend(Strategy::ALL.map(|strategy| (trouble, clients, strategy)));
        }
    }
    for trouble in [Trouble::Slowdown, Trouble::DearFailures] {
        for strategy in
            [Strategy::None, Strategy::Bartizan(Budget::new()), Strategy::Bartizan(Budget::fleet())]
        {
            cases.push((trouble, TINY_CLIENTS, strategy));
        }
    }
    let summary = |(trouble, clients, strategy): (_, _, Strategy)| {
        Summary::of(strategy.to_string(), clients, trouble, seeds, |seed| {
            run(trouble, clients, strategy, seed)
        })
    };
    cases.into_iter().map(summary).collect()
}

/// One picture for each trouble that outlasts itself, into `folder`.
///
/// # Errors
/// When a file cannot be written.
pub fn pictures(folder: &Path, summaries: &[Summary]) -> Result<(), Box<dyn Error + Send + Sync>> {
    for trouble in [Trouble::Slowdown, Trouble::DearFailures] {
        let shown = summaries.iter().filter(|s| s.trouble == trouble && s.clients == CLIENTS[1]);
        let path = folder.join(format!("retry-budget-{}.svg", trouble.slug()));
        plot::draw(&path, trouble, &shown.collect::<Vec<_>>())?;
    }
    Ok(())
}
