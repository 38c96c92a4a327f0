//! Servers that nobody here wrote, for the tests that call them.

use std::{path::PathBuf, process::Command};

use crate::{
    failure::{Failure, Result},
    shell, venv,
};

const REQUIREMENTS: &str = "tools/upstreams.txt";

pub(crate) struct Upstreams {
    httpbin: PathBuf,
    nginx: PathBuf,
}

impl Upstreams {
    /// Installs what is missing, but for what [`needs`](crate::needs) sees to.
    pub(crate) fn ensure() -> Result<Self> {
        let nginx = shell::find("nginx").ok_or_else(|| Failure::usage("nginx is not on this machine"))?;
        Ok(Self { httpbin: venv::ensure("upstreams", REQUIREMENTS)?, nginx })
    }

    /// Tells the tests where they are.
    pub(crate) fn tell<'a>(&self, tests: &'a mut Command) -> &'a mut Command {
        tests.env("BARTIZAN_HTTPBIN", &self.httpbin).env("BARTIZAN_NGINX", &self.nginx)
    }
}
