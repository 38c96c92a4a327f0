use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bartizan_webhook::inbox::REMEMBERED;
use tokio::sync::{Notify, Semaphore, watch};

use crate::committer::{Committer, Group};
use crate::error::OpenError;
use crate::file::{File, Opener};
use crate::inbox::{RedbInbox, Shared};

/// So many may wait for the committer; the next ones wait for a place.
const PLACES: usize = 1024;

/// How an inbox is opened.
#[derive(Clone, Debug)]
pub struct Builder {
    remembered: Duration,
    cache_bytes: usize,
    group: Group,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            remembered: REMEMBERED,
            cache_bytes: 16 * 1024 * 1024,
            group: Group { most: 128, wait: Duration::from_millis(2) },
        }
    }
}

impl Builder {
    /// For how long what was put is remembered, so that it is not kept twice: seven days by default, see [`REMEMBERED`].
    #[must_use]
    pub fn remembered(mut self, remembered: Duration) -> Self {
        self.remembered = remembered;
        self
    }

    /// How much of the file is kept in memory: 16 MiB by default, which is some thousand events that wait. All that is there is found in the file too, only
    /// slower.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// How many puts, claims and settlements become one commit at most: 128 by default. With 1 each is a commit of its own.
    #[must_use]
    pub fn group_size(mut self, most: NonZeroUsize) -> Self {
        self.group.most = most.get();
        self
    }

    /// For how long a group waits until it is as large as the one before it: 2 ms by default, about what a commit takes. Nobody who is alone waits.
    #[must_use]
    pub fn group_wait(mut self, wait: Duration) -> Self {
        self.group.wait = wait;
        self
    }

    /// Opens the file at `path`, which is made if there is none. Blocks until it is read, and mended if the process was killed: milliseconds.
    ///
    /// # Errors
    ///
    /// If another process has it open, if it is damaged or no inbox, or of a newer format.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<RedbInbox, OpenError> {
        let path: Arc<Path> = path.as_ref().into();
        let (file, cache_bytes) = (path.clone(), self.cache_bytes);
        let is_new = !path.exists();
        let opener = move || {
            let mut database = redb::Builder::new();
            // The format that later versions of redb read as well.
            database.create_with_file_format_v3(true).set_cache_size(cache_bytes).create(&file)
        };
        let inbox = self.start(path.clone(), Box::new(opener))?;
        if is_new {
            // A file is durable once its folder is.
            sync_folder(&path).map_err(|error| OpenError::file(&path, redb::Error::Io(error).into()))?;
        }
        Ok(inbox)
    }

    pub(crate) fn start(&self, path: Arc<Path>, opener: Opener) -> Result<RedbInbox, OpenError> {
        let file = Arc::new(File::open(path.clone(), opener)?);
        let (sender, queue) = mpsc::channel();
        let (ended, ends) = watch::channel(());
        let changed = Arc::new(Notify::new());
        let commits = Arc::new(AtomicU64::new(0));
        let committer = Committer {
            file: file.clone(),
            queue,
            group: self.group,
            changed: changed.clone(),
            commits: commits.clone(),
            ended,
        };
        committer.start().map_err(|error| OpenError::thread(&path, error))?;
        Ok(RedbInbox(Arc::new(Shared {
            file,
            remembered: self.remembered,
            queue: Mutex::new(Some(sender)),
            places: Arc::new(Semaphore::new(PLACES)),
            changed,
            commits,
            ended: ends,
        })))
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        // Elsewhere a folder is no file.
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}
