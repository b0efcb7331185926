//! Tables as a spreadsheet reads them.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};

use crate::Client;

/// The cells of an answer of CSV, its header first.
///
/// # Panics
/// If it is none.
pub fn csv_cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

/// The cells of the sheet of a workbook, its header first.
///
/// # Panics
/// If it is none, or has another number of sheets.
pub fn xlsx_cells(bytes: &[u8]) -> Vec<Vec<Data>> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
    assert_eq!(workbook.sheet_names().len(), 1);
    let sheet = workbook.worksheet_range_at(0).expect("a sheet").expect("cells");
    sheet.rows().map(<[Data]>::to_vec).collect()
}

impl Client {
    /// GET of a workbook: the cells of its sheet.
    ///
    /// # Panics
    /// If the answer is none.
    pub async fn workbook(&self, path: &str) -> Vec<Vec<Data>> {
        let (headers, bytes) = self.get_coded(path, "identity").await;
        let media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        assert_eq!(headers["content-type"], media_type, "{}", String::from_utf8_lossy(&bytes));
        xlsx_cells(&bytes)
    }
}
