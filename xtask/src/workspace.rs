//! What `cargo metadata` says about the members.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{
    failure::{Failure, Result},
    shell,
};

#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) target: PathBuf,
    pub(crate) members: Vec<Member>,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) is_published: bool,
    /// The name of the library as rustdoc prints it, with underscores.
    pub(crate) library: Option<String>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let arguments = ["metadata", "--format-version", "1", "--no-deps"];
        let metadata: Value = serde_json::from_slice(&shell::output(shell::cargo().args(arguments))?)?;
        Self::read(&metadata).ok_or_else(|| Failure::new("`cargo metadata` does not look as expected"))
    }

    fn read(metadata: &Value) -> Option<Self> {
        let members = metadata["packages"].as_array()?.iter().map(Member::read).collect::<Option<_>>()?;
        Some(Self { target: metadata["target_directory"].as_str()?.into(), members })
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    pub(crate) fn by_library(&self, library: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.library.as_deref() == Some(library))
    }

    /// The package that owns the root's `tests/`.
    pub(crate) fn harness(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.folder == shell::root())
    }

    /// The members below `crates/`.
    pub(crate) fn crates(&self) -> impl Iterator<Item = &Member> {
        let crates = shell::root().join("crates");
        self.members.iter().filter(move |member| member.folder.starts_with(&crates))
    }
}

impl Member {
    fn read(package: &Value) -> Option<Self> {
        let library = package["targets"].as_array()?.iter().find(|target| {
            let kinds = target["kind"].as_array();
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "lib" || kind == "proc-macro"))
        });
        Some(Self {
            id: package["id"].as_str()?.to_owned(),
            name: package["name"].as_str()?.to_owned(),
            folder: Path::new(package["manifest_path"].as_str()?).parent()?.to_owned(),
            // `publish = false` comes as an empty list of registries.
            is_published: package["publish"].as_array().is_none_or(|registries| !registries.is_empty()),
            library: library.and_then(|target| target["name"].as_str()).map(|name| name.replace('-', "_")),
        })
    }
}
