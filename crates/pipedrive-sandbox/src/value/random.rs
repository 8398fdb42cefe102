//! Random numbers that are the same in each run.

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A `SplitMix64` generator: small, and the same on every machine.
pub(crate) struct Random(u64);

impl Random {
    /// Seeds a generator by a name.
    pub(crate) fn from_name(name: &str) -> Self {
        // FNV-1a.
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }

    /// Seeds a generator by a number, and skips the first `place` draws.
    pub(crate) fn from_seed(seed: u64, place: u64) -> Self {
        Self(seed.wrapping_add(place.wrapping_mul(STEP)))
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn draw_below(&mut self, limit: u64) -> u64 {
        self.draw() % limit
    }

    pub(crate) fn draw_one_in(&mut self, n: u64) -> bool {
        self.draw_below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let index = self.draw_below(items.len() as u64);
        &items[usize::try_from(index).unwrap_or(0)]
    }
}
