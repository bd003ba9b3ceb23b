//! Chance that can be had again: the same seed gives the same plan.

/// A stream of numbers (`SplitMix64`).
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit, which is not 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// One of several, if there are any.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = self.below(from.len().max(1) as u64);
        from.get(usize::try_from(index).unwrap_or_default())
    }

    /// Takes one of several away.
    pub(super) fn take<T>(&mut self, from: &mut Vec<T>) -> Option<T> {
        let index = self.below(from.len().max(1) as u64);
        let index = usize::try_from(index).unwrap_or_default();
        (index < from.len()).then(|| from.swap_remove(index))
    }

    /// Another stream, for somebody who draws at a pace of their own.
    pub(super) fn fork(&mut self) -> Self {
        Self(self.next())
    }
}
