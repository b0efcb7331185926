//! `seq`: how far a client has come in the changes of a collection.

use std::fmt;

use serde_json::Value;

/// A place among the changes of a collection, `TOLD-POSITION`, as CouchDB has them: a number to show how far one has
/// come, and what the server needs to go on. The position alone decides what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seq {
    /// How many changes a client has been told on its way there, from the beginning or from where it has begun.
    pub told: u64,
    /// The position of the organization's log up to which that goes.
    pub position: i64,
}

impl Seq {
    /// Before the first change.
    pub const START: Self = Self::from_position(0);

    /// A position from where on is counted.
    pub const fn from_position(position: i64) -> Self {
        Self { told: 0, position }
    }

    /// One that was told, or a position alone; none where it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (told, position) = text.split_once('-').unwrap_or(("0", text));
        let (told, position): (u64, i64) = (told.parse().ok()?, position.parse().ok()?);
        // Every change has a position of its own.
        (told <= u64::try_from(position).ok()?).then_some(Self { told, position })
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.told, self.position)
    }
}

impl From<Seq> for Value {
    fn from(seq: Seq) -> Self {
        Self::String(seq.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_read_again() {
        let seq = Seq { told: 3, position: 4711 };
        assert_eq!(seq.to_string(), "3-4711");
        assert_eq!(Seq::parse("3-4711"), Some(seq));
        assert_eq!(Seq::parse("4711"), Some(Seq::from_position(4711)));
        assert_eq!(Seq::parse("0"), Some(Seq::START));
        for wrong in ["", "-", "-1", "3-", "3--1", "x-1", "1-2-3", "4-3", "1-99999999999999999999"]
        {
            assert_eq!(Seq::parse(wrong), None, "{wrong}");
        }
    }
}
