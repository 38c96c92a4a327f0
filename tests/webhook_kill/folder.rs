use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

/// What both processes write into.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kill-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the build may write there");
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn inbox(&self) -> PathBuf {
        self.0.join("inbox.redb")
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.0.join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What stands behind that mark.
    pub(crate) fn marked(&self, mark: &str) -> Vec<String> {
        let lines = self.lines("marks").into_iter();
        lines.filter_map(|line| line.strip_prefix(mark).map(str::to_owned)).collect()
    }

    /// One that is written into.
    pub(crate) fn log(&self, name: &str) -> File {
        log(&self.0.join(name))
    }

    pub(crate) fn remove(&self, name: &str) {
        // It is not there if the process was killed early.
        let _ = fs::remove_file(self.0.join(name));
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Opened so that each write is one line at the end, whoever else writes. What was written outlives the process.
pub(crate) fn log(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("the folder is there")
}
