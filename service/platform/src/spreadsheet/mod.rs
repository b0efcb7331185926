//! Tables that people open in a spreadsheet, and programs read: CSV (RFC 4180) and XLSX (ISO/IEC 29500).
//!
//! A table is written row by row, and a row that is written is held no longer. It says the same in both formats:
//! numbers with all their digits, days, instants in UTC, and texts that are read and never run (CWE-1236).

mod cell;
mod csv;
mod xlsx;

use std::fs::File;

pub use self::{
    cell::{Cell, neutral},
    csv::file,
};
use crate::error::{Error, Result};

/// What a table is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, in UTF-8.
    Csv,
    /// A workbook of Office Open XML with one sheet.
    Xlsx,
}

impl Format {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// What the name of a file ends with, and what clients call it.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// A table that is being written to a file. It waits for the file: it is no work for a thread that serves others.
#[derive(Debug)]
pub struct Writer(Kind);

#[derive(Debug)]
enum Kind {
    Csv(Box<csv::Writer>),
    Xlsx(Box<xlsx::Writer>),
}

impl Writer {
    /// Begins a table with the names of its columns.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn begin<'a>(
        file: File,
        format: Format,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self> {
        Ok(Self(match format {
            Format::Csv => Kind::Csv(Box::new(csv::Writer::begin(file, names)?)),
            Format::Xlsx => Kind::Xlsx(Box::new(xlsx::Writer::begin(file, names)?)),
        }))
    }

    /// Writes a row, which has a cell for each column.
    ///
    /// # Errors
    /// If the file cannot be written, or the format cannot hold what is in a cell.
    pub fn row(&mut self, cells: &[Cell]) -> Result<()> {
        match &mut self.0 {
            Kind::Csv(writer) => writer.row(cells),
            Kind::Xlsx(writer) => writer.row(cells),
        }
    }

    /// Completes the table.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(self) -> Result<File> {
        match self.0 {
            Kind::Csv(writer) => writer.finish(),
            Kind::Xlsx(writer) => writer.finish(),
        }
    }
}

/// The file is a temporary one: it cannot be written where there is no room.
fn unwritten(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(format!("a table cannot be written: {error}"))
}
