//! How a file is written: its encoding, what stands between its columns, where its header is.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use super::{
    encoding::{self, Decoded, Encoding},
    sheet::{Sheet, unreadable_file},
};
use crate::error::Result;

/// What may stand between columns.
pub(super) const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// How much of a file is looked at to find its header.
const SAMPLE_BYTES: u64 = 64 * 1024;
/// How many rows of it.
const SAMPLE_ROWS: usize = 200;
/// How far down a header is.
const MAX_PREAMBLE: usize = 50;

/// How a file is written, as far as it is known. What is none is found, or is the usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dialect {
    /// What its bytes mean. A mark at its beginning comes first.
    pub encoding: Option<Encoding>,
    /// Where it is from (ISO 3166), which tells encodings apart that look alike.
    pub country: Option<[u8; 2]>,
    /// What stands between columns. A line `sep=;` at its beginning says so, else it is a comma.
    pub delimiter: Option<char>,
    /// Whether its first row names the columns. It does unless this is false; then the columns are called
    /// `1`, `2` and so on.
    pub header: Option<bool>,
    /// How many lines are left out at its beginning, a line `sep=;` included.
    pub skip_rows: Option<u64>,
    /// How many rows are left out at its end.
    pub skip_last: Option<u64>,
}

/// The first rows of a file, read with one delimiter.
#[derive(Debug)]
pub struct Sample {
    /// What it was read with.
    pub delimiter: char,
    /// The rows, and the line that each begins on.
    pub rows: Vec<(u64, Vec<String>)>,
}

impl Sample {
    /// How many delimiters are in the rows that are as wide as most are: decimals after a comma make two regular
    /// columns of a file that has five others.
    fn regularity(&self) -> usize {
        let width = self.width();
        let as_wide = |cells: &Vec<String>| trimmed(cells).len() == width;
        let rows = self.rows.iter().filter(|(_, cells)| as_wide(cells)).count();
        rows * width.saturating_sub(1)
    }

    /// How many cells most rows have, but for blank ones at their end.
    fn width(&self) -> usize {
        let mut counts = std::collections::BTreeMap::<usize, usize>::new();
        for (_, cells) in &self.rows {
            *counts.entry(trimmed(cells).len()).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(width, count)| (*count, *width)).map_or(0, |it| it.0)
    }
}

/// Cells without the blank ones at their end.
fn trimmed(cells: &[String]) -> &[String] {
    let length = cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |at| at + 1);
    &cells[..length]
}

impl Dialect {
    /// The same, with the encoding, the delimiter and the lines before the header where they were not known.
    /// `header` says how much a row looks like the header of what is wanted: 0 where it does not.
    ///
    /// Gives the sample by the delimiter, too, and where the header is in it.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn detect(
        mut self,
        path: &Path,
        header: impl Fn(&[String]) -> u32,
    ) -> Result<(Self, Sample, Option<usize>)> {
        let mut file = File::open(path).map_err(|error| unreadable_file(&error))?;
        let encoding = encoding::detect(&mut file, self.encoding, self.country)
            .map_err(|error| unreadable_file(&error))?;
        self.encoding = Some(encoding);
        let mut head = Vec::new();
        let read = Decoded::of(file, encoding).take(SAMPLE_BYTES).read_to_end(&mut head);
        let is_whole = (read.map_err(|error| unreadable_file(&error))? as u64) < SAMPLE_BYTES;
        let said = separator(&head).map(|(mark, _)| mark);
        let candidates = match self.delimiter.or(said) {
            Some(mark) => vec![mark],
            None => DELIMITERS.to_vec(),
        };
        // Where somebody says how many lines come before it, it is the next one.
        let reach = if self.skip_rows.is_some() { 1 } else { MAX_PREAMBLE };
        let samples = candidates.into_iter().map(|mark| self.sample(&head, mark, is_whole));
        let found = samples.map(|sample| {
            let sample = sample?;
            let (score, at) = match self.header {
                Some(false) => (0, None),
                _ => best_header(&sample, reach, &header),
            };
            Ok(((score, sample.regularity(), sample.width()), at, sample))
        });
        let found = found.collect::<Result<Vec<_>>>()?;
        // Of equals, the first.
        let best = found.into_iter().rev().max_by_key(|(rank, ..)| *rank);
        let Some((_, at, sample)) = best else { return Ok((self, empty(), None)) };
        self.delimiter = Some(sample.delimiter);
        if let (None, Some(at)) = (self.skip_rows, at) {
            self.skip_rows = Some(sample.rows[at].0 - 1);
        }
        Ok((self, sample, at))
    }

    fn sample(&self, head: &[u8], delimiter: char, is_whole: bool) -> Result<Sample> {
        let dialect = Self {
            encoding: None,
            delimiter: Some(delimiter),
            header: Some(false),
            skip_last: None,
            ..*self
        };
        let (mut sheet, _) = Sheet::of(head, &dialect)?;
        let mut rows = Vec::new();
        while rows.len() < SAMPLE_ROWS
            && let Some(cells) = sheet.row()?
        {
            let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
            rows.push((cells.line, cells.record.iter().map(text).collect()));
        }
        if !is_whole && rows.len() < SAMPLE_ROWS {
            rows.pop();
        }
        Ok(Sample { delimiter, rows })
    }
}

