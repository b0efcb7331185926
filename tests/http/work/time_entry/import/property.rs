//! Whatever was written about time, and however it is quoted: it comes back byte for byte.

use proptest::{prelude::*, sample::select};
use tests::{App, Database, each_database, for_all};

#[derive(Debug, Clone)]
struct Table {
    /// What was done, and whether its cell is quoted without need.
    notes: Vec<(String, bool)>,
    delimiter: char,
    line_end: &'static str,
    mark: bool,
}

fn notes() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~äß€\u{1f600}\u{feff}\t\r\n,;\"'\\\\]{0,20}",
        "[^\u{0}]{0,40}",
        select(vec!["\\", "\\\"", "\"", "\"\"", "\r", "\n\n", " ", "\t", "=1+1", "👩‍👩‍👧‍👦"])
            .prop_map(str::to_owned),
    ]
}

fn tables() -> impl Strategy<Value = Table> {
    let notes = prop::collection::vec((notes(), any::<bool>()), 1..20);
    (notes, select(vec![',', ';', '\t']), select(vec!["\n", "\r\n"]), any::<bool>())
        .prop_map(|(notes, delimiter, line_end, mark)| Table { notes, delimiter, line_end, mark })
}

fn cell(text: &str, quoted: bool) -> String {
    if quoted || text.contains([',', ';', '\t', '"', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

impl Table {
    fn csv(&self) -> String {
        let mark = if self.mark { "\u{feff}" } else { "" };
        let between = self.delimiter.to_string();
        let header = ["Description", "Start date", "Start time", "Duration"].join(&between);
        let mut file = format!("{mark}{header}{}", self.line_end);
        for (hour, (note, quoted)) in self.notes.iter().enumerate() {
            let cells =
                [cell(note, *quoted), "2026-11-16".into(), format!("{hour:02}:00"), "1:00".into()];
            file += &cells.join(&between);
            file += self.line_end;
        }
        file
    }
}

#[each_database(flavor = "multi_thread")]
async fn what_was_written_is_what_was_read(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    for_all(60, &tables(), async |table: Table| {
        let home = ada.found("household").await;
        let delimiter =
            if table.delimiter == '\t' { "%09".into() } else { table.delimiter.to_string() };
        let path = format!("{home}/time-entries/import?delimiter={delimiter}");
        for created in [table.notes.len(), 0] {
            let report = ada.upload(&path, table.csv()).await.expect(200);
            assert_eq!(report["created"], created);
            assert_eq!(report["duplicates"], table.notes.len() - created);
        }
        let rows = ada.all(&format!("{home}/time-entries"), "?sort=started_at").await;
        let read: Vec<_> = rows.iter().map(|row| row["note"].as_str().unwrap_or("")).collect();
        let written: Vec<_> = table.notes.iter().map(|(note, _)| note.as_str()).collect();
        assert_eq!(read, written);
    });
    app.stop().await;
}
