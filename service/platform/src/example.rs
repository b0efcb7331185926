//! What the examples of the OpenAPI document have in common.
//!
//! A type that has an example makes it in a function `example`, in the file `example.rs` of its
//! aggregate: the compiler keeps it in step with the type. The examples are of one organization and
//! refer to each other, so that a client can send them one after the other.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use uuid::{Uuid, uuid};

/// The user.
pub const USER: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000001");
/// The session.
pub const SESSION: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000002");
/// The member.
pub const MEMBER: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000003");
/// The category.
pub const CATEGORY: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000004");
/// The project.
pub const PROJECT: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000005");
/// The task.
pub const TASK: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000006");
/// The time entry.
pub const TIME_ENTRY: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000007");
/// The expense.
pub const EXPENSE: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000008");
/// The budget.
pub const BUDGET: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000009");
/// The account of the bank.
pub const BANK: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000a");
/// The account of the materials.
pub const MATERIALS: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000b");
/// The journal entry.
pub const JOURNAL_ENTRY: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000c");
/// The webhook.
pub const WEBHOOK: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000d");
/// The rule.
pub const RULE: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000e");
/// The organization.
pub const ORGANIZATION: Uuid = uuid!("019a8b20-4c00-7a10-8000-00000000000f");
/// The rate.
pub const RATE: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000010");
/// The invitation.
pub const INVITATION: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000011");
/// The API key.
pub const API_KEY: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000012");
/// The timecard.
pub const TIMECARD: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000013");
/// The daily report.
pub const DAILY_REPORT: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000014");
/// The incident.
pub const INCIDENT: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000015");
/// The saga.
pub const SAGA: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000016");
/// The collection.
pub const COLLECTION: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000018");
/// The meter.
pub const METER: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000019");

/// The attachment.
pub const ATTACHMENT: Uuid = uuid!("019a8b20-4c00-7a10-8000-000000000019");

/// A Monday.
pub fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 16).unwrap_or_default()
}

/// An hour of that day.
pub fn at(hour: i64) -> DateTime<Utc> {
    day().and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(hour)
}

/// A text, if a field takes none as well.
pub fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}
