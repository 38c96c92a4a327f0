//! Where tokens are kept beyond the process.

use std::sync::Arc;
use std::time::Duration;

use bartizan_auth::{Held, SavedToken, Stored, TokenStore};
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::world::World;

/// As one process sees it.
pub struct Disk {
    pub world: World,
    /// If there is one.
    pub lock: Option<Arc<Mutex<()>>>,
}

/// What the disk does at present.
#[derive(Clone, Copy)]
pub struct Mood {
    pub loads: bool,
    pub saves: bool,
    pub takes: Duration,
}

impl Mood {
    pub const WELL: Self = Self { loads: true, saves: true, takes: Duration::ZERO };
}

impl TokenStore for Disk {
    fn load(&self) -> Stored<Option<SavedToken>> {
        let world = self.world.clone();
        world.flight();
        Box::pin(async move {
            let mood = world.lock().mood;
            sleep(mood.takes.min(Duration::from_secs(1))).await;
            let mut state = world.lock();
            if !mood.loads {
                return Err("unreadable".into());
            }
            if state.saved.is_some() {
                state.happened("found");
            }
            Ok(state.saved.clone())
        })
    }

    fn save(&self, token: &SavedToken) -> Stored<()> {
        let (world, token) = (self.world.clone(), token.clone());
        Box::pin(async move {
            let mood = world.lock().mood;
            sleep(mood.takes).await;
            let mut state = world.lock();
            state.happened(if mood.saves { "saved" } else { "not saved" });
            if !mood.saves {
                return Err("full".into());
            }
            state.saved = Some(token);
            Ok(())
        })
    }

    fn lock(&self) -> Stored<Held> {
        let lock = self.lock.clone();
        self.world.flight();
        Box::pin(async move {
            match lock {
                Some(lock) => Ok(Box::new(lock.lock_owned().await) as Held),
                None => Ok(Box::new(()) as Held),
            }
        })
    }
}
