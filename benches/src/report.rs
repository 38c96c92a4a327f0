//! The figures as a Markdown document.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use crate::measure::{Counts, Effort, Programs};
use crate::{Group, durable, groups};

const HOW: &str = "\
Written by `cargo xtask bench`; run it to repeat the measurement. `cargo xtask bench --quick` shows the table after a short
run and writes nothing.

Each group has a bare service that answers 200 without doing anything, the same service under our layers, and under the
peers that do the same or the nearest thing. All run in one go and make the same calls, one after the other:
a clone of a request with two header fields, polled by hand with a waker that does nothing, inside the context of a
tokio current-thread runtime that does not turn, so that timers are registered and taken back but never fire.

- **instructions**: what a call adds to the bare service, by valgrind's callgrind. It counts two runs that differ only in
  their number of calls, so set-up cancels out. A clock read is a system call under valgrind, of which it sees nothing but the
  start. The same code in another program may differ by a hundred instructions, by what was inlined where: the two bare
  services show it.
- **allocations** and **bytes**: what a call adds, by a counting global allocator in a build of its own. A piece that grows counts
  as one more.
- **time over bare**: short batches of all rows in turn, five turns a round, of which each row's fastest counts; the ratio of a row
  to the bare service within each round; median `[min..max]` over the rounds. The bare service's own time, in the median, includes making and dropping the request.
- **time over ours**: likewise the ratio to our first row. Above 1 the peer is slower.

The inner service is a counted reference, cheaper to clone than any real client, and no transport: beside a real call read the
bare service's nanoseconds times what a ratio has above 1.

Instructions and allocations are repeatable, the time is a hint: its extremes are mostly other work on the same machine.
Optimised build without link-time optimisation, as `cargo build --release` gives it, but with line tables.

Where our row is dearer than a peer's, the table says so and nothing is left out. Part of it is what it does more: it looks for
the call's context, copies host and port for its errors, looks for `Idempotency-Key`, keeps head and body apart. Part of it is that
its futures are larger, and are copied when they are returned.
";

pub(crate) fn table(effort: &Effort) -> Result<String, String> {
    let programs = Programs::find()?;
    let mut text = String::from("# What the layers cost\n\n");
    text.push_str(HOW);
    push(&mut text, format_args!("\n{}", circumstances()?));
    for (index, group) in groups().enumerate() {
        eprintln!("{}", group.title);
        push(&mut text, format_args!("\n## {}\n\n{}\n\n", group.title, group.note));
        push(
            &mut text,
            format_args!("| | instructions | allocations | bytes | time over bare | time over ours |\n"),
        );
        push(&mut text, format_args!("|---|--:|--:|--:|--:|--:|\n"));
        let counts = counts(&programs, group, index, effort)?;
        promised(group, &counts)?;
        let times = programs.times(group, index, effort)?;
        for (row, line) in group.rows.iter().zip(lines(&counts, &times, group.calls(effort.timed))) {
            push(&mut text, format_args!("| {} | {line} |\n", row.name));
        }
    }
    text.push_str(&durable(effort)?);
    Ok(text)
}

const DURABLE: &str = "\
128 callers, each of whom puts the next event once the last one is durable, into a file on the disk that the program is on: as many requests as a
server may have at a time. One commit for many is the default, one for each is `group_size(1)`. Both run in turn in new files; median
`[min..max]` over the rounds.";

fn durable(effort: &Effort) -> Result<String, String> {
    eprintln!("Webhooks");
    let [rounds, each] = effort.durable;
    let rounds = durable::rounds(rounds, each)?;
    let values = |value: &dyn Fn(&[durable::Figures; 2]) -> f64| rounds.iter().map(value).collect::<Vec<_>>();
    let mut text = format!("\n## Webhooks, acknowledgements that are durable\n\n{DURABLE}\n\n");
    text.push_str("| | a second | by commit | over one for each |\n|---|--:|--:|--:|\n");
    for (row, name) in
        ["`RedbInbox`, one commit for many", "`RedbInbox`, one commit for each"].iter().enumerate()
    {
        let a_second = range(&values(&|round| round[row].a_second), 0);
        let a_commit = range(&values(&|round| round[row].a_commit), 1);
        let ratio = match row {
            0 => range(&values(&|round| round[0].a_second / round[1].a_second), 1),
            _ => String::new(),
        };
        push(&mut text, format_args!("| {name} | {a_second} | {a_commit} | {ratio} |\n"));
    }
    Ok(text)
}

fn range(values: &[f64], digits: usize) -> String {
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(*value), high.max(*value)));
    format!("{:.digits$} [{low:.digits$}..{high:.digits$}]", median(values.iter().copied()))
}

fn counts(programs: &Programs, group: &Group, index: usize, effort: &Effort) -> Result<Vec<Counts>, String> {
    (0..group.rows.len()).map(|row| programs.counts(group, [index, row], effort)).collect()
}

