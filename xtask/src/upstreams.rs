//! Servers that nobody here wrote, for the tests that call them.

use std::{path::PathBuf, process::Command};

use crate::{
    failure::{Failure, Result},
    node_modules, shell, venv,
};

const REQUIREMENTS: &str = "tools/upstreams.txt";
/// A folder with `package.json` and `package-lock.json`.
const OIDC_PROVIDER: &str = "tools/oidc-provider";

pub(crate) struct Upstreams {
    nginx: PathBuf,
    /// It has httpbin and authlib.
    python: PathBuf,
    oidc_provider: PathBuf,
}

impl Upstreams {
    /// Installs what is missing, but for what [`needs`](crate::needs) sees to.
    pub(crate) fn ensure() -> Result<Self> {
        let nginx = shell::find("nginx").ok_or_else(|| Failure::usage("nginx is not on this machine"))?;
        let python = venv::ensure("upstreams", REQUIREMENTS)?.join("bin/python");
        Ok(Self { nginx, python, oidc_provider: node_modules::ensure("oidc-provider", OIDC_PROVIDER)? })
    }

    /// Tells the tests where they are.
    pub(crate) fn tell<'a>(&self, tests: &'a mut Command) -> &'a mut Command {
        tests
            .env("BARTIZAN_NGINX", &self.nginx)
            .env("BARTIZAN_PYTHON", &self.python)
            .env("BARTIZAN_OIDC_PROVIDER", &self.oidc_provider)
    }
}
