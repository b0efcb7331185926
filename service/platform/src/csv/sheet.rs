use std::{fs::File, io::Read, path::Path};

use csv::{ByteRecord, ReaderBuilder};

use super::{Cells, Header, lines::Lines};
use crate::error::{Error, Result};

/// A CSV file, read strictly, one row at a time.
pub struct Sheet<R = File> {
    reader: csv::Reader<Lines<R>>,
    record: ByteRecord,
    width: usize,
}

impl Sheet {
    /// Opens a file, and reads its header.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is no CSV.
    pub fn open(path: &Path, delimiter: Option<char>) -> Result<(Self, Header)> {
        let file = File::open(path)
            .map_err(|error| Error::Internal(format!("the file cannot be read: {error}")))?;
        Self::of(file, delimiter)
    }
}

impl<R: Read> Sheet<R> {
    pub(crate) fn of(file: R, delimiter: Option<char>) -> Result<(Self, Header)> {
        let delimiter = delimiter.map_or(b',', |mark| mark as u8);
        let mut reader =
            ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(Lines::of(file));
        let header = reader.byte_headers().map_err(|error| unreadable(&error))?;
        let (width, header) = (header.len(), Header::of(header));
        Ok((Self { reader, record: ByteRecord::new(), width }, header))
    }

    /// The next row; none after the last.
    pub fn row(&mut self) -> Result<Option<Cells<'_>>> {
        if !self.reader.read_byte_record(&mut self.record).map_err(|error| unreadable(&error))? {
            return Ok(None);
        }
        let line = self.line();
        Ok(Some(Cells { record: &self.record, width: self.width, line }))
    }

    /// The line that the record begins on. Its position in the reader does not say so: that is where
    /// the record before it ended, perhaps in the middle of a CRLF or before empty lines.
    fn line(&mut self) -> u64 {
        let end = self.reader.position().clone();
        let inside = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let ended = self.reader.get_mut().ended_before(end.byte());
        end.line().saturating_sub(inside + u64::from(ended))
    }
}

fn unreadable(error: &csv::Error) -> Error {
    Error::invalid("", "csv", format!("must be valid CSV: {error}"))
}
