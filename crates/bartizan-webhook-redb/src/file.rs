//! The file, as long as it is open.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use redb::{Database, Durability, ReadTransaction};

use crate::error::{NotDone, OpenError};
use crate::tables::{self, FORMAT, Holds, Result, Tables};

/// Opens the database: a file, or what stands for one in tests.
pub(crate) type Opener = Box<dyn Fn() -> std::result::Result<Database, redb::DatabaseError> + Send + Sync>;

pub(crate) struct File {
    path: Arc<Path>,
    opener: Opener,
    /// None between a failure and the next attempt, and in the end. Whoever reads holds the lock meanwhile, so that the file is closed when it is said to be.
    database: RwLock<Option<Database>>,
}

impl File {
    pub(crate) fn open(path: Arc<Path>, opener: Opener) -> std::result::Result<Self, OpenError> {
        let database = RwLock::new(Some(open(&path, &opener)?));
        Ok(Self { path, opener, database })
    }

    pub(crate) fn path(&self) -> &Arc<Path> {
        &self.path
    }

    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T>,
    ) -> std::result::Result<T, NotDone> {
        self.with(|database| read(&database.begin_read()?))
    }

    /// One transaction, durable once this returns; whether it was necessary. After a failure the file is opened anew, since what is in memory may
    /// be ahead of it.
    pub(crate) fn write(
        &self,
        write: impl FnOnce(&mut Tables<'_>) -> Result<()>,
    ) -> std::result::Result<bool, NotDone> {
        self.open_again()?;
        let written = self.with(|database| {
            let mut transaction = database.begin_write()?;
            transaction.set_durability(Durability::Immediate);
            transaction.set_two_phase_commit(true);
            transaction.set_quick_repair(true);
            let mut tables = Tables::open(&transaction)?;
            write(&mut tables)?;
            let is_changed = tables.is_changed();
            drop(tables);
            if is_changed {
                transaction.commit()?;
            } else {
                transaction.abort()?;
            }
            Ok(is_changed)
        });
        if written.is_err() {
            self.close();
        }
        written
    }

    fn open_again(&self) -> std::result::Result<(), NotDone> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            *database = Some(open(&self.path, &self.opener).map_err(|error| NotDone::Open(Arc::new(error)))?);
        }
        Ok(())
    }

    pub(crate) fn close(&self) {
        let database = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        // What closing it writes is for the next time it is opened only, which does without.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T>) -> std::result::Result<T, NotDone> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = &*database else { return Err(NotDone::Closed(self.path.clone())) };
        match catch_unwind(AssertUnwindSafe(|| work(database))) {
            Ok(done) => done.map_err(|error| NotDone::File(self.path.clone(), Arc::new(error))),
            Err(_) => Err(NotDone::Panicked(self.path.clone())),
        }
    }
}

fn open(path: &Path, opener: &Opener) -> std::result::Result<Database, OpenError> {
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let database = opener()?;
        let mut holds = tables::holds(&database.begin_read()?)?;
        if holds == Holds::Nothing {
            let transaction = database.begin_write()?;
            Tables::create(&transaction)?;
            transaction.commit()?;
            holds = Holds::Format(FORMAT);
        }
        Ok((database, holds))
    }));
    match opened {
        Ok(Ok((database, Holds::Format(FORMAT)))) => Ok(database),
        Ok(Ok((_, Holds::Format(format)))) => Err(OpenError::format(path, format)),
        Ok(Ok((_, Holds::Nothing | Holds::SomethingElse))) => Err(OpenError::something_else(path)),
        Ok(Err(error)) => Err(OpenError::file(path, error)),
        Err(_) => Err(OpenError::panicked(path)),
    }
}
