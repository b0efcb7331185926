//! What `fuzz/targets/csv.rs` runs.

use std::io::{self, Read};

use super::{Column, Dialect, Sheet};

/// The line that a row begins on, and its cells.
type Row = (u64, Vec<Vec<u8>>);

/// Reads a file as an import does, in one piece and byte by byte.
///
/// # Panics
/// If that gives two results, if a row begins on a line where none can, or if a cell cannot be looked at.
pub fn read(file: &[u8], delimiter: char) {
    let rows = rows(file, delimiter);
    assert_eq!(rows, self::rows(ByteByByte(file), delimiter));
    let last = 1 + file.iter().filter(|byte| **byte == b'\n').count() as u64;
    let mut least = 1;
    for (line, cells) in rows {
        assert!((least..=last).contains(&line), "a row on line {line}: {cells:?}");
        least = line;
    }
}

fn rows(file: impl Read, delimiter: char) -> Vec<Row> {
    // Any bytes are rows of some width: only a disk can fail.
    let dialect = Dialect { delimiter: Some(delimiter), ..Dialect::default() };
    let (mut sheet, mut header) = Sheet::of(file, &dialect).expect("a header");
    let _ = (header.find("amount", "Amount"), header.unused());
    let mut rows = Vec::new();
    while let Some(cells) = sheet.row().expect("a row") {
        if cells.check_width().is_ok() {
            for at in 0..cells.record.len() {
                let _ = cells.text(Column { at, name: "" }, 100);
            }
        }
        rows.push((cells.line, cells.record.iter().map(<[u8]>::to_vec).collect()));
    }
    rows
}

/// Gives one byte at a time.
struct ByteByByte<'a>(&'a [u8]);

impl Read for ByteByByte<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}
