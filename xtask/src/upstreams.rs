//! Servers and libraries that nobody here wrote, for the tests that call them.

use std::{path::PathBuf, process::Command};

use crate::{
    failure::{Failure, Result},
    node_modules, shell, venv,
};

const REQUIREMENTS: &str = "tools/upstreams.txt";
/// A folder with `package.json` and `package-lock.json`.
const OIDC_PROVIDER: &str = "tools/oidc-provider";
/// Likewise.
const WEBHOOK_SDKS: &str = "tools/webhook-sdks";
/// Likewise.
const GRAPHQL_SERVERS: &str = "tools/graphql-servers";

pub(crate) struct Upstreams {
    nginx: PathBuf,
    /// It has httpbin and authlib.
    python: PathBuf,
    oidc_provider: PathBuf,
    webhook_sdks: PathBuf,
    graphql_servers: PathBuf,
}

impl Upstreams {
    /// Installs what is missing, but for what [`needs`](crate::needs) sees to.
    pub(crate) fn ensure() -> Result<Self> {
        let nginx = shell::find("nginx").ok_or_else(|| Failure::usage("nginx is not on this machine"))?;
        let python = venv::ensure("upstreams", REQUIREMENTS)?.join("bin/python");
        let oidc_provider = node_modules::ensure("oidc-provider", OIDC_PROVIDER)?;
        let webhook_sdks = node_modules::ensure("webhook-sdks", WEBHOOK_SDKS)?;
        let graphql_servers = node_modules::ensure("graphql-servers", GRAPHQL_SERVERS)?;
        Ok(Self { nginx, python, oidc_provider, webhook_sdks, graphql_servers })
    }

    /// Tells the tests where they are.
    pub(crate) fn tell<'a>(&self, tests: &'a mut Command) -> &'a mut Command {
        tests
            .env("BARTIZAN_NGINX", &self.nginx)
            .env("BARTIZAN_PYTHON", &self.python)
            .env("BARTIZAN_OIDC_PROVIDER", &self.oidc_provider)
            .env("BARTIZAN_WEBHOOK_SDKS", &self.webhook_sdks)
            .env("BARTIZAN_GRAPHQL_SERVERS", &self.graphql_servers)
    }
}
