//! The servers, on unix sockets.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tokio::net::UnixStream;
use tokio::sync::OnceCell;

use crate::client::Unix;
use crate::upstream::{Upstream, folder, given};

/// One for all tests, since it takes a while to start. It ends with the test binary.
pub(crate) async fn httpbin() -> Upstream {
    static HTTPBIN: OnceCell<Upstream> = OnceCell::const_new();
    let start = async || {
        let python = given("BARTIZAN_PYTHON");
        let mut command = vec![python.as_os_str()];
        let arguments = "-m gunicorn --no-control-socket --bind unix:httpbin.sock --worker-class gthread \
             --workers 1 --threads 32 --keep-alive 30 --graceful-timeout 1 --access-logfile - httpbin:app";
        command.extend(arguments.split_whitespace().map(OsStr::new));
        Upstream::start(folder(), &command, accepts("httpbin.sock")).await
    };
    HTTPBIN.get_or_init(start).await.clone()
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
    Upstream::start(folder, &command, accepts("plain.sock")).await
}

fn accepts(socket: &str) -> impl AsyncFn(&Upstream) -> bool {
    async move |upstream| UnixStream::connect(upstream.socket(socket)).await.is_ok()
}

impl Upstream {
    pub(crate) fn socket(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn connector(&self, socket: &str) -> Unix {
        Unix::new(&self.socket(socket))
    }
}
