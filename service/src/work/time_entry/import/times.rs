//! When a row was: its start, end, duration and breaks, by whichever of its columns say so.

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
    csv::{Cells, Column, RowError},
    work::time_entry::{Break, rules},
    zone::Zone,
};

/// How many minutes a day has at most.
const MINUTES_PER_DAY: i64 = 24 * 60;

/// From when to when, or how many minutes of a day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum When {
    Between(DateTime<Utc>, DateTime<Utc>),
    On(NaiveDate, i64),
}

/// When it was, and its breaks; nothing where it is to be left out.
pub(super) type Times = Option<(When, Vec<Break>)>;

pub(super) fn when(
    cells: &Cells<'_>,
    columns: &Columns<'_>,
    import: &TimeImport,
) -> Result<Times, RowError> {
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
    let day = cells.day(date, format, false)?;
    let end_day = match columns.end_date {
        Some(column) if cells.optional(Some(column), 100)?.is_some() => {
            Some(cells.day(column, format, false)?)
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
