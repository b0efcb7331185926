//! The rows of a file, each by itself: what it says of when, who, what and for what.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{
    TimeImport,
    clock::{self, Fault, Length, between},
    columns::Columns,
};
use crate::{
    error::Result,
    import::{self, Cells, Column, Keys, RowError, Sheet},
    text::{self, fold},
};

/// How many rows a file has at most: all of them are compared with what is there at once.
const ROWS: usize = 10_000;
/// How many tags an entry has at most.
const TAGS: usize = 20;
/// How many minutes a day has at most.
const MINUTES: i64 = 24 * 60;

/// What a row says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Parsed {
    pub(super) line: u64,
    pub(super) person: Person,
    pub(super) project: Option<Named>,
    pub(super) task: Option<String>,
    pub(super) when: When,
    pub(super) billable: bool,
    pub(super) note: Option<String>,
    pub(super) tags: Vec<String>,
    /// What tells it from every other row.
    pub(super) key: String,
}

/// Who worked; nobody is named where both are none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
}

/// Which project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) name: Option<String>,
    pub(super) job_number: Option<String>,
    pub(super) client: Option<String>,
}

/// From when to when, or how many minutes of a day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum When {
    Between(DateTime<Utc>, DateTime<Utc>),
    On(NaiveDate, i64),
}

/// Reads a file: its rows, each good or bad.
///
/// # Errors
/// [`Error::Invalid`] where it cannot be read as a whole.
pub(super) fn read(import: &TimeImport) -> Result<Vec<Result<Parsed, RowError>>> {
    let (mut sheet, header) = Sheet::open(&import.path, import.query.delimiter)?;
    let columns = Columns::find(header, &import.query)?;
    let mut keys = Keys::default();
    let mut rows = Vec::new();
    while let Some(cells) = sheet.row()? {
        if rows.len() == ROWS {
            return Err(import::too_many_rows(ROWS as u64));
        }
        rows.push(parse(&cells, &columns, import, &mut keys));
    }
    Ok(rows)
}

fn parse(
    cells: &Cells<'_>,
    columns: &Columns<'_>,
    import: &TimeImport,
    keys: &mut Keys,
) -> Result<Parsed, RowError> {
    cells.check_width()?;
    let person = person(cells, columns)?;
    let project = project(cells, columns)?;
    let task = trimmed(cells, columns.task, 200)?;
    let when = when(cells, columns, import)?;
    let billable = billable(cells, columns.billable)?;
    let note = match columns.description {
        Some(column) => Some(cells.text(column, 5000)?).filter(|text| !text.is_empty()),
        None => None,
    };
    let tags = tags(cells, columns.tags)?;
    let mut parsed = Parsed {
        line: cells.line,
        person,
        project,
        task,
        when,
        billable,
        note: note.map(str::to_owned),
        tags,
        key: String::new(),
    };
    parsed.key = parsed.next_key(import, keys);
    Ok(parsed)
}

impl Parsed {
    fn next_key(&self, import: &TimeImport, keys: &mut Keys) -> String {
        let (one, other) = match self.when {
            When::Between(start, end) => (start.to_rfc3339(), end.to_rfc3339()),
            When::On(day, minutes) => (day.to_string(), minutes.to_string()),
        };
        let Person { name, email } = &self.person;
        let fallback = import.member_id.map(|id| id.to_string());
        let fallback = fallback.filter(|_| name.is_none() && email.is_none());
        let project = self.project.as_ref();
        let tags = self.tags.join(",");
        keys.next([
            Some(one.as_str()),
            Some(&other),
            fallback.as_deref(),
            name.as_deref(),
            email.as_deref(),
            project.and_then(|it| it.name.as_deref()),
            project.and_then(|it| it.job_number.as_deref()),
            project.and_then(|it| it.client.as_deref()),
            self.task.as_deref(),
            self.note.as_deref(),
            Some(&tags),
            Some(if self.billable { "1" } else { "0" }),
        ])
    }
}

/// A cell's text without space around it, if there is any.
fn trimmed(
    cells: &Cells<'_>,
    column: Option<Column<'_>>,
    max: usize,
) -> Result<Option<String>, RowError> {
    Ok(cells.optional(column, max)?.map(|text| text.trim().to_owned()))
}

fn person(cells: &Cells<'_>, columns: &Columns<'_>) -> Result<Person, RowError> {
    let whole = trimmed(cells, columns.user, 100)?;
    let parts = [trimmed(cells, columns.first_name, 100)?, trimmed(cells, columns.last_name, 100)?];
    let joined = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = whole.or_else(|| (!joined.is_empty()).then_some(joined));
    if name.as_ref().is_some_and(|name| name.chars().count() > 100) {
        return Err(cells.bad(columns.last_name, "length", "has more than 100 characters"));
    }
    Ok(Person { name, email: trimmed(cells, columns.email, 200)? })
}

fn project(cells: &Cells<'_>, columns: &Columns<'_>) -> Result<Option<Named>, RowError> {
    let name = trimmed(cells, columns.project, 100)?;
    let job_number = trimmed(cells, columns.job_number, 50)?;
    let client = trimmed(cells, columns.client, 200)?;
    let named = name.is_some() || job_number.is_some();
    Ok(named.then_some(Named { name, job_number, client }))
}

