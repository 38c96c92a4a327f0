//! Starts the servers.

use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;

use crate::http::get;
use crate::upstream::{Upstream, folder, given};

/// An authorization server for one test.
pub(crate) struct Server {
    /// What it said when it was ready.
    ready: Value,
    upstream: Upstream,
}

pub(crate) async fn oidc_provider() -> Server {
    Server::start(&oidc_provider_command()).await
}

pub(crate) async fn authlib() -> Server {
    Server::start(&authlib_command()).await
}

pub(crate) fn oidc_provider_command() -> Vec<OsString> {
    vec!["node".into(), script("oidc_provider.mjs"), given("BARTIZAN_OIDC_PROVIDER").into()]
}

pub(crate) fn authlib_command() -> Vec<OsString> {
    vec![given("BARTIZAN_PYTHON").into(), script("authlib_server.py")]
}

fn script(name: &str) -> OsString {
    format!("{}/tests/oauth/servers/{name}", env!("CARGO_MANIFEST_DIR")).into()
}

impl Server {
    async fn start(command: &[OsString]) -> Self {
        let command: Vec<_> = command.iter().map(OsString::as_os_str).collect();
        let upstream = Upstream::start(folder(), &command, async |upstream| ready(upstream).is_some()).await;
        Self { ready: ready(&upstream).expect("it is ready"), upstream }
    }

    /// Where it is, and who it says that it is.
    pub(crate) fn issuer(&self) -> &str {
        self.said("issuer")
    }

    /// What it made up for this run.
    pub(crate) fn said(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_else(|| panic!("it has no {name}"))
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    /// What has come, and how it was answered.
    pub(crate) async fn log(&self) -> Vec<Value> {
        let answer = get(&self.uri("/log")).await;
        answer.json().as_array().expect("the log is a list").clone()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.upstream.folder()
    }
}

/// The line is there as a whole.
fn ready(upstream: &Upstream) -> Option<Value> {
    let log = upstream.log();
    let line = log.split_inclusive('\n').find_map(|line| line.strip_prefix("ready ")?.strip_suffix('\n'))?;
    Some(serde_json::from_str(line).expect("it is JSON"))
}
