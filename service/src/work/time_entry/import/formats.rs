//! The files that time trackers export, known by their headers.

use crate::csv::Header;

/// A parameter of the query, and what its column is called in a format. Of several names the first one that
/// is there.
type Named = (&'static str, &'static [&'static str]);

/// How a program calls its columns.
#[derive(Debug)]
pub(super) struct Format {
    /// All of these there, and the file is such a one.
    marks: &'static [&'static str],
    columns: &'static [Named],
}

impl Format {
    /// The format that a header is of.
    pub(super) fn of(header: &Header) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.marks.iter().all(|mark| header.has(mark)))
    }

    /// Whether a row with these names is the header of a format.
    pub(super) fn is_header(has: impl Fn(&str) -> bool) -> bool {
        FORMATS.iter().any(|format| format.marks.iter().all(|mark| has(mark)))
    }

    /// What the column of a parameter is called, if there is such a column.
    pub(super) fn column(&self, header: &Header, parameter: &str) -> Option<&'static str> {
        let (_, names) = self.columns.iter().find(|(name, _)| *name == parameter)?;
        names.iter().find(|name| header.has(name)).copied()
    }
}

/// Of two formats whose marks are there, the first one: Clockify's are more than Toggl's.
const FORMATS: [Format; 4] = [
    // Clockify, detailed report.
    Format {
        marks: &["Start Date", "Start Time", "Duration (h)"],
        columns: &[
            ("project", &["Project"]),
            ("client", &["Client"]),
            ("task", &["Task"]),
            ("user", &["User"]),
            ("email", &["Email"]),
            ("description", &["Description"]),
            ("tags", &["Tags"]),
            ("billable", &["Billable"]),
            ("start_date", &["Start Date"]),
            ("start_time", &["Start Time"]),
            ("end_date", &["End Date"]),
            ("end_time", &["End Time"]),
            ("duration", &["Duration (h)"]),
        ],
    },
    // Toggl Track, detailed report.
    Format {
        marks: &["Start date", "Start time", "Duration"],
        columns: &[
            ("project", &["Project"]),
            ("client", &["Client"]),
            ("task", &["Task"]),
            ("user", &["User", "Member"]),
            ("email", &["Email"]),
            ("description", &["Description"]),
            ("tags", &["Tags"]),
            ("billable", &["Billable"]),
            ("start_date", &["Start date"]),
            ("start_time", &["Start time"]),
            ("end_date", &["End date", "Stop date"]),
            ("end_time", &["End time", "Stop time"]),
            ("duration", &["Duration"]),
        ],
    },
    // Harvest, detailed time report.
    Format {
        marks: &["Date", "Client", "Project", "Hours"],
        columns: &[
            ("project", &["Project"]),
            ("job_number", &["Project Code"]),
            ("client", &["Client"]),
            ("task", &["Task"]),
            ("first_name", &["First Name"]),
            ("last_name", &["Last Name"]),
            ("email", &["Email"]),
            ("description", &["Notes"]),
            ("billable", &["Billable?"]),
            ("start_date", &["Date"]),
            ("duration", &["Hours"]),
        ],
    },
    // The names of this API.
    Format {
        marks: &["started_at"],
        columns: &[
            ("project", &["project"]),
            ("job_number", &["job_number"]),
            ("client", &["client"]),
            ("task", &["task"]),
            ("user", &["member", "user"]),
            ("email", &["email"]),
            ("description", &["note", "description"]),
            ("tags", &["tags"]),
            ("billable", &["billable"]),
            ("started_at", &["started_at"]),
            ("ended_at", &["ended_at"]),
            ("breaks", &["breaks"]),
            ("duration", &["duration"]),
        ],
    },
];
