//! The checkers that are not part of a Rust toolchain: wheels with prebuilt programs, kept in `.tools/`.

use std::{env, fs, path::PathBuf, process::Command};

use crate::{
    failure::{Failure, Result},
    needs::{self, User},
    shell,
};

const REQUIREMENTS: &str = "tools/requirements.txt";

/// The folder of the installed programs.
pub(crate) struct Tools {
    bin: PathBuf,
}

impl Tools {
    /// Installs what `tools/requirements.txt` pins, unless the stamp says that it is there already.
    pub(crate) fn ensure() -> Result<Self> {
        needs::ensure(User::Tools)?;
        let folder = shell::root().join(".tools");
        let (venv, stamp) = (folder.join("venv"), folder.join("stamp"));
        let wanted = fs::read_to_string(shell::root().join(REQUIREMENTS))?;
        let bin = venv.join("bin");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && bin.is_dir() {
            return Ok(Self { bin });
        }
        shell::run(shell::command("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
        shell::run(shell::command(bin.join("python")).args(pip).args(["-r", REQUIREMENTS]))?;
        fs::write(stamp, wanted)?;
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
