use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};

/// Two seeded hashes at once, fed in pieces that are as long as may be, since each piece has its price.
pub(super) struct Digest {
    hashers: [DefaultHasher; 2],
    piece: [u8; 128],
    filled: usize,
}

impl Digest {
    pub(super) fn new(hashing: &[RandomState; 2]) -> Self {
        Self { hashers: hashing.each_ref().map(BuildHasher::build_hasher), piece: [0; 128], filled: 0 }
    }

    /// With its length, so that no two sequences of texts are the same bytes.
    pub(super) fn text(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.put(bytes, |_| ());
    }

    /// As [`text`](Self::text), in lower case.
    pub(super) fn lower(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.put(bytes, <[u8]>::make_ascii_lowercase);
    }

    pub(super) fn number(&mut self, number: u64) {
        self.put(&number.to_le_bytes(), |_| ());
    }

    pub(super) fn finish(mut self) -> u128 {
        self.flush();
        let [high, low] = self.hashers.map(|hasher| u128::from(hasher.finish()));
        high << 64 | low
    }

    fn put(&mut self, mut bytes: &[u8], change: impl Fn(&mut [u8])) {
        while !bytes.is_empty() {
            if self.filled == self.piece.len() {
                self.flush();
            }
            let room = &mut self.piece[self.filled..];
            let (now, rest) = bytes.split_at(room.len().min(bytes.len()));
            room[..now.len()].copy_from_slice(now);
            change(&mut room[..now.len()]);
            self.filled += now.len();
            bytes = rest;
        }
    }

    fn flush(&mut self) {
        for hasher in &mut self.hashers {
            hasher.write(&self.piece[..self.filled]);
        }
        self.filled = 0;
    }
}
