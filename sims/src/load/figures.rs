use std::ops::Range;
use std::time::Duration;

use super::Trouble;
use super::run::CALM;
use crate::seeds;

/// What came of one run, by second.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Calls that were begun, and how many of them succeeded.
    pub calls_by_second: Vec<(u32, u32)>,
    /// Requests at the server.
    pub seen_by_second: Vec<u32>,
    trouble: Range<usize>,
}

/// All is well again when so many calls of each second succeed.
const WELL: f64 = 0.95;

impl Figures {
    pub(crate) fn new(trouble: Trouble, lasts: Duration) -> Self {
        let from = CALM.as_secs() as usize;
        let trouble = from..from + trouble.lasts().as_secs() as usize;
        Self { calls_by_second: vec![(0, 0); lasts.as_secs() as usize], seen_by_second: Vec::new(), trouble }
    }

    pub(crate) fn ended(&mut self, second: usize, is_good: bool) {
        let (calls, good) = &mut self.calls_by_second[second];
        *calls += 1;
        *good += u32::from(is_good);
    }

    /// The share of calls that were begun during the trouble and succeeded.
    pub fn goodput(&self) -> f64 {
        let during = &self.calls_by_second[self.trouble.clone()];
        ratio(during.iter().map(|(_, good)| *good), during.iter().map(|(calls, _)| *calls))
    }

    /// Requests at the server for each call, during the trouble.
    pub fn load(&self) -> f64 {
        let range = self.trouble.clone();
        let calls = self.calls_by_second[range.clone()].iter().map(|(calls, _)| *calls);
        ratio(self.seen_by_second[range].iter().copied(), calls)
    }

    /// How many seconds after the end of the trouble all is well again and stays so; `None` if not before the end of the run.
    pub fn recovery(&self) -> Option<f64> {
        let after = &self.calls_by_second[self.trouble.end..];
        let last_bad = after.iter().rposition(|(calls, good)| f64::from(*good) < WELL * f64::from(*calls));
        match last_bad {
            None => Some(0.0),
            Some(last) if last + 5 < after.len() => Some(last as f64 + 1.0),
            Some(_) => None,
        }
    }
}

fn ratio(part: impl Iterator<Item = u32>, whole: impl Iterator<Item = u32>) -> f64 {
    f64::from(part.sum::<u32>()) / f64::from(whole.sum::<u32>())
}

/// All runs of a case.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What the clients do, as the tables name it.
    pub name: String,
    /// How many share the load.
    pub clients: usize,
    /// What goes wrong.
    pub trouble: Trouble,
    /// By seed.
    pub runs: Vec<Figures>,
}

impl Summary {
    pub(crate) fn of(
        name: String,
        clients: usize,
        trouble: Trouble,
        seeds: u64,
        run: impl Fn(u64) -> Figures + Sync,
    ) -> Self {
        Self { name, clients, trouble, runs: seeds::each(seeds, run) }
    }

    /// In the mean of the runs.
    pub fn goodput(&self) -> f64 {
        self.mean(Figures::goodput)
    }

    /// In the mean of the runs.
    pub fn load(&self) -> f64 {
        self.mean(Figures::load)
    }

    /// How many runs did not recover, and the mean of the others.
    pub fn recovery(&self) -> (usize, Option<f64>) {
        let recovered: Vec<f64> = self.runs.iter().filter_map(Figures::recovery).collect();
        let mean = recovered.iter().sum::<f64>() / recovered.len() as f64;
        (self.runs.len() - recovered.len(), (!recovered.is_empty()).then_some(mean))
    }

    /// The share of the calls of each second, of all runs, that succeeded.
    pub(crate) fn goodput_by_second(&self) -> Vec<f64> {
        let seconds = self.runs.first().map_or(0, |run| run.calls_by_second.len());
        let of = |second: usize| self.runs.iter().map(move |run| run.calls_by_second[second]);
        (0..seconds).map(|s| ratio(of(s).map(|(_, good)| good), of(s).map(|(calls, _)| calls))).collect()
    }

    /// A row of a table: good, load, recovery.
    pub(crate) fn row(&self) -> String {
        let recovery = match self.recovery() {
            (0, Some(mean)) => format!("{mean:.0} s"),
            (never, Some(mean)) => format!("{mean:.0} s; not at all in {never} of {}", self.runs.len()),
            (_, None) => "not at all".to_owned(),
        };
        let (good, load) = (self.goodput() * 100.0, self.load());
        format!("| {} | {good:.1} % | {load:.2} | {recovery} |\n", self.name)
    }

    fn mean(&self, of: impl Fn(&Figures) -> f64) -> f64 {
        self.runs.iter().map(of).sum::<f64>() / self.runs.len() as f64
    }
}
