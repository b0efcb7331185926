//! The rows of a file, each by itself: what it says of when, who, what and for what.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    TimeImport, Zero,
    clock::{self, Fault, Hands, between, pair, since},
    columns::Columns,
    length::Length,
    pauses::Pauses,
};
use crate::{
    csv::{self, Cells, Column, Keys, RowError, Sheet},
    error::Result,
    text::{self, fold},
    work::time_entry::{Break, rules},
    zone::Zone,
};

/// How many rows a file has at most: all of them are compared with what is there at once.
const MAX_ROWS: usize = 10_000;
/// How many tags an entry has at most.
const MAX_TAGS: usize = 20;
/// How many minutes a day has at most.
const MINUTES_PER_DAY: i64 = 24 * 60;

/// What a row says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Parsed {
    pub(super) line: u64,
    pub(super) person: Person,
    pub(super) project: Option<Named>,
    pub(super) task: Option<String>,
    pub(super) when: When,
    pub(super) breaks: Vec<Break>,
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

/// What a file says.
#[derive(Debug)]
pub(super) struct File {
    /// Its rows, each good or bad.
    pub(super) rows: Vec<Result<Parsed, RowError>>,
    /// How many were left out, as was asked for.
    pub(super) skipped: u64,
    /// Its columns of which nothing was read.
    pub(super) ignored_columns: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// [`crate::Error::Invalid`] where it cannot be read as a whole.
pub(super) fn read(import: &TimeImport) -> Result<File> {
    let (mut sheet, header) = Sheet::open(&import.path, import.query.delimiter)?;
    let (columns, ignored_columns) = Columns::find(header, &import.query)?;
    let mut keys = Keys::default();
    let (mut rows, mut skipped) = (Vec::new(), 0);
    while let Some(cells) = sheet.row()? {
        if rows.len() == MAX_ROWS {
            return Err(csv::too_many_rows(MAX_ROWS as u64));
        }
        match parse(&cells, &columns, import, &mut keys).transpose() {
            Some(row) => rows.push(row),
            None => skipped += 1,
        }
    }
    Ok(File { rows, skipped, ignored_columns })
}

/// What a row says; nothing where it is to be left out.
fn parse(
    cells: &Cells<'_>,
    columns: &Columns<'_>,
    import: &TimeImport,
    keys: &mut Keys,
) -> Result<Option<Parsed>, RowError> {
    cells.check_width()?;
    let person = person(cells, columns)?;
    let project = project(cells, columns)?;
    let task = trimmed(cells, columns.task, 200)?;
    let Some((when, breaks)) = when(cells, columns, import)? else { return Ok(None) };
    let billable = billable(cells, columns.billable, import.query.billable_true.as_deref())?;
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
        breaks,
        billable,
        note: note.map(str::to_owned),
        tags,
        key: String::new(),
    };
    parsed.key = parsed.next_key(import, keys);
    Ok(Some(parsed))
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
        // Those without breaks have the keys that they had before breaks were read.
        let breaks: Vec<_> = self.breaks.iter().map(shown).collect();
        let said = [
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
        ];
        keys.next(said.into_iter().chain(breaks.iter().map(|it| Some(it.as_str()))))
    }
}

