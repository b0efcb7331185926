//! Rows that were written with other rules of time zones than those of today, as their aggregates tell of them.

mod zones;

use uuid::Uuid;

pub(crate) use zones::Zones;

/// What of a row comes of the rules of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The days of an entry of time, with their seconds, and when it begins.
    Days,
    /// When a task of a series is due.
    DueAt,
    /// Where a task stands among those that are due.
    DueKey,
}

impl Field {
    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::DueAt => "due_at",
            Self::DueKey => "due_key",
        }
    }
}

/// What a row has and what it would have.
#[derive(Debug)]
pub(crate) struct Misdated {
    pub(crate) id: Uuid,
    pub(crate) field: Field,
    pub(crate) stored: String,
    pub(crate) right: String,
}

/// Some rows in the order of their ids: how many there were, the last one, and those that differ.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) checked: u64,
    pub(crate) last: Option<Uuid>,
    pub(crate) misdated: Vec<Misdated>,
}
