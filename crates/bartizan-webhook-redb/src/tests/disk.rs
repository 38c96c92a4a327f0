//! A file in memory, that fails when it is told to, and knows what would be there after a crash.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use bartizan_core::Chance;
use redb::StorageBackend;

use crate::file::Opener;

#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<State>);

#[derive(Debug)]
struct State {
    written: Mutex<Vec<u8>>,
    synced: Mutex<Vec<u8>>,
    /// How many writes and syncs work from now on.
    working: AtomicU64,
    /// A gate, and whoever writes goes through it.
    is_closed: Mutex<bool>,
    opened: Condvar,
    is_held_up: AtomicBool,
}

impl Default for State {
    fn default() -> Self {
        let working = AtomicU64::new(u64::MAX);
        let (written, synced, is_closed) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (opened, is_held_up) = (Condvar::new(), AtomicBool::new(false));
        Self { written, synced, working, is_closed, opened, is_held_up }
    }
}

impl Disk {
    pub(super) fn opener(&self) -> Opener {
        let disk = self.clone();
        Box::new(move || {
            redb::Builder::new().create_with_file_format_v3(true).create_with_backend(disk.clone())
        })
    }

    pub(super) fn fail_after(&self, working: u64) {
        self.0.working.store(working, Ordering::SeqCst);
    }

    pub(super) fn mend(&self) {
        self.fail_after(u64::MAX);
    }

    /// Another one, with what was synced.
    pub(super) fn after_a_crash(&self) -> Self {
        let synced = self.0.synced.lock().unwrap().clone();
        let (written, synced) = (Mutex::new(synced.clone()), Mutex::new(synced));
        Self(Arc::new(State { written, synced, ..State::default() }))
    }

    /// Changes some bytes here and there, and now and then one of the header.
    pub(super) fn damage(&self, chance: &Chance) {
        let mut written = self.0.written.lock().unwrap();
        // Most of a young file is empty.
        let used: Vec<_> = (0..written.len()).filter(|place| written[*place] != 0).collect();
        for n in 0..50 {
            let end = if n == 0 { 100 } else { used.len() as u64 };
            let place = used[(chance.next_u64() % end) as usize];
            written[place] = chance.next_u64() as u8;
        }
    }

    /// Nothing is written until it is released.
    pub(super) fn hold(&self) {
        self.0.is_held_up.store(false, Ordering::SeqCst);
        *self.0.is_closed.lock().unwrap() = true;
    }

    pub(super) fn release(&self) {
        *self.0.is_closed.lock().unwrap() = false;
        self.0.opened.notify_all();
    }

    /// Ready once somebody tried to write since then.
    pub(super) async fn is_held_up(&self) {
        while !self.0.is_held_up.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }

    fn works(&self) -> io::Result<()> {
        self.0.is_held_up.store(true, Ordering::SeqCst);
        let is_closed = self.0.is_closed.lock().unwrap();
        drop(self.0.opened.wait_while(is_closed, |is_closed| *is_closed).unwrap());
        let used = |working: u64| working.checked_sub(1);
        match self.0.working.fetch_update(Ordering::SeqCst, Ordering::SeqCst, used) {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::other("no space left on device")),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.written.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let written = self.0.written.lock().unwrap();
        let place = offset as usize..(offset as usize).saturating_add(length);
        written.get(place).map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.works()?;
        self.0.written.lock().unwrap().resize(length as usize, 0);
        Ok(())
    }

    fn sync_data(&self, _eventual: bool) -> io::Result<()> {
        self.works()?;
        let written = self.0.written.lock().unwrap();
        self.0.synced.lock().unwrap().clone_from(&written);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.works()?;
        let mut written = self.0.written.lock().unwrap();
        written[offset as usize..][..data.len()].copy_from_slice(data);
        Ok(())
    }
}
