use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufReader, Read},
    mem,
    path::Path,
};

use csv::{ByteRecord, ReaderBuilder};

use super::{
    Cells, Dialect, Header,
    dialect::skip_lines,
    encoding::{self, Decoded, Encoding},
    lines::Lines,
};
use crate::error::{Error, Result};

/// A CSV file, read strictly, one row at a time.
pub struct Sheet<R = File> {
    reader: csv::Reader<Lines<BufReader<Decoded<R>>>>,
    record: ByteRecord,
    width: usize,
    /// How many lines were left out at the beginning.
    skipped: u64,
    /// How many rows are left out at the end.
    skip_last: u64,
    /// The rows that are read ahead, to know where the end is, and the lines that they begin on.
    ahead: VecDeque<(ByteRecord, u64)>,
}

impl Sheet {
    /// Opens a file, and reads its header.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is no CSV.
    pub fn open(path: &Path, dialect: &Dialect) -> Result<(Self, Header)> {
        let mut file = File::open(path).map_err(|error| unreadable_file(&error))?;
        let encoding = encoding::detect(&mut file, dialect.encoding, dialect.country)
            .map_err(|error| unreadable_file(&error))?;
        Self::of(file, &Dialect { encoding: Some(encoding), ..*dialect })
    }
}

impl<R: Read> Sheet<R> {
    pub(crate) fn of(file: R, dialect: &Dialect) -> Result<(Self, Header)> {
        let decoded = Decoded::of(file, dialect.encoding.unwrap_or_else(Encoding::utf_8));
        let mut text = BufReader::new(decoded);
        let (skipped, said) = skip_lines(&mut text, dialect.skip_rows.unwrap_or_default())
            .map_err(|error| unreadable_file(&error))?;
        let delimiter = dialect.delimiter.or(said).map_or(b',', |mark| mark as u8);
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(dialect.header.unwrap_or(true))
            .from_reader(Lines::of(text));
        // Without a header, this is the first row, which is read again.
        let first = reader.byte_headers().map_err(|error| unreadable(&error))?;
        let width = first.len();
        let header = match dialect.header {
            Some(false) => Header::of_positions(width),
            _ => Header::of(first),
        };
        let sheet = Self {
            reader,
            record: ByteRecord::new(),
            width,
            skipped,
            skip_last: dialect.skip_last.unwrap_or_default(),
            ahead: VecDeque::new(),
        };
        Ok((sheet, header))
    }

    /// The next row; none after the last.
    pub fn row(&mut self) -> Result<Option<Cells<'_>>> {
        let mut record = mem::take(&mut self.record);
        while self.ahead.len() as u64 <= self.skip_last {
            if !self.reader.read_byte_record(&mut record).map_err(|error| unreadable(&error))? {
                return Ok(None);
            }
            let line = self.line(&record);
            self.ahead.push_back((mem::take(&mut record), line));
        }
        let Some((record, line)) = self.ahead.pop_front() else { return Ok(None) };
        self.record = record;
        Ok(Some(Cells { record: &self.record, width: self.width, line }))
    }

    /// The line that the record begins on. Its position in the reader does not say so: that is where
    /// the record before it ended, perhaps in the middle of a CRLF or before empty lines.
    fn line(&mut self, record: &ByteRecord) -> u64 {
        let end = self.reader.position().clone();
        let inside = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let ended = self.reader.get_mut().ended_before(end.byte());
        self.skipped + end.line().saturating_sub(inside + u64::from(ended))
    }
}

pub(super) fn unreadable_file(error: &io::Error) -> Error {
    Error::Internal(format!("the file cannot be read: {error}"))
}

fn unreadable(error: &csv::Error) -> Error {
    Error::invalid("", "csv", format!("must be valid CSV: {error}"))
}