fn empty() -> Sample {
    Sample { delimiter: ',', rows: Vec::new() }
}

/// The row that looks most like a header; of equals the first.
fn best_header(
    sample: &Sample,
    reach: usize,
    score: impl Fn(&[String]) -> u32,
) -> (u32, Option<usize>) {
    let rows = sample.rows.iter().take(reach).enumerate();
    let scores = rows.map(|(at, (_, cells))| (score(cells), at)).filter(|(score, _)| *score > 0);
    match scores.rev().max_by_key(|(score, _)| *score) {
        Some((score, at)) => (score, Some(at)),
        None => (0, None),
    }
}

/// What a line `sep=;` at the beginning of a file says, and how long it is. Excel writes and reads it.
fn separator(head: &[u8]) -> Option<(char, usize)> {
    let line = head.split(|byte| *byte == b'\n' || *byte == b'\r').next()?;
    let text = std::str::from_utf8(line).ok()?.trim_matches('"');
    let (name, mark) = text.split_at_checked(4)?;
    let mut marks = mark.chars();
    let (Some(mark), None) = (marks.next(), marks.next()) else { return None };
    let known = name.eq_ignore_ascii_case("sep=") && DELIMITERS.contains(&mark);
    known.then_some((mark, line.len()))
}

/// Reads the lines that are left out at the beginning of a file, and says how many there were, and what the
/// first one said of the delimiter.
pub(super) fn skip_lines(
    reader: &mut BufReader<impl Read>,
    lines: u64,
) -> std::io::Result<(u64, Option<char>)> {
    let said = separator(reader.fill_buf()?).map(|(mark, _)| mark);
    let mut skipped = 0;
    while skipped < lines.max(u64::from(said.is_some())) {
        if !skip_line(reader)? {
            break;
        }
        skipped += 1;
    }
    Ok((skipped, said))
}

/// Reads a line that ends with CR, LF or both; false where there is none.
fn skip_line(reader: &mut BufReader<impl Read>) -> std::io::Result<bool> {
    let mut any = false;
    loop {
        let part = reader.fill_buf()?;
        if part.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = part.iter().position(|byte| *byte == b'\n' || *byte == b'\r');
        let Some(at) = end else {
            let length = part.len();
            reader.consume(length);
            continue;
        };
        let is_return = part[at] == b'\r';
        reader.consume(at + 1);
        if is_return && reader.fill_buf()?.first() == Some(&b'\n') {
            reader.consume(1);
        }
        return Ok(true);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A line's number, and its cells.
    type Line = (u64, Vec<String>);

    fn detect(file: &[u8], dialect: Dialect) -> (Dialect, Vec<Line>, Option<usize>) {
        let mut temporary = tempfile::NamedTempFile::new().expect("a file");
        temporary.write_all(file).expect("room");
        let is_header = |cells: &[String]| u32::from(cells.iter().any(|cell| cell == "Datum"));
        let (dialect, sample, at) = dialect.detect(temporary.path(), is_header).expect("a dialect");
        (dialect, sample.rows, at)
    }

    #[test]
    fn delimiter_and_header_are_found() {
        for (file, delimiter, skip_rows) in [
            (&b"Datum,Text,Sum\n1,\"a;b;c\",2\n"[..], ',', 0),
            (b"Datum;Text;Sum\n1;a,b;2,5\n2;a;3,5\n", ';', 0),
            (b"Datum\tText\n1\ta\n", '\t', 0),
            (b"Datum|Text\n1|a\n", '|', 0),
            (b"Konto;DE00;\nZeitraum;x;\n\nDatum;Text;Sum\n1;a;2,5\n", ';', 3),
            (b"Konto\r\n\r\nDatum;Text;Sum\r\n1;a;2,5\r\n", ';', 2),
            (b"sep=;\nDatum;Text\n1;a\n", ';', 1),
            (b"\"sep=\t\"\r\nDatum\tText\n1\ta\n", '\t', 1),
        ] {
            let (dialect, rows, at) = detect(file, Dialect::default());
            let shown = String::from_utf8_lossy(file);
            assert_eq!(dialect.delimiter, Some(delimiter), "{shown}");
            assert_eq!(rows[at.expect("a header")].1[0], "Datum", "{shown}");
            assert_eq!(dialect.skip_rows, Some(skip_rows), "{shown}");
        }
    }

    #[test]
    fn without_a_header_the_most_regular_delimiter_is_taken() {
        let (dialect, rows, at) =
            detect(b"2026-05-01;Grocer;-20,00\n2026-05-02;Pension;800,00\n", Dialect::default());
        assert_eq!((dialect.delimiter, dialect.skip_rows, at), (Some(';'), None, None));
        assert_eq!(rows[1], (2, vec!["2026-05-02".into(), "Pension".into(), "800,00".into()]));
    }

    #[test]
    fn what_is_said_is_not_looked_for() {
        let said = Dialect { delimiter: Some(','), skip_rows: Some(1), ..Dialect::default() };
        let (dialect, rows, _) = detect(b"Datum;x\nDatum;y\n", said);
        assert_eq!(Dialect { encoding: None, ..dialect }, said);
        assert_eq!(rows, [(2, vec!["Datum;y".to_owned()])]);
        assert_eq!(detect(b"", Dialect::default()).1, []);
    }
}
