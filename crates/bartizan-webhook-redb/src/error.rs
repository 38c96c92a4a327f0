use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::tables::Fault;

/// Why a file could not be opened as an inbox. What is in it stays as it is.
#[derive(Debug)]
pub struct OpenError {
    path: PathBuf,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Locked,
    SomethingElse,
    Format(u64),
    File(Box<redb::Error>),
    Panicked,
    Thread(io::Error),
}

impl OpenError {
    fn new(path: &Path, why: Why) -> Self {
        Self { path: path.to_owned(), why }
    }

    pub(crate) fn something_else(path: &Path) -> Self {
        Self::new(path, Why::SomethingElse)
    }

    pub(crate) fn format(path: &Path, format: u64) -> Self {
        Self::new(path, Why::Format(format))
    }

    pub(crate) fn file(path: &Path, fault: Fault) -> Self {
        let why = match *fault.0 {
            redb::Error::DatabaseAlreadyOpen => Why::Locked,
            _ => Why::File(fault.0),
        };
        Self::new(path, why)
    }

    pub(crate) fn panicked(path: &Path) -> Self {
        Self::new(path, Why::Panicked)
    }

    pub(crate) fn thread(path: &Path, error: io::Error) -> Self {
        Self::new(path, Why::Thread(error))
    }

    /// Which file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether somebody has it open: another process, or this one. It can be opened once he is done.
    pub fn is_locked(&self) -> bool {
        matches!(self.why, Why::Locked)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the inbox {} cannot be opened: ", self.path.display())?;
        match &self.why {
            Why::Locked => f.write_str("it is open elsewhere"),
            Why::SomethingElse => f.write_str("it is a database of something else"),
            Why::Format(format) => write!(f, "it is of format {format}, which this version does not know"),
            Why::File(_) => f.write_str("its file is no such database, is damaged, or cannot be read"),
            Why::Panicked => f.write_str("its file is damaged"),
            Why::Thread(_) => f.write_str("there is no thread for it"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.why {
            Why::File(error) => Some(&**error),
            Why::Thread(error) => Some(error),
            Why::Locked | Why::SomethingElse | Why::Format(_) | Why::Panicked => None,
        }
    }
}

/// Why something was not done. All that waited for one commit get it.
#[derive(Clone, Debug)]
pub(crate) enum NotDone {
    /// The file failed.
    File(Arc<Path>, Arc<Fault>),
    /// It could not be opened again after that.
    Open(Arc<OpenError>),
    /// What reads and writes the file panicked, as it does over a damaged one.
    Panicked(Arc<Path>),
    Closed(Arc<Path>),
    TooLong(Arc<Path>, usize),
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, _) => write!(f, "the inbox {} could not be read or written", path.display()),
            Self::Open(_) => f.write_str("the inbox failed before, and is not back"),
            Self::Panicked(path) => write!(f, "the inbox {} is damaged", path.display()),
            Self::Closed(path) => write!(f, "the inbox {} is closed", path.display()),
            Self::TooLong(path, bytes) => {
                write!(f, "the inbox {} takes no event of {bytes} bytes", path.display())
            }
        }
    }
}

impl Error for NotDone {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(_, fault) => Some(&*fault.0),
            Self::Open(error) => Some(&**error),
            Self::Panicked(_) | Self::Closed(_) | Self::TooLong(..) => None,
        }
    }
}
