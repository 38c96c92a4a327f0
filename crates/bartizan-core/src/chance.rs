use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The one source of chance for jitter and sampling: seedable, shared by clones, one atomic addition a draw.
///
/// Not for secrets, keys or nonces; those come from the operating system.
///
/// It is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): a counter that steps by
/// the golden ratio, then a mixer. Since the state is a counter, threads share it without a lock and never draw the
/// same number twice in 2^64 draws.
///
/// ```
/// use bartizan_core::Chance;
///
/// let (a, b) = (Chance::from_seed(7), Chance::from_seed(7));
/// assert_eq!(a.next_u64(), b.next_u64());
/// assert!((0.0..1.0).contains(&a.unit()));
/// ```
#[derive(Clone, Debug)]
pub struct Chance {
    counter: Arc<AtomicU64>,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Chance {
    /// Seeded from the operating system, so that no two processes draw in step.
    #[allow(clippy::disallowed_methods, reason = "the one place that seeds chance")]
    pub fn from_os() -> Self {
        Self::from_seed(RandomState::new().hash_one(0_u8))
    }

    /// The sequence that belongs to `seed`.
    pub fn from_seed(seed: u64) -> Self {
        Self { counter: Arc::new(AtomicU64::new(seed)) }
    }

    /// The next 64 bits.
    pub fn next_u64(&self) -> u64 {
        mix(self.counter.fetch_add(GOLDEN, Ordering::Relaxed).wrapping_add(GOLDEN))
    }

    /// The next number in `[0, 1)`, with 53 bits of resolution.
    pub fn unit(&self) -> f64 {
        // The upper 53 bits: as many as an f64 holds exactly.
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Default for Chance {
    fn default() -> Self {
        Self::from_os()
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sequence() {
        // The first outputs of SplitMix64 for the seed 1234567, as published with the algorithm on Rosetta Code.
        let chance = Chance::from_seed(1_234_567);
        let drawn: Vec<u64> = (0..5).map(|_| chance.next_u64()).collect();
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821
            ]
        );
    }

    #[test]
    fn units_are_uniform() {
        let chance = Chance::from_seed(1);
        let draws: Vec<f64> = (0..100_000).map(|_| chance.unit()).collect();
        assert!(draws.iter().all(|u| (0.0..1.0).contains(u)));
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let deviation = (draws.iter().map(|u| (u - mean).powi(2)).sum::<f64>() / draws.len() as f64).sqrt();
        assert!((mean - 0.5).abs() < 0.005, "mean {mean}");
        assert!((deviation - 12.0_f64.sqrt().recip()).abs() < 0.005, "deviation {deviation}");
    }

    #[test]
    fn clones_share_one_sequence() {
        let (a, alone) = (Chance::from_seed(3), Chance::from_seed(3));
        let b = a.clone();
        assert_eq!([a.next_u64(), b.next_u64()], [alone.next_u64(), alone.next_u64()]);
        assert_ne!(Chance::from_os().next_u64(), Chance::from_os().next_u64());
    }
}
