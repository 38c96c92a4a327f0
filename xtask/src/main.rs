//! The project's own commands. `cargo xtask` lists them.

mod bench;
mod ci;
mod clock;
mod failure;
mod fuzz;
mod libtest;
mod needs;
mod node_modules;
mod results;
mod rules;
mod shell;
mod sim;
mod sources;
mod test;
mod tools;
mod upstreams;
mod venv;
mod workspace;

use std::process::ExitCode;

use failure::{Failure, Result};

struct Command {
    name: &'static str,
    about: &'static str,
    action: Action,
}

enum Action {
    Plain(fn() -> Result<()>),
    /// With one flag that may be given, and whether it was.
    Flag(&'static str, fn(bool) -> Result<()>),
    /// With one of these words, or none for all of them in turn.
    Word(&'static [&'static str], fn(&str) -> Result<()>),
    /// With what it reads itself.
    Rest(fn(&[String]) -> Result<()>),
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        about: "every test, the ignored ones and the doc tests included",
        action: Action::Plain(test::run),
    },
    Command {
        name: "rules",
        about: "each rule in crates/*/RULES.md has a test that passed",
        action: Action::Plain(rules::run),
    },
    Command {
        name: "ci",
        about: "the tests, the rules and every static check",
        action: Action::Plain(ci::run),
    },
    Command {
        name: "bench",
        about: "what the layers cost, into docs/benchmarks.md; --quick only shows a short run",
        action: Action::Flag("--quick", bench::run),
    },
    Command {
        name: "sim",
        about: "the simulations that defaults rest on, into docs/: breaker, budget, jitter, or all",
        action: Action::Word(sim::NAMES, sim::run),
    },
    Command {
        name: "fuzz",
        about: "libFuzzer over the cache and the parsers of fields, a minute each; [--seconds N] [TARGET]",
        action: Action::Rest(fuzz::run),
    },
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
        [name, rest @ ..] => match COMMANDS.iter().find(|command| command.name == name) {
            Some(command) => command.run(rest)?,
            None => return Err(Failure::usage(format!("no command `{name}`; `cargo xtask` lists them"))),
        },
    }
    Ok(())
}

impl Command {
    fn run(&self, arguments: &[String]) -> Result<()> {
        match (&self.action, arguments) {
            (Action::Plain(run), []) => run(),
            (Action::Flag(_, run), []) => run(false),
            (Action::Flag(flag, run), [given]) if given == flag => run(true),
            (Action::Rest(run), arguments) => run(arguments),
            (Action::Word(words, run), []) => words.iter().try_for_each(|word| run(word)),
            (Action::Word(words, run), [given]) if words.contains(&given.as_str()) => run(given),
            (Action::Word(words, _), _) => {
                Err(Failure::usage(format!("`{}` takes one of {}, or nothing", self.name, words.join(", "))))
            }
            (Action::Plain(_), [extra, ..]) => {
                Err(Failure::usage(format!("`{}` takes no arguments, found `{extra}`", self.name)))
            }
            (Action::Flag(flag, _), _) => {
                Err(Failure::usage(format!("`{}` takes {flag} or nothing", self.name)))
            }
        }
    }
}

fn help() {
    println!("cargo xtask COMMAND\n");
    for Command { name, about, .. } in COMMANDS {
        println!("  {name:<8}{about}");
    }
}
