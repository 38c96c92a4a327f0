//! Starts the servers, on unix sockets in a folder of their own, and ends them.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};

use crate::client::Unix;

/// Until a server accepts. Alone it takes half a second.
const START: Duration = Duration::from_secs(20);

/// A server for one test: if the test fails, the server's log is shown.
pub(crate) struct Upstream(Arc<Process>);

/// Drops with the last upstream that has it, and the server with it.
struct Process {
    supervisor: Child,
    folder: PathBuf,
}

/// One for all tests, since it takes a while to start. It ends with the test binary.
pub(crate) async fn httpbin() -> Upstream {
    static HTTPBIN: OnceCell<Arc<Process>> = OnceCell::const_new();
    let start = async || {
        let gunicorn = given("BARTIZAN_HTTPBIN").join("bin/gunicorn");
        let mut command = vec![gunicorn.as_os_str()];
        let arguments = "--no-control-socket --bind unix:httpbin.sock --worker-class gthread --workers 1 \
             --threads 32 --keep-alive 30 --graceful-timeout 1 --access-logfile - httpbin:app";
        command.extend(arguments.split_whitespace().map(OsStr::new));
        Arc::new(Process::start(folder(), &command, "httpbin.sock").await)
    };
    Upstream(HTTPBIN.get_or_init(start).await.clone())
}

/// With `files`, and with httpbin behind it.
pub(crate) async fn nginx(files: &[(&str, &[u8])]) -> Upstream {
    let (nginx, folder) = (given("BARTIZAN_NGINX"), folder());
    for name in ["files", "temp"] {
        fs::create_dir(folder.join(name)).expect("a new folder");
    }
    for (name, content) in files {
        fs::write(folder.join("files").join(name), content).expect("a new file");
    }
    fs::write(folder.join("nginx.conf"), include_str!("nginx.conf")).expect("a new file");
    symlink(httpbin().await.socket("httpbin.sock"), folder.join("httpbin.sock")).expect("a new link");
    let prefix = folder.clone();
    let arguments = ["-e", "stderr", "-c", "nginx.conf", "-p"].map(OsStr::new);
    let command = [&[nginx.as_os_str()], &arguments[..], &[prefix.as_os_str()]].concat();
    Upstream(Arc::new(Process::start(folder, &command, "plain.sock").await))
}

impl Upstream {
    pub(crate) fn socket(&self, name: &str) -> PathBuf {
        self.0.folder.join(name)
    }

    pub(crate) fn connector(&self, socket: &str) -> Unix {
        Unix::new(&self.socket(socket))
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the log of {}:\n{}", self.0.folder.display(), self.0.log());
        }
    }
}

impl Process {
    /// Returns once it accepts on `socket`.
    async fn start(folder: PathBuf, command: &[&OsStr], socket: &str) -> Self {
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
        let mut process = Self { supervisor, folder };
        let accepts = async {
            while UnixStream::connect(process.folder.join(socket)).await.is_err() {
                let ended = process.supervisor.try_wait().expect("it is our child");
                assert!(ended.is_none(), "{command:?} ended:\n{}", process.log());
                sleep(Duration::from_millis(10)).await;
            }
        };
        let in_time = timeout(START, accepts).await;
        assert!(in_time.is_ok(), "{command:?} does not accept after {START:?}:\n{}", process.log());
        process
    }

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

fn given(variable: &str) -> PathBuf {
    env::var_os(variable).unwrap_or_else(|| panic!("{variable} is set by `cargo xtask test`")).into()
}

/// A new one, with a path that is short enough for a socket's address.
fn folder() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("bartizan-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = env::temp_dir().join(name);
    fs::create_dir(&folder).expect("a new folder");
    Path::canonicalize(&folder).expect("it was just made")
}
