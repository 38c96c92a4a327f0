//! What a 401 costs that does not say why: it may be about the token, or about what was asked for. Pure.

use tokio::time::Instant;

use super::state::{LONGEST_WAIT, wait_after};

#[derive(Default)]
pub(super) struct Doubts {
    in_row: u32,
    /// The next one passes until then.
    until: Option<Instant>,
}

impl Doubts {
    /// Whether one more costs the token that is in use. So often at most as fetches are tried that fail, and after a minute without any from the beginning.
    pub(super) fn cost_a_token(&mut self, now: Instant) -> bool {
        if let Some(until) = self.until {
            if now < until {
                return false;
            }
            let is_long_ago = now.duration_since(until) >= LONGEST_WAIT;
            self.in_row = if is_long_ago { 0 } else { self.in_row.saturating_add(1) };
        }
        self.until = now.checked_add(wait_after(self.in_row));
        true
    }
}