fn shown(pause: &Break) -> String {
    format!("{}/{}", pause.started_at.to_rfc3339(), pause.ended_at.to_rfc3339())
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
        return Err(cells.bad(columns.last_name, "length", "must have at most 100 characters"));
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

fn billable(
    cells: &Cells<'_>,
    column: Option<Column<'_>>,
    true_words: Option<&str>,
) -> Result<bool, RowError> {
    let Some(text) = cells.optional(column, 100)? else { return Ok(false) };
    let word = fold(text.trim());
    if let Some(words) = true_words {
        return Ok(words.split(',').any(|other| fold(other.trim()) == word));
    }
    match &*word {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(cells.bad(
            column,
            "billable",
            "must be Yes, No, true, false, 1 or 0; billable_true= sets the words that mean yes",
        )),
    }
}

/// The tags, of those that differ only in case the first one.
fn tags(cells: &Cells<'_>, column: Option<Column<'_>>) -> Result<Vec<String>, RowError> {
    let text = cells.optional(column, 2000)?.unwrap_or_default();
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        let is_bad =
            |_| cells.bad(column, "tags", "must not have a tag of more than 50 characters");
        text::tag(tag).map_err(is_bad)?;
        if !tags.iter().any(|other| fold(other) == fold(tag)) {
            tags.push(tag.to_owned());
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(cells.bad(column, "tags", format!("must have at most {MAX_TAGS} tags")));
    }
    Ok(tags)
}

/// When it was, and its breaks; nothing where it is to be left out.
type Times = Option<(When, Vec<Break>)>;

fn when(cells: &Cells<'_>, columns: &Columns<'_>, import: &TimeImport) -> Result<Times, RowError> {
    let row = Row { cells, columns, import };
    let length = row.length()?;
    let pauses = row.pauses()?;
    let pause = pauses.as_ref().map_or(TimeDelta::zero(), Pauses::total);
    let start = row.instant(columns.started_at)?;
    let end = row.instant(columns.ended_at)?;
    match (start, end) {
        (Some(start), Some(end)) => {
            return row.timed(pair(&[start], &[end], length, pause), pauses.as_ref());
        }
        (Some(start), None) => {
            let found = length.ok_or(Fault::Endless).and_then(|long| since(start, long, pause));
            return row.timed(found, pauses.as_ref());
        }
        (None, Some(_)) => {
            return Err(cells.bad(
                columns.started_at,
                "required",
                "is required if there is an end",
            ));
        }
        (None, None) => {}
    }
    let Some(date) = columns.start_date else {
        return Err(cells.bad(columns.started_at, "required", "is required"));
    };
    let format = import.query.date_format.as_deref();
    let day = cells.day(date, format)?;
    let end_day = match columns.end_date {
        Some(column) if cells.optional(Some(column), 100)?.is_some() => {
            Some(cells.day(column, format)?)
        }
        _ => None,
    };
    match (row.time(columns.start_time)?, row.time(columns.end_time)?) {
        (Some(start), end) => {
            let ends = end.map_or(Vec::new(), |end| ends((day, start), end_day, end, length));
            row.timed(between(import.zone, start.on(day), &ends, length, pause), pauses.as_ref())
        }
        (None, Some(_)) => {
            Err(cells.bad(columns.start_time, "required", "is required if there is an end"))
        }
        (None, None) if pauses.is_some_and(|pauses| !pauses.total().is_zero()) => {
            Err(cells.bad(columns.breaks, "breaks", "must not be set without start and end"))
        }
        (None, None) => of_day(cells, columns, import, (day, end_day), length),
    }
}

/// When it may end. Where the day is not said, that is the day of the start. What would not be later than
/// the start then is on the next day: unless the clock, put back in between, makes it later after all. The same time
/// again is not taken for a day, unless the row says that it was one.
fn ends(
    (day, start): (NaiveDate, Hands),
    end_day: Option<NaiveDate>,
    end: Hands,
    length: Option<Length>,
) -> Vec<NaiveDateTime> {
    if let Some(day) = end_day {
        return vec![end.on(day)];
    }
    let (start, same) = (start.on(day), end.on(day));
    let is_a_day = length.is_some_and(|length| !length.is_zero());
    if same > start || (same == start && !is_a_day) {
        return vec![same];
    }
    let next = day.succ_opt().map(|day| end.on(day));
    [same].into_iter().chain(next).collect()
}

/// A row that is being read.
struct Row<'a> {
    cells: &'a Cells<'a>,
    columns: &'a Columns<'a>,
    import: &'a TimeImport,
}