fn promised(group: &Group, counts: &[Counts]) -> Result<(), String> {
    let (Some(most), [bare, ours, next, ..]) = (group.at_most, counts) else { return Ok(()) };
    let ratio = (next.instructions - bare.instructions) / (ours.instructions - bare.instructions);
    match ratio <= most {
        true => Ok(()),
        false => Err(format!("{}: {ratio:.3} times as many instructions, more than {most}", group.title)),
    }
}

/// All cells but the name.
fn lines(counts: &[Counts], times: &[Vec<u64>], calls: u64) -> Vec<String> {
    let bare = counts[0];
    let line = |(row, own): (usize, &Counts)| {
        let added = [
            format!("{:.0}", own.instructions - bare.instructions),
            exact(own.allocations - bare.allocations),
            exact(own.bytes - bare.bytes),
        ];
        let over_bare = match row {
            0 => format!("{:.0} ns", median(times.iter().map(|round| round[0] as f64)) / calls as f64),
            _ => spread(times, row, 0),
        };
        let over_ours = if row > 1 { spread(times, row, 1) } else { String::new() };
        match row {
            0 => format!(
                "({:.0}) | ({}) | ({}) | {over_bare} | ",
                own.instructions,
                exact(own.allocations),
                exact(own.bytes)
            ),
            _ => format!("{} | {over_bare} | {over_ours}", added.join(" | ")),
        }
    };
    counts.iter().enumerate().map(line).collect()
}

/// A count that is whole in most rows; where it is not, the fraction is shown.
fn exact(count: f64) -> String {
    if (count - count.round()).abs() < 1e-9 {
        format!("{:.0}", count.round() + 0.0)
    } else {
        format!("{count:.2}")
    }
}

fn spread(times: &[Vec<u64>], row: usize, to: usize) -> String {
    let ratios = || times.iter().map(|round| round[row] as f64 / round[to] as f64);
    let (low, high) = (ratios().fold(f64::INFINITY, f64::min), ratios().fold(0.0, f64::max));
    format!("{:.2} [{low:.2}..{high:.2}]", median(ratios()))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// As cargo's lock file names them.
const PEERS: [&str; 15] = [
    "failsafe",
    "governor",
    "hmac",
    "http-cache-tower",
    "moka",
    "recloser",
    "sha2",
    "tower",
    "tower-http",
    "tower-resilience-cache",
    "tower-resilience-circuitbreaker",
    "tower-resilience-ratelimiter",
    "tower-resilience-retry",
    "tower-resilience-timelimiter",
    "tower_governor",
];

fn circumstances() -> Result<String, String> {
    let cpus = fs::read_to_string("/proc/cpuinfo").map_err(|error| error.to_string())?;
    let models = cpus
        .lines()
        .filter_map(|line| line.split_once(": ").filter(|(name, _)| name.starts_with("model name")));
    let models: Vec<&str> = models.map(|(_, model)| model).collect();
    let lock = fs::read_to_string("Cargo.lock").map_err(|error| format!("Cargo.lock: {error}"))?;
    let version = |name: &str| {
        let start = format!("name = \"{name}\"\nversion = \"");
        // Of several versions the newest, which stands last, is ours.
        let version = lock.rsplit_once(&start).and_then(|(_, rest)| rest.split_once('"'));
        format!("{name} {}", version.map_or("?", |(version, _)| version))
    };
    Ok(format!(
        "Measured on {}, {} cores ({}), {}, {}.\nPeers: {}; with {}, {}.\n",
        said("date", &["-u", "+%F"])?,
        models.len(),
        models.first().unwrap_or(&"unknown"),
        said("rustc", &["--version"])?,
        said("valgrind", &["--version"])?,
        PEERS.map(version).join(", "),
        version("tokio"),
        version("http"),
    ))
}

fn said(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn push(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more).expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_compared_within_each_round() {
        let cost = |instructions| Counts { instructions, allocations: 2.0, bytes: 10.0 };
        let times = [vec![100, 150, 300], vec![1_000, 1_500, 1_500], vec![10, 20, 30]];
        let lines = lines(&[cost(1_000.0), cost(1_100.2), cost(900.0)], &times, 10);
        assert_eq!(lines[0], "(1000) | (2) | (10) | 10 ns | ");
        assert_eq!(lines[1], "100 | 0 | 0 | 1.50 [1.50..2.00] | ");
        assert_eq!(lines[2], "-100 | 0 | 0 | 3.00 [1.50..3.00] | 1.50 [1.00..2.00]");
    }

    #[test]
    fn a_count_that_is_not_whole_says_so() {
        assert_eq!([exact(2.0), exact(-0.0), exact(0.25)], ["2", "0", "0.25"]);
    }
}
