//! A digest of a set of readings, whatever their order: the sum of a hash of each. That of all readings of a meter is
//! the sum of those of its events. It shows what was lost or changed; who can choose readings can find two sets with
//! one digest, which the chain of the log is there for.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::meter::consumption::Point;

/// The digest: 256 bits, from the lowest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Digest([u64; 4]);

impl Digest {
    pub(super) fn of<'a>(points: impl IntoIterator<Item = &'a Point>) -> Self {
        let mut digest = Self::default();
        points.into_iter().for_each(|point| digest.add(point));
        digest
    }

    pub(super) fn add(&mut self, point: &Point) {
        *self = self.plus(hash(point));
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let mut sum = self;
        let mut carry = false;
        for (word, other) in sum.0.iter_mut().zip(other.0) {
            let (once, first) = word.overflowing_add(other);
            let (twice, second) = once.overflowing_add(carry.into());
            (*word, carry) = (twice, first || second);
        }
        sum
    }

    pub(super) fn minus(self, other: Self) -> Self {
        // In two's complement.
        self.plus(Self(other.0.map(|word| !word))).plus(Self([1, 0, 0, 0]))
    }

    /// From what was written.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut digest = Self::default();
        if text.len() != 64 {
            return None;
        }
        for (index, word) in digest.0.iter_mut().rev().enumerate() {
            *word = u64::from_str_radix(text.get(index * 16..index * 16 + 16)?, 16).ok()?;
        }
        Some(digest)
    }
}

fn hash(point: &Point) -> Digest {
    let hash =
        Sha256::new().chain_update(point.at.to_be_bytes()).chain_update(point.value.to_be_bytes());
    let hash = hash.finalize();
    let mut digest = Digest::default();
    for (word, bytes) in digest.0.iter_mut().rev().zip(hash.chunks(8)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    digest
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn what_is_added_and_removed_leaves_the_rest(
            one in vec(any::<(i64, i64)>(), 0..20), other in vec(any::<(i64, i64)>(), 0..20),
        ) {
            let points = |of: &[(i64, i64)]| -> Vec<Point> {
                of.iter().map(|(at, value)| Point { at: *at, value: *value }).collect()
            };
            let (one, other) = (points(&one), points(&other));
            let both = Digest::of(other.iter().chain(&one));
            prop_assert_eq!(both.minus(Digest::of(&other)), Digest::of(&one));
            prop_assert_eq!(Digest::parse(&both.to_string()), Some(both));
        }
    }
}
