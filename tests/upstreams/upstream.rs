//! A server for tests, in a folder of its own, and its end.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Until a server is ready. Alone it takes half a second.
const START: Duration = Duration::from_secs(20);

/// A server for one test: if the test fails, the server's log is shown. It ends with the last clone.
#[derive(Clone)]
pub(crate) struct Upstream(Arc<Process>);

struct Process {
    supervisor: Child,
    folder: PathBuf,
}

impl Upstream {
    /// Runs the command in the folder, which goes with it. Returns once it is ready.
    pub(crate) async fn start(
        folder: PathBuf,
        command: &[&OsStr],
        is_ready: impl AsyncFn(&Self) -> bool,
    ) -> Self {
        let script = include_str!("supervise.sh");
        let log = File::create(folder.join("log")).expect("a new file");
        let supervisor = Command::new("sh")
            .args(["-c", script])
            .arg(&folder)
            .args(command)
            .current_dir(&folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a spare descriptor"))
            .stderr(log)
            .spawn()
            .expect("there is a shell");
        let mut upstream = Self(Arc::new(Process { supervisor, folder }));
        let ready = async {
            while !is_ready(&upstream).await {
                let process = Arc::get_mut(&mut upstream.0).expect("it has no clone yet");
                let ended = process.supervisor.try_wait().expect("it is our child");
                assert!(ended.is_none(), "{command:?} ended:\n{}", process.log());
                sleep(Duration::from_millis(10)).await;
            }
        };
        let in_time = timeout(START, ready).await;
        assert!(in_time.is_ok(), "{command:?} is not ready after {START:?}:\n{}", upstream.log());
        upstream
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// What it has printed.
    pub(crate) fn log(&self) -> String {
        self.0.log()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the log of {}:\n{}", self.folder().display(), self.log());
        }
    }
}

impl Process {
    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // Both fail only where there is nothing left to do.
        let _ = self.supervisor.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A program or a folder, where `cargo xtask test` has put it.
pub(crate) fn given(variable: &str) -> PathBuf {
    env::var_os(variable).unwrap_or_else(|| panic!("{variable} is set by `cargo xtask test`")).into()
}

/// A new one, with a path that is short enough for a socket's address.
pub(crate) fn folder() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("bartizan-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = env::temp_dir().join(name);
    fs::create_dir(&folder).expect("a new folder");
    Path::canonicalize(&folder).expect("it was just made")
}
