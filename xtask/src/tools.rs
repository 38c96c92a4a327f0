//! The checkers that are not part of a Rust toolchain: wheels with prebuilt programs, kept in `.tools/`.

use std::{env, path::PathBuf, process::Command};

use crate::{
    failure::{Failure, Result},
    needs::{self, User},
    shell, venv,
};

const REQUIREMENTS: &str = "tools/requirements.txt";

/// The folder of the installed programs.
pub(crate) struct Tools {
    bin: PathBuf,
}

impl Tools {
    /// Installs what is missing.
    pub(crate) fn ensure() -> Result<Self> {
        needs::ensure(User::Tools)?;
        let bin = venv::ensure("venv", REQUIREMENTS)?.join("bin");
        Ok(Self { bin })
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        shell::command(self.bin.join(program))
    }

    /// Cargo with the tools in front of `PATH`, so that it finds our pinned `cargo-*` before any other.
    pub(crate) fn cargo(&self) -> Result<Command> {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(self.bin.clone()).chain(env::split_paths(&path));
        let path = env::join_paths(path).map_err(|error| Failure::new(error.to_string()))?;
        let mut cargo = shell::cargo();
        cargo.env("PATH", path);
        Ok(cargo)
    }
}
