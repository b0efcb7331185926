//! Routes of projects, tasks, time, daily reports and incidents.

pub(crate) mod daily_report;
pub(crate) mod incident;
pub(crate) mod project;
pub(crate) mod task;
pub(crate) mod time_entry;
pub(crate) mod timecard;
