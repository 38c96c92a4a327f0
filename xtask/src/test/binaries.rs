//! Which package and target each test binary belongs to. Cargo prints only a file name when it runs one, and several
//! packages have a `tests/contract.rs`.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use serde_json::Value;

use crate::{
    failure::{Failure, Result},
    shell,
    workspace::Workspace,
};

#[derive(Debug, Default)]
pub(super) struct Binaries {
    /// File name of the binary, to package and main source file.
    owners: HashMap<String, (String, String)>,
}

impl Binaries {
    /// Builds all tests without running them.
    pub(super) fn build(workspace: &Workspace) -> Result<Self> {
        let mut cargo = super::cargo_test();
        cargo.args(["--no-run", "--message-format=json-render-diagnostics"]).stdout(Stdio::piped());
        shell::echo(&cargo);
        let mut child = cargo.spawn()?;
        let stdout = child.stdout.take().expect("stdout is piped");

        let mut binaries = Self::default();
        for line in BufReader::new(stdout).lines() {
            // Build scripts may print lines of their own into the stream.
            if let Ok(message) = serde_json::from_str(&line?) {
                binaries.take(&message, workspace);
            }
        }
        if child.wait()?.success() { Ok(binaries) } else { Err(Failure::new("the tests do not compile")) }
    }

    pub(super) fn owner(&self, file: &str) -> Option<&(String, String)> {
        self.owners.get(file)
    }

    fn take(&mut self, message: &Value, workspace: &Workspace) -> Option<()> {
        if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
            return None;
        }
        let binary = Path::new(message["executable"].as_str()?).file_name()?.to_str()?;
        let member = workspace.by_id(message["package_id"].as_str()?)?;
        let source = Path::new(message["target"]["src_path"].as_str()?);
        let source = source.strip_prefix(&member.folder).unwrap_or(source).to_str()?;
        self.owners.insert(binary.to_owned(), (member.name.clone(), source.to_owned()));
        Some(())
    }
}
