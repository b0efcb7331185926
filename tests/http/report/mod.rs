//! Reports: spending, hours, what projects cost.

mod hours;
mod job_cost;
mod spending;
