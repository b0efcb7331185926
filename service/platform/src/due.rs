//! When something that waits is due.
//!
//! The instant until which it waits was written down by a clock that may have been put back since, or
//! was that of another machine. So it is due once that instant has come, and also while it is further
//! off than it can have been put: then that clock was ahead. Nothing waits for a minute more than its own
//! max_wait wait, whatever any clock says.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ExprTrait,
    sea_query::{Condition, Expr},
};

/// By how much the clocks of nodes may differ without anybody being early for it.
const TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// Whether what waits until `at` is due, where no wait is longer than `max_wait`.
pub(crate) fn has_come(at: DateTime<Utc>, now: DateTime<Utc>, max_wait: TimeDelta) -> bool {
    at <= now || latest(now, max_wait).is_some_and(|latest| at > latest)
}

/// Until when something can wait.
fn latest(now: DateTime<Utc>, max_wait: TimeDelta) -> Option<DateTime<Utc>> {
    now.checked_add_signed(max_wait)?.checked_add_signed(TOLERANCE)
}

/// A column beyond that.
pub fn is_beyond(column: Expr, now: DateTime<Utc>, max_wait: TimeDelta) -> Option<Expr> {
    latest(now, max_wait).map(|latest| column.gt(latest.fixed_offset()))
}

/// The same of a column.
pub fn is(column: Expr, now: DateTime<Utc>, max_wait: TimeDelta) -> Condition {
    let come = column.clone().lte(now.fixed_offset());
    Condition::any().add(come).add_option(is_beyond(column, now, max_wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_longer_than_it_can_is_due() {
        let now = DateTime::UNIX_EPOCH;
        let due =
            |seconds| has_come(now + TimeDelta::seconds(seconds), now, TimeDelta::seconds(300));
        assert_eq!(
            [-1, 0, 1, 300, 360, 361, 86_400].map(due),
            [true, true, false, false, false, true, true]
        );
        assert!(!has_come(now + TimeDelta::days(1), now, TimeDelta::MAX));
    }
}
