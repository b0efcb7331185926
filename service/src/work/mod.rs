//! Projects, tasks, time, daily reports and incidents.

pub mod daily_report;
pub mod incident;
mod misdated;
pub mod project;
pub mod redating;
pub mod task;
pub mod time_entry;
pub mod timecard;
