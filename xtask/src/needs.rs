//! What must be on the machine before a command can run.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

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
    Fuzz,
}

struct Need {
    what: &'static str,
    why: &'static str,
    /// Succeeds when the thing is there.
    probe: &'static [&'static str],
    debian_package: &'static str,
    users: &'static [User],
}

/// Its package starts it on port 80, now and at every boot, which nobody asked for here.
const NGINX: &str = "nginx";

const NEEDS: &[Need] = &[
    Need {
        what: "git",
        why: "lists the sources that the recorded results belong to",
        probe: &["git", "--version"],
        debian_package: "git",
        users: &[User::Tests],
    },
    Need {
        what: "Python 3",
        why: "installs what tools/*.txt pin",
        probe: &["python3", "--version"],
        debian_package: "python3",
        users: &[User::Tests, User::Tools],
    },
    Need {
        what: "Python's venv",
        why: "keeps that inside .tools/",
        probe: &["python3", "-c", "import venv, ensurepip"],
        debian_package: "python3-venv",
        users: &[User::Tests, User::Tools],
    },
    Need {
        what: "Node.js 20",
        why: "runs some of the servers that the tests call, and libraries of senders of webhooks",
        probe: &["node", "-e", "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)"],
        debian_package: "nodejs",
        users: &[User::Tests],
    },
    Need {
        what: "npm",
        why: "installs what those are made of, into .tools/",
        probe: &["npm", "--version"],
        debian_package: "npm",
        users: &[User::Tests],
    },
    Need {
        what: "nginx",
        why: "is one of the servers that the tests call",
        probe: &["nginx", "-v"],
        debian_package: NGINX,
        users: &[User::Tests],
    },
    Need {
        what: "valgrind",
        why: "counts instructions",
        probe: &["valgrind", "--version"],
        debian_package: "valgrind",
        users: &[User::Benches],
    },
    Need {
        what: "a C++ compiler",
        why: "builds libFuzzer",
        probe: &["c++", "--version"],
        debian_package: "g++",
        users: &[User::Fuzz],
    },
];

/// Installs what is missing where that is possible without asking: as root on Debian.
///
/// # Errors
///
/// Elsewhere, with the line to paste and exit code 2.
pub(crate) fn ensure(user: User) -> Result<()> {
    let needs = || NEEDS.iter().filter(|need| need.users.contains(&user));
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
             sudo apt-get update && sudo apt-get install --yes --no-install-recommends {}{}",
            missing.join(" "),
            if missing.contains(&NGINX) { " && sudo systemctl disable --now nginx" } else { "" },
        )));
    }
    shell::run(apt().arg("update"))?;
    let quiet = NoServices::begin()?;
    shell::run(apt().args(["install", "--yes", "--no-install-recommends"]).args(&missing))?;
    drop(quiet);
    if missing.contains(&NGINX) {
        shell::run(shell::command("update-rc.d").args([NGINX, "disable"]))?;
    }
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
        let program = shell::find(self.probe[0]);
        program.is_some_and(|program| shell::succeeds(shell::command(program).args(&self.probe[1..])))
    }
}

/// While it lives, packages start no service: Debian's `invoke-rc.d` asks this script first, and 101 means no. One that
/// is there already, as in most containers, decides as before.
struct NoServices {
    is_ours: bool,
}

impl NoServices {
    const POLICY: &str = "/usr/sbin/policy-rc.d";

    fn begin() -> Result<Self> {
        let is_ours = !Path::new(Self::POLICY).exists();
        if is_ours {
            fs::write(Self::POLICY, "#!/bin/sh\nexit 101\n")?;
            fs::set_permissions(Self::POLICY, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { is_ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours {
            // What fails here failed to be there.
            let _ = fs::remove_file(Self::POLICY);
        }
    }
}

fn apt() -> std::process::Command {
    let mut apt = shell::command("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

fn is_debian_root() -> bool {
    let is_root = || shell::output(shell::command("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0");
    Path::new("/etc/debian_version").exists() && is_root()
}
