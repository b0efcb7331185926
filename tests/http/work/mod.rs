//! Work: projects, tasks, time, daily reports, incidents.

mod crew_hours;
mod daily_report;
pub(crate) mod incident;
mod project;
mod task;
pub(crate) mod time_entry;
mod time_zones;
mod timecard;
