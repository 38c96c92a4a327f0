//! The project's own commands. `cargo xtask` lists them.

mod ci;
mod clock;
mod failure;
mod libtest;
mod needs;
mod results;
mod rules;
mod shell;
mod sources;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use failure::{Failure, Result};

struct Command {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        about: "every test, the ignored ones and the doc tests included",
        run: test::run,
    },
    Command {
        name: "rules",
        about: "each rule in crates/*/RULES.md has a test that passed",
        run: rules::run,
    },
    Command { name: "ci", about: "the tests, the rules and every static check", run: ci::run },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => help(),
        [word] if ["help", "-h", "--help"].contains(&word.as_str()) => help(),
        [name] => match COMMANDS.iter().find(|command| command.name == name) {
            Some(command) => (command.run)()?,
            None => return Err(Failure::usage(format!("no command `{name}`; `cargo xtask` lists them"))),
        },
        [name, extra, ..] => {
            return Err(Failure::usage(format!("`{name}` takes no arguments, found `{extra}`")));
        }
    }
    Ok(())
}

fn help() {
    println!("cargo xtask COMMAND\n");
    for Command { name, about, .. } in COMMANDS {
        println!("  {name:<8}{about}");
    }
}