impl Row<'_> {
    fn mark(&self) -> char {
        self.import.query.decimal_separator.unwrap_or('.')
    }

    fn time(&self, column: Option<Column<'_>>) -> Result<Option<Hands>, RowError> {
        let Some(text) = self.cells.optional(column, 100)? else { return Ok(None) };
        let bad = || self.cells.bad(column, "time", "must be a time such as 21:05 or 9:05 PM");
        clock::clock(text).map(Some).ok_or_else(bad)
    }

    fn instant(&self, column: Option<Column<'_>>) -> Result<Option<DateTime<Utc>>, RowError> {
        let Some(text) = self.cells.optional(column, 100)? else { return Ok(None) };
        let at = DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| at.to_utc());
        let message = "must be a time such as 2026-11-16T08:00:00Z, with microseconds at most";
        let bad = || self.cells.bad(column, "instant", message);
        at.filter(|at| rules::instant(at).is_ok()).map(Some).ok_or_else(bad)
    }

    fn length(&self) -> Result<Option<Length>, RowError> {
        let column = self.columns.duration;
        let Some(text) = self.cells.optional(column, 100)? else { return Ok(None) };
        let message = "must be a duration such as 1:30:00, 1h 30m, PT1H30M, or 1.5 for hours";
        let bad = || self.cells.bad(column, "duration", message);
        Length::parse(text, self.mark()).map(Some).ok_or_else(bad)
    }

    fn pauses(&self) -> Result<Option<Pauses>, RowError> {
        let column = self.columns.breaks;
        let Some(text) = self.cells.optional(column, 5000)? else { return Ok(None) };
        let message = "must be breaks such as 12:00-12:30, 15:00-15:15, or a duration";
        let bad = || self.cells.bad(column, "breaks", message);
        Pauses::read(text, self.mark()).map(Some).ok_or_else(bad)
    }

    /// What comes of a time that was found, or was not.
    fn timed(
        &self,
        found: Result<(DateTime<Utc>, DateTime<Utc>), Fault>,
        pauses: Option<&Pauses>,
    ) -> Result<Times, RowError> {
        let (start, end) = match (found, self.import.query.zero) {
            (Err(Fault::Empty(_)), Some(Zero::Skip)) => return Ok(None),
            (Err(Fault::Empty(at)), Some(Zero::Keep)) => (at, at),
            (found, _) => found.map_err(|fault| self.refused(fault))?,
        };
        let breaks = pauses.map(|it| it.within(self.import.zone, start, end));
        let message = "must be within the time of the entry, and each on one possible day";
        match breaks {
            None => Ok(Some((When::Between(start, end), Vec::new()))),
            Some(Some(breaks)) => Ok(Some((When::Between(start, end), breaks))),
            Some(None) => Err(self.cells.bad(self.columns.breaks, "breaks", message)),
        }
    }

    fn refused(&self, fault: Fault) -> RowError {
        let Self { cells, columns, import } = self;
        let zone: Zone = import.zone;
        let left_out = format!("does not exist in {zone}, where the clock is set forward");
        let end = columns.ended_at.or(columns.end_time);
        // Which of the two the row has said.
        let said = |column| matches!(cells.optional(column, 100), Ok(Some(_)));
        let ended = [columns.ended_at, columns.end_time].into_iter().find(|it| said(*it)).flatten();
        match fault {
            Fault::StartLeftOut => cells.bad(columns.start_time, "time_gap", left_out),
            Fault::EndLeftOut => cells.bad(columns.end_time, "time_gap", left_out),
            Fault::Order => {
                cells.bad(ended.or(columns.duration), "order", "must be later than the start")
            }
            Fault::Empty(_) => {
                let message = "must be later than the start; zero=skip skips rows without \
                               duration, zero=keep keeps them";
                cells.bad(ended.or(columns.duration), "order", message)
            }
            Fault::Disagrees => cells.bad(
                columns.duration,
                "duration_differs",
                "must be the time from start to end",
            ),
            Fault::Precision => {
                let message = "must be a whole number of seconds";
                cells.bad(columns.duration, "duration_precision", message)
            }
            Fault::Endless => {
                let column = end.or(columns.duration);
                cells.bad(column, "required", "is required: an end or a duration")
            }
        }
    }
}

