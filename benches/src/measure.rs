//! The three measures, each taken in child processes.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Group, Row};

/// How much is done for the figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Two numbers of calls, between which everything is counted.
    pub(crate) counted: [u64; 2],
    pub(crate) rounds: u64,
    /// Calls of one row in one turn.
    pub(crate) timed: u64,
    /// Rounds of what waits for the disk, and acknowledgements to each caller in one.
    pub(crate) durable: [u64; 2],
}

impl Effort {
    pub(crate) const FULL: Self = Self { counted: [1_000, 11_000], rounds: 201, timed: 400, durable: [9, 8] };
    pub(crate) const QUICK: Self = Self { counted: [100, 1_100], rounds: 21, timed: 100, durable: [1, 2] };
}

/// What one call of a row costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
}

/// The two programs, which lie side by side.
pub(crate) struct Programs {
    plain: PathBuf,
    counted: PathBuf,
}

impl Programs {
    pub(crate) fn find() -> Result<Self, String> {
        let counted = std::env::current_exe().map_err(|error| error.to_string())?;
        let plain = counted.with_file_name("bartizan-benches");
        match plain.is_file() && plain != counted {
            true => Ok(Self { plain, counted }),
            false => Err("run `cargo xtask bench`, which builds both programs".to_owned()),
        }
    }

    fn of(&self, group: &Group) -> &PathBuf {
        if group.paused { &self.counted } else { &self.plain }
    }

    /// Instructions, allocations and bytes of one call.
    pub(crate) fn counts(&self, group: &Group, at: [usize; 2], effort: &Effort) -> Result<Counts, String> {
        let [few, many] = effort.counted.map(|calls| group.calls(calls));
        let a_call =
            |few_calls: u64, many_calls: u64| (many_calls as f64 - few_calls as f64) / (many - few) as f64;
        let instructions = a_call(self.instructions(group, at, few)?, self.instructions(group, at, many)?);
        let (small, large) = (self.heap(at, few)?, self.heap(at, many)?);
        Ok(Counts {
            instructions,
            allocations: a_call(small[0], large[0]),
            bytes: a_call(small[1], large[1]),
        })
    }

    fn instructions(&self, group: &Group, at: [usize; 2], calls: u64) -> Result<u64, String> {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        let output = output(valgrind.arg(self.of(group)).arg("run").args(words(at, calls)))?;
        let total = output.stderr.lines().find_map(|line| line.split_once("Collected :"));
        total
            .and_then(|(_, count)| count.trim().parse().ok())
            .ok_or_else(|| format!("callgrind gave no count:\n{}", output.stderr))
    }

    fn heap(&self, at: [usize; 2], calls: u64) -> Result<[u64; 2], String> {
        let output = output(Command::new(&self.counted).arg("heap").args(words(at, calls)))?;
        numbers(&output.stdout)?.try_into().map_err(|_| format!("not two numbers: {}", output.stdout))
    }

    /// Nanoseconds of a batch: for each round, those of each row.
    pub(crate) fn times(
        &self,
        group: &Group,
        index: usize,
        effort: &Effort,
    ) -> Result<Vec<Vec<u64>>, String> {
        let mut time = Command::new(self.of(group));
        let output =
            output(time.arg("time").args(words([index, effort.rounds as usize], group.calls(effort.timed))))?;
        output.stdout.lines().map(numbers).collect()
    }
}

struct Output {
    stdout: String,
    stderr: String,
}

fn output(command: &mut Command) -> Result<Output, String> {
    let done = command.stdin(Stdio::null()).output();
    let done = done.map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let [stdout, stderr] =
        [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if done.status.success() {
        Ok(Output { stdout, stderr })
    } else {
        Err(format!("{command:?}: {}\n{stderr}", done.status))
    }
}

fn words(at: [usize; 2], calls: u64) -> [String; 3] {
    [at[0].to_string(), at[1].to_string(), calls.to_string()]
}

fn numbers(line: &str) -> Result<Vec<u64>, String> {
    line.split_whitespace().map(|word| word.parse().map_err(|_| format!("not numbers: {line}"))).collect()
}

/// How often each row runs in a round. The fastest counts, since a batch may be cut in two by other work on the machine.
const TURNS: usize = 5;

/// Times all rows of a group in turn and prints one line a round. Each round begins with the next row, so that none
/// always follows the same one into warm or cold caches.
pub(crate) fn time_rounds(group: &Group, rounds: u64, calls: u64) {
    let rows = group.rows.len();
    // One round to warm up.
    for row in group.rows {
        (row.run)(calls);
    }
    for round in 0..rounds as usize {
        let mut took = vec![u64::MAX; rows];
        for step in 0..rows * TURNS {
            let index = (round + step) % rows;
            took[index] = took[index].min(time(&group.rows[index], calls).as_nanos() as u64);
        }
        println!("{}", took.iter().map(u64::to_string).collect::<Vec<_>>().join(" "));
    }
}

#[allow(clippy::disallowed_methods, reason = "it measures real time; nothing here runs under a paused clock")]
fn time(row: &Row, calls: u64) -> Duration {
    let started = Instant::now();
    (row.run)(calls);
    started.elapsed()
}
