//! Pinned Python packages, each list in an environment of its own below `.tools/`.

use std::{fs, path::PathBuf};

use crate::{failure::Result, shell};

/// Installs what `requirements` pins into `.tools/NAME`, unless the stamp in it says that it is there already, and
/// returns that folder.
pub(crate) fn ensure(name: &str, requirements: &str) -> Result<PathBuf> {
    let venv = shell::root().join(".tools").join(name);
    let stamp = venv.join("stamp");
    let wanted = fs::read_to_string(shell::root().join(requirements))?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(venv);
    }
    shell::run(shell::command("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    shell::run(shell::command(venv.join("bin/python")).args(pip).args(["-r", requirements]))?;
    fs::write(stamp, wanted)?;
    Ok(venv)
}
