use std::time::Duration;

use bartizan_core::Chance;

/// The waits for an inbox that fails: 1 s, twice as long each time up to 30 s, of which up to a half is taken off by chance.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    chance: Chance,
}

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

impl Backoff {
    pub(super) fn new(chance: Chance) -> Self {
        Self { next: FIRST, chance }
    }

    pub(super) fn wait(&mut self) -> Duration {
        let wait = self.next.mul_f64(1.0 - self.chance.unit() / 2.0);
        self.next = (2 * self.next).min(LONGEST);
        wait
    }

    /// It has worked.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_30_s_and_up_to_a_half_is_taken_off() {
        let mut backoff = Backoff::new(Chance::from_seed(1));
        for longest in [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
            let wait = backoff.wait().as_secs_f64();
            assert!(wait > longest / 2.0 && wait <= longest, "{wait} of {longest}");
        }
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
        let firsts: Vec<_> = (0..1000)
            .map(|_| {
                backoff.reset();
                backoff.wait().as_secs_f64()
            })
            .collect();
        assert!(firsts.iter().any(|&wait| wait < 0.51) && firsts.iter().any(|&wait| wait > 0.99));
    }
}
