//! One number for everything that a test could depend on.

use std::{
    ffi::OsStr,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use crate::{failure::Result, shell};

/// Files that no test reads. A rule may be reworded, or pointed at a test that already ran, without another run.
const NOT_SOURCES: &[&str] = &["RULES.md", "CHANGELOG.md"];

/// Changes when a file that git tracks, or would track, changes, appears or goes.
pub(crate) fn fingerprint() -> Result<String> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listing = shell::output(shell::command("git").args(arguments))?;
    let listing = String::from_utf8_lossy(&listing);
    let mut names: Vec<&str> = listing.split_terminator('\0').filter(|name| is_source(name)).collect();
    names.sort_unstable();
    names.dedup();

    let mut hasher = DefaultHasher::new();
    for name in names {
        // A deleted file is still in the index; a symbolic link to a folder cannot be read. Both count by their name.
        (name, fs::read(shell::root().join(name)).ok()).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn is_source(name: &str) -> bool {
    let file = Path::new(name).file_name().and_then(OsStr::to_str);
    file.is_none_or(|file| !NOT_SOURCES.contains(&file))
}
