/// Choices that are the same for the same seed (splitmix64).
#[derive(Debug, Clone)]
pub(super) struct Choice(u64);

impl Choice {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True so many times in a hundred.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(super) fn of<T: Clone>(&mut self, some: &[T]) -> T {
        some[self.index(some.len())].clone()
    }

    /// One of these, if there are any.
    pub(super) fn maybe_of<T: Clone>(&mut self, some: &[T]) -> Option<T> {
        (!some.is_empty()).then(|| self.of(some))
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }
}