/// A day on which nobody noted from when to when.
fn of_day(
    cells: &Cells<'_>,
    columns: &Columns<'_>,
    import: &TimeImport,
    (day, end_day): (NaiveDate, Option<NaiveDate>),
    length: Option<Length>,
) -> Result<Times, RowError> {
    let bad = |code, message| Err(cells.bad(columns.duration, code, message));
    let Some(length) = length else {
        return bad("required", "is required if there are no times");
    };
    if end_day.is_some_and(|end| end != day) {
        let message = "must be the day of the start if there are no times";
        return Err(cells.bad(columns.end_date, "date", message));
    }
    if length.is_zero() && import.query.zero == Some(Zero::Skip) {
        return Ok(None);
    }
    let rounded = import.query.round_to_minutes.then(|| length.nearest_minutes());
    match length.minutes().or(rounded) {
        None => bad(
            "duration_precision",
            "must be a whole number of minutes; round_to_minutes=true rounds to the nearest",
        ),
        Some(minutes) if !(1..=MINUTES_PER_DAY).contains(&minutes) => bad(
            "duration_range",
            "must be more than 0 and at most 24 hours; zero=skip skips rows of 0",
        ),
        Some(minutes) => Ok(Some((When::On(day, minutes), Vec::new()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From when to when a row without the day of its end was, in Vienna.
    fn found(day: &str, start: &str, end: &str, length: &str) -> Result<(String, i64), Fault> {
        let day = day.parse().expect("a day");
        let [start, end] = [start, end].map(|text| clock::clock(text).expect("a time"));
        let length = Length::parse(length, '.');
        let ends = ends((day, start), None, end, length);
        let zone = "Europe/Vienna".parse().expect("a time zone");
        let (from, to) = between(zone, start.on(day), &ends, length, TimeDelta::zero())?;
        Ok((from.to_rfc3339(), (to - from).num_seconds()))
    }

    #[test]
    fn an_end_without_a_day_is_on_that_of_the_start_or_on_the_next() {
        for (day, start, end, length, from, seconds) in [
            ("2026-11-16", "9:00", "10:00", "", "2026-11-16T08:00:00+00:00", 3600),
            ("2026-11-16", "22:00", "6:00", "", "2026-11-16T21:00:00+00:00", 28_800),
            ("2026-11-16", "22:00", "24:00", "2:00", "2026-11-16T21:00:00+00:00", 7200),
            ("2026-11-16", "24:00", "1:00", "", "2026-11-16T23:00:00+00:00", 3600),
            ("2026-11-16", "10:23", "10:23", "24:00:00", "2026-11-16T09:23:00+00:00", 86_400),
            // The hour that comes twice.
            ("2026-10-25", "2:45", "2:15", "0:30", "2026-10-25T00:45:00+00:00", 1800),
            ("2026-10-25", "2:45", "2:15", "", "2026-10-25T00:45:00+00:00", 1800),
            ("2026-10-25", "2:45", "2:15", "24:30", "2026-10-25T00:45:00+00:00", 88_200),
        ] {
            let expected = Ok((from.to_owned(), seconds));
            assert_eq!(found(day, start, end, length), expected, "{start} {end} {length}");
        }
        for (start, end, length) in
            [("10:23", "10:23", ""), ("10:23", "10:23", "0:00"), ("24:00", "24:00", "")]
        {
            let fault = found("2026-11-16", start, end, length);
            assert!(matches!(fault, Err(Fault::Empty(_))), "{fault:?}");
        }
        assert_eq!(found("2026-11-16", "10:23", "10:23", "1:00"), Err(Fault::Disagrees));
    }
}
