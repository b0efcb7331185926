//! Batches of readings as clients send them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{MAX_BATCH, Reading};
use crate::{
    error::{Error, Result, Violation},
    input::{self, DeferredExact, ExactMembers, FromBody},
    meter::decimal::Decimal,
};

/// Readings of one meter.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "items": [
    { "at": "2026-11-16T07:00:00Z", "value": 4711.5 },
    { "at": "2026-11-16T07:15:00Z", "value": 4712.1 },
] })))]
pub struct ReadingBatch {
    /// Readings, 1 to 10000.
    #[validate(length(min = 1, max = 10_000), nested)]
    pub items: Vec<Reading>,
}

impl ExactMembers for ReadingBatch {
    const EXACT: &'static [&'static str] = &["items/*/value"];
}

/// A body with readings, which is read once the meter is found.
#[derive(Debug, Clone)]
pub enum ReadingsBody {
    /// JSON.
    Json(DeferredExact<ReadingBatch>),
    /// JSON, one reading a line.
    JsonLines(Vec<u8>),
    /// CSV.
    Csv(Vec<u8>),
}

impl ReadingsBody {
    /// A batch as JSON.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Invalid`] where it is no object of JSON.
    pub fn of_json(bytes: &[u8]) -> Result<Self> {
        let body = input::parse(bytes, ReadingBatch::EXACT)?;
        DeferredExact::from_body(body).map(Self::Json)
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Invalid`] with pointers by the number of the reading from 0.
    pub fn read(&self) -> Result<Vec<Reading>> {
        match self {
            Self::Json(body) => Ok(body.read()?.items),
            Self::JsonLines(bytes) => of_ndjson(bytes),
            Self::Csv(bytes) => of_csv(bytes),
        }
    }
}

/// Refuses as many readings as one batch does not take.
fn count(readings: Vec<Reading>) -> Result<Vec<Reading>> {
    if (1..=MAX_BATCH).contains(&readings.len()) {
        return Ok(readings);
    }
    Err(Error::invalid("/items", "length", format!("must have a length of 1 to {MAX_BATCH}")))
}

/// Readings as JSON, one a line.
fn of_ndjson(bytes: &[u8]) -> Result<Vec<Reading>> {
    let mut readings = Vec::new();
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    for line in lines.filter(|line| !line.is_empty()).take(MAX_BATCH + 1) {
        let at = format!("/items/{}", readings.len());
        let reading = input::parse(line, &["value"]).and_then(input::read::<Reading>);
        readings.push(reading.map_err(|error| match error {
            Error::Malformed(reason) => Error::Malformed(format!("{at}: {reason}")),
            other => other.prefix_pointer(&at),
        })?);
    }
    count(readings)
}

/// Readings as CSV (RFC 4180) in UTF-8 with the columns `at` and `value`.
fn of_csv(bytes: &[u8]) -> Result<Vec<Reading>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let malformed = |error: csv::Error| Error::Malformed(error.to_string());
    let headers = reader.headers().map_err(malformed)?;
    if headers.iter().ne(["at", "value"]) {
        let message = "must have the columns at and value, in this order, named in the first line";
        return Err(Error::invalid("", "columns", message));
    }
    let (mut readings, mut violations) = (Vec::new(), Vec::new());
    let mut row = csv::StringRecord::new();
    while readings.len() <= MAX_BATCH && reader.read_record(&mut row).map_err(malformed)? {
        match cells(&row) {
            Ok(reading) => readings.push(reading),
            Err((field, code, message)) => {
                let at = format!("/items/{}/{field}", readings.len() + violations.len());
                violations.push(Violation::new(at, code, message));
            }
        }
        if violations.len() >= MAX_VIOLATIONS {
            break;
        }
    }
    if violations.is_empty() { count(readings) } else { Err(Error::Invalid(violations)) }
}

/// How many bad readings are told of.
pub(super) const MAX_VIOLATIONS: usize = 100;

fn cells(row: &csv::StringRecord) -> Result<Reading, (&'static str, &'static str, String)> {
    let (at, value) = (row.get(0).unwrap_or_default(), row.get(1).unwrap_or_default());
    let at = DateTime::parse_from_rfc3339(at)
        .map_err(|_| ("at", "value", "must be an instant (RFC 3339)".to_owned()))?;
    let value = Decimal::parse(value)
        .ok_or_else(|| ("value", "value", "must be a number such as 4711.5".to_owned()))?;
    let reading = Reading { at: at.with_timezone(&Utc), value };
    match reading.validate() {
        Ok(()) => Ok(reading),
        Err(errors) => {
            let first = crate::error::violations(&errors).into_iter().next();
            let message = first.map_or_else(String::new, |first| first.message);
            Err(("at", "invalid", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(result: Result<Vec<Reading>>) -> Vec<String> {
        let violations = result.expect_err("bad readings").violations();
        violations.into_iter().map(|violation| violation.pointer).collect()
    }

    #[test]
    fn each_format_says_the_same() {
        let csv = b"\xef\xbb\xbfat,value\r\n2026-11-16T07:00:00Z,4711.5\r\n2026-11-16T08:15:00+01:00, 4712\r\n";
        let ndjson = br#"{"at":"2026-11-16T07:00:00Z","value":4711.5}

            {"value":4712.0,"at":"2026-11-16T07:15:00Z"}"#;
        let readings = of_csv(csv).expect("readings");
        assert_eq!(readings, of_ndjson(ndjson).expect("readings"));
        assert_eq!(readings.len(), 2);
        assert_eq!(readings[1].value.scaled(1), Ok(47_120));
    }

    #[test]
    fn what_is_bad_is_told_where_it_is() {
        let csv = b"at,value\nnow,1\n2026-11-16T07:00:00Z,1\n2026-11-16T07:00:00Z,x\n2026-11-16T07:00:00.1234567Z,1\n";
        assert_eq!(pointers(of_csv(csv)), ["/items/0/at", "/items/2/value", "/items/3/at"]);
        assert_eq!(pointers(of_csv(b"value,at\n")), [""]);
        assert_eq!(pointers(of_csv(b"at,value\n")), ["/items"]);
        assert_eq!(pointers(of_ndjson(b"{\"at\":\"2026-11-16T07:00:00Z\"}")), ["/items/0/value"]);
        assert!(matches!(of_ndjson(b"{\n"), Err(Error::Malformed(_))));
        assert!(matches!(of_csv(b"at,value\n1\n"), Err(Error::Malformed(_))));
    }
}