fn billable(cells: &Cells<'_>, column: Option<Column<'_>>) -> Result<bool, RowError> {
    let Some(text) = cells.optional(column, 100)? else { return Ok(false) };
    match &*fold(text) {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(cells.bad(column, "billable", "is none of Yes, No, true, false, 1 and 0")),
    }
}

/// The tags, of those that differ only in case the first one.
fn tags(cells: &Cells<'_>, column: Option<Column<'_>>) -> Result<Vec<String>, RowError> {
    let text = cells.optional(column, 2000)?.unwrap_or_default();
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        let is_bad = |_| cells.bad(column, "tags", "has a tag of more than 50 characters");
        text::tag(tag).map_err(is_bad)?;
        if !tags.iter().any(|other| fold(other) == fold(tag)) {
            tags.push(tag.to_owned());
        }
    }
    if tags.len() > TAGS {
        return Err(cells.bad(column, "tags", format!("has more than {TAGS} tags")));
    }
    Ok(tags)
}

fn when(cells: &Cells<'_>, columns: &Columns<'_>, import: &TimeImport) -> Result<When, RowError> {
    let format = import.query.date_format.as_deref();
    let day = cells.day(columns.start_date, format)?;
    let end_day = match columns.end_date {
        Some(column) if cells.optional(Some(column), 100)?.is_some() => {
            Some(cells.day(column, format)?)
        }
        _ => None,
    };
    let start = time(cells, columns.start_time)?;
    let end = time(cells, columns.end_time)?;
    let length = length(cells, columns.duration, import)?;
    match (start, end) {
        (Some(start), end) => {
            let end = end.map(|time| end_of(day.and_time(start), end_day, time));
            of_clock(cells, columns, import.zone, day.and_time(start), end, length)
        }
        (None, Some(_)) => {
            Err(cells.bad(columns.start_time, "required", "is required beside an end"))
        }
        (None, None) => of_day(cells, columns, import, (day, end_day), length),
    }
}

/// When it ends; where the day is not said, on that of the start or else on the next.
fn end_of(start: NaiveDateTime, day: Option<NaiveDate>, time: NaiveTime) -> NaiveDateTime {
    match day {
        Some(day) => day.and_time(time),
        None if time > start.time() => start.date().and_time(time),
        None => start.date().succ_opt().unwrap_or(start.date()).and_time(time),
    }
}

fn time(cells: &Cells<'_>, column: Option<Column<'_>>) -> Result<Option<NaiveTime>, RowError> {
    let Some(text) = cells.optional(column, 100)? else { return Ok(None) };
    let time = clock::clock(text);
    time.map(Some).ok_or_else(|| cells.bad(column, "time", "is no time such as 21:05 or 9:05 PM"))
}

fn length(
    cells: &Cells<'_>,
    column: Option<Column<'_>>,
    import: &TimeImport,
) -> Result<Option<Length>, RowError> {
    let Some(text) = cells.optional(column, 100)? else { return Ok(None) };
    let length = Length::parse(text, import.query.decimal_separator.unwrap_or('.'));
    length.map(Some).ok_or_else(|| {
        cells.bad(column, "duration", "is no duration such as 1:30:00, or 1.5 for hours")
    })
}

fn of_clock(
    cells: &Cells<'_>,
    columns: &Columns<'_>,
    zone: Tz,
    start: NaiveDateTime,
    end: Option<NaiveDateTime>,
    length: Option<Length>,
) -> Result<When, RowError> {
    let (start, end) = between(zone, start, end, length).map_err(|fault| {
        let left_out = format!("is left out by the clocks of {zone}, which are put forward then");
        match fault {
            Fault::StartLeftOut => cells.bad(columns.start_time, "time_gap", left_out),
            Fault::EndLeftOut => cells.bad(columns.end_time, "time_gap", left_out),
            Fault::Order => {
                let column = columns.end_time.filter(|_| end.is_some()).or(columns.duration);
                cells.bad(column, "order", "must be later than the start")
            }
            Fault::Disagrees => {
                cells.bad(columns.duration, "duration_differs", "is not the time from start to end")
            }
            Fault::Precision => {
                let message = "is no whole number of seconds, and nothing is rounded";
                cells.bad(columns.duration, "duration_precision", message)
            }
            Fault::Endless => {
                let column = columns.end_time.or(columns.duration);
                cells.bad(column, "required", "is required: an end or a duration")
            }
        }
    })?;
    Ok(When::Between(start, end))
}

/// A day on which nobody noted from when to when.
fn of_day(
    cells: &Cells<'_>,
    columns: &Columns<'_>,
    import: &TimeImport,
    (day, end_day): (NaiveDate, Option<NaiveDate>),
    length: Option<Length>,
) -> Result<When, RowError> {
    let bad = |code, message| Err(cells.bad(columns.duration, code, message));
    let Some(length) = length else {
        return bad("required", "is required where there are no times");
    };
    if end_day.is_some_and(|end| end != day) {
        let message = "must be the day of the start where there are no times";
        return Err(cells.bad(columns.end_date, "date", message));
    }
    let rounded = import.query.round_to_minutes.then(|| length.nearest_minutes());
    match length.minutes().or(rounded) {
        None => bad(
            "duration_precision",
            "is no whole number of minutes, and the time of a day is; round_to_minutes=true takes \
             the nearest",
        ),
        Some(minutes) if !(1..=MINUTES).contains(&minutes) => {
            bad("duration_range", "must be more than 0 and at most 24 hours of a day")
        }
        Some(minutes) => Ok(When::On(day, minutes)),
    }
}
