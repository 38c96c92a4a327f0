//! Instructions, times and the table.

use std::process::ExitCode;

fn main() -> ExitCode {
    bartizan_benches::command::main(|run| {
        run();
        None
    })
}
