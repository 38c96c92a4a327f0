//! What must be on the machine before a command can run.

use crate::{
    failure::{Failure, Result},
    shell,
};

/// Who asks for a thing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    Tests,
    Tools,
    Benches,
}

struct Need {
    what: &'static str,
    why: &'static str,
    /// Succeeds when the thing is there.
    probe: &'static [&'static str],
    debian_package: &'static str,
    user: User,
}

const NEEDS: &[Need] = &[
    Need {
        what: "git",
        why: "lists the sources that the recorded results belong to",
        probe: &["git", "--version"],
        debian_package: "git",
        user: User::Tests,
    },
    Need {
        what: "Python 3",
        why: "installs the pinned tools of tools/requirements.txt",
        probe: &["python3", "--version"],
        debian_package: "python3",
        user: User::Tools,
    },
    Need {
        what: "Python's venv",
        why: "keeps the tools inside .tools/",
        probe: &["python3", "-c", "import venv, ensurepip"],
        debian_package: "python3-venv",
        user: User::Tools,
    },
    Need {
        what: "valgrind",
        why: "counts instructions",
        probe: &["valgrind", "--version"],
        debian_package: "valgrind",
        user: User::Benches,
    },
];

/// Installs what is missing where that is possible without asking: as root on Debian.
///
/// # Errors
///
/// Elsewhere, with the line to paste and exit code 2.
pub(crate) fn ensure(user: User) -> Result<()> {
    let needs = || NEEDS.iter().filter(|need| need.user == user);
    let mut missing = Vec::new();
    for need in needs() {
        let here = need.is_here();
        println!("needs {} ({}): {}", need.what, need.why, if here { "found" } else { "missing" });
        if !here {
            missing.push(need.debian_package);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    if !is_debian_root() {
        return Err(Failure::usage(format!(
            "something is missing. On Debian:\n\
             sudo apt-get update && sudo apt-get install --yes --no-install-recommends {}",
            missing.join(" ")
        )));
    }
    shell::run(apt().arg("update"))?;
    shell::run(apt().args(["install", "--yes", "--no-install-recommends"]).args(missing))?;
    match needs().find(|need| !need.is_here()) {
        Some(need) => Err(Failure::usage(format!(
            "{} is still missing after `{}` was installed",
            need.what, need.debian_package
        ))),
        None => Ok(()),
    }
}

impl Need {
    fn is_here(&self) -> bool {
        shell::succeeds(shell::command(self.probe[0]).args(&self.probe[1..]))
    }
}

fn apt() -> std::process::Command {
    let mut apt = shell::command("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

fn is_debian_root() -> bool {
    let is_root = || shell::output(shell::command("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0");
    std::path::Path::new("/etc/debian_version").exists() && is_root()
}
