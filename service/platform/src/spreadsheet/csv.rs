use std::{
    fmt,
    fs::File,
    io::{BufWriter, Write},
};

use csv::{Terminator, WriterBuilder};

use super::{Cell, unwritten};
use crate::error::{Error, Result};

/// What tells a spreadsheet that the text is UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Lines end as RFC 4180 has them.
fn writer<W: Write>(to: W) -> csv::Writer<W> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(to)
}

/// A small table as a whole file that a spreadsheet opens as UTF-8. The cells are as they are: see
/// [`super::neutral`].
///
/// # Errors
/// If rows have different lengths.
pub fn file(rows: &[Vec<String>]) -> Result<Vec<u8>> {
    let failed = |error: &dyn fmt::Display| Error::Internal(format!("CSV is not written: {error}"));
    let mut writer = writer(MARK.to_vec());
    for row in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

#[derive(Debug)]
pub(super) struct Writer(csv::Writer<BufWriter<File>>);

impl Writer {
    pub(super) fn begin<'a>(file: File, names: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut writer = writer(BufWriter::new(file));
        writer.write_record(names).map_err(unwritten)?;
        Ok(Self(writer))
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<()> {
        for cell in cells {
            self.0.write_field(cell.text().as_bytes()).map_err(unwritten)?;
        }
        self.0.write_record(None::<&[u8]>).map_err(unwritten)
    }

    pub(super) fn finish(self) -> Result<File> {
        let buffer = self.0.into_inner().map_err(unwritten)?;
        buffer.into_inner().map_err(unwritten)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    #[test]
    fn a_file_begins_with_a_mark_and_quotes_what_must_be() {
        let rows = [vec!["a,\"b\"".to_owned(), "c\nd".to_owned()]];
        let file = file(&rows).expect("a file");
        assert_eq!(file, "\u{feff}\"a,\"\"b\"\"\",\"c\nd\"\r\n".as_bytes());
    }

    #[test]
    fn rows_are_lines() {
        let file = tempfile::tempfile().expect("a file");
        let mut writer = Writer::begin(file, ["note", "amount"]).expect("a table");
        let cells = [Cell::Text("=1,\"2\"".to_owned()), Cell::amount(-120, 2)];
        writer.row(&cells).expect("a row");
        writer.row(&[Cell::Empty, Cell::Boolean(true)]).expect("a row");
        let mut file = writer.finish().expect("a table");
        let mut text = String::new();
        file.rewind().and_then(|()| file.read_to_string(&mut text)).expect("a text");
        assert_eq!(text, "note,amount\r\n\"'=1,\"\"2\"\"\",-1.20\r\n,true\r\n");
    }
}
