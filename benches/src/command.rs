//! The commands of both programs.

use std::process::ExitCode;

use crate::{Group, Row, durable, groups, measure, report};

/// What a row asked of the allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heap {
    /// New pieces of memory, and pieces that were grown.
    pub allocations: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Runs something and counts what it asks of the allocator, if this program can.
pub type Count = fn(&mut dyn FnMut()) -> Option<Heap>;

const USAGE: &str = "\
run GROUP ROW CALLS         makes so many calls; callgrind counts from outside
heap GROUP ROW CALLS        allocations and bytes of so many calls
time GROUP ROUNDS CALLS     nanoseconds of the rows in turn, one round a line
durable ROUNDS EACH         acknowledgements a second and by commit: of many to a commit, of one, one round a line
list                        the groups and rows by their numbers
table FULL_OR_QUICK         all of it, as Markdown; from the program that counts";

/// Runs what the command line says.
///
/// # Panics
///
/// If a call of a row fails.
pub fn main(count: Count) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // Timers need a runtime to belong to. None turns: calls are polled by hand.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime needs no more than memory");
    let _entered = runtime.enter();
    match dispatch(&words, count) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[&str], count: Count) -> Result<(), String> {
    match *words {
        ["run", group, row, calls] => {
            let (row, calls) = (row_of(group_of(group)?, row)?, number(calls)?);
            (row.run)(calls);
        }
        ["heap", group, row, calls] => {
            let (row, calls) = (row_of(group_of(group)?, row)?, number(calls)?);
            let heap = count(&mut || (row.run)(calls)).ok_or("this program does not count allocations")?;
            println!("{} {}", heap.allocations, heap.bytes);
        }
        ["time", group, rounds, calls] => {
            measure::time_rounds(group_of(group)?, number(rounds)?, number(calls)?);
        }
        ["durable", rounds, each] => {
            for [many, one] in durable::rounds(number(rounds)?, number(each)?)? {
                println!("{:.0} {:.1} {:.0} {:.1}", many.a_second, many.a_commit, one.a_second, one.a_commit);
            }
        }
        ["list"] => {
            for (g, group) in groups().enumerate() {
                println!("{g} {}", group.title);
                for (r, row) in group.rows.iter().enumerate() {
                    println!("  {r} {}", row.name);
                }
            }
        }
        ["table", "full"] => print!("{}", report::table(&measure::Effort::FULL)?),
        ["table", "quick"] => print!("{}", report::table(&measure::Effort::QUICK)?),
        _ => return Err(USAGE.to_owned()),
    }
    Ok(())
}

fn group_of(number: &str) -> Result<&'static Group, String> {
    let index = self::number(number)?;
    groups().nth(index as usize).ok_or_else(|| format!("no group {number}; `list` shows them"))
}

fn row_of(group: &'static Group, number: &str) -> Result<&'static Row, String> {
    let index = self::number(number)?;
    group.rows.get(index as usize).ok_or_else(|| format!("no row {number} in \"{}\"", group.title))
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}
