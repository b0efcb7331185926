//! CSV that people open in a spreadsheet.

use csv::{Terminator, WriterBuilder};

use crate::error::{Error, Result};

/// What tells a spreadsheet that the text is UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// What a spreadsheet takes a cell for a formula by, in the first place; the wide forms too.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A text that somebody has written, as a cell that is read and not run: an apostrophe stands before what
/// would be a formula (CWE-1236).
pub(super) fn cell(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

/// Rows as a file (RFC 4180).
pub(super) fn file(rows: &[Vec<String>]) -> Result<Vec<u8>> {
    let failed = |error: csv::Error| Error::Internal(format!("CSV cannot be written: {error}"));
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(MARK.to_vec());
    for row in rows {
        writer.write_record(row).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Error::Internal(format!("CSV cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_a_formula_is_a_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        for text in ["", "Grace", "a=b", "'=1", " =1"] {
            assert_eq!(cell(text), text);
        }
        let rows = [vec!["a,\"b\"".to_owned(), "c\nd".to_owned()]];
        let file = file(&rows).expect("a file");
        assert_eq!(file, "\u{feff}\"a,\"\"b\"\"\",\"c\nd\"\r\n".as_bytes());
    }
}
