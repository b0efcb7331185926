//! What the examples of the OpenAPI document have in common.
//!
//! A type that has an example makes it in a function `example`, in the file `example.rs` of its
//! aggregate: the compiler keeps it in step with the type. The examples are of one organization and
//! refer to each other, so that a client can send them one after the other.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use uuid::{Uuid, uuid};

pub(crate) const USER: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000001");
pub(crate) const SESSION: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000002");
pub(crate) const MEMBER: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000003");
pub(crate) const CATEGORY: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000004");
pub(crate) const PROJECT: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000005");
pub(crate) const TASK: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000006");
pub(crate) const TIME_ENTRY: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000007");
pub(crate) const EXPENSE: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000008");
pub(crate) const BUDGET: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000009");
pub(crate) const BANK: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000a");
pub(crate) const MATERIALS: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000b");
pub(crate) const JOURNAL_ENTRY: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000c");
pub(crate) const WEBHOOK: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000d");
pub(crate) const RULE: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000e");
pub(crate) const ORGANIZATION: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000f");
pub(crate) const RATE: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000010");
pub(crate) const INVITATION: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000011");
pub(crate) const API_KEY: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000012");
pub(crate) const TIMECARD: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000013");
pub(crate) const DAILY_REPORT: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000014");
pub(crate) const INCIDENT: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000015");
pub(crate) const SAGA: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000016");

/// A Monday.
pub(crate) fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 16).unwrap_or_default()
}

/// An hour of that day.
pub(crate) fn at(hour: i64) -> DateTime<Utc> {
    day().and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(hour)
}

/// A text, if a field takes none as well.
pub(crate) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}
