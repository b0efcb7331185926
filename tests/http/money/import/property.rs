//! Whatever a table holds, and however it is written as CSV: it comes back exactly.

use proptest::{prelude::*, sample::select};
use service::text::is_blank;
use tests::{App, Database, each_database, for_all};

/// One row: the day in November, the amount in minor units, the merchant, and which cells are
/// quoted without need.
type Row = (u32, i64, Option<String>, [bool; 3]);

#[derive(Debug, Clone)]
struct Table {
    rows: Vec<Row>,
    delimiter: char,
    line_end: &'static str,
    mark: bool,
}

fn merchants() -> impl Strategy<Value = Option<String>> {
    let text = "[ -~äß€\u{1f600}\t\r\n,;\"']{1,12}";
    let text = prop_oneof![text, "[^\u{0}]{1,40}", Just("\"".repeat(200))];
    proptest::option::of(text.prop_filter("not blank", |text| !is_blank(text)))
}

fn amounts() -> impl Strategy<Value = i64> {
    prop_oneof![1..=1000_i64, 1..=9_007_199_254_740_991_i64]
}

fn tables() -> impl Strategy<Value = Table> {
    let row = (1..=30_u32, amounts(), merchants(), any::<[bool; 3]>());
    let rows = prop::collection::vec(row, 0..20);
    let line_ends = select(vec!["\n", "\r\n"]);
    (rows, select(vec![',', ';', '\t']), line_ends, any::<bool>())
        .prop_map(|(rows, delimiter, line_end, mark)| Table { rows, delimiter, line_end, mark })
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
        let header = ["day", "amount", "merchant"].join(&self.delimiter.to_string());
        let mut file = format!("{mark}{header}{}", self.line_end);
        for (day, amount, merchant, quoted) in &self.rows {
            let amount = format!("{}.{:02}", amount / 100, amount % 100);
            let texts = [format!("2026-11-{day:02}"), amount, merchant.clone().unwrap_or_default()];
            let cells: Vec<_> =
                texts.iter().zip(quoted).map(|(text, quoted)| cell(text, *quoted)).collect();
            file.push_str(&cells.join(&self.delimiter.to_string()));
            file.push_str(self.line_end);
        }
        file
    }

    fn expected(&self) -> Vec<(String, i64, Option<String>)> {
        let rows = self.rows.iter();
        let mut rows: Vec<_> = rows
            .map(|(day, amount, merchant, _)| {
                (format!("2026-11-{day:02}"), *amount, merchant.clone())
            })
            .collect();
        rows.sort();
        rows
    }
}

#[each_database(flavor = "multi_thread")]
async fn what_was_written_is_what_was_read(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    for_all(40, &tables(), async |table: Table| {
        let home = ada.found("household").await;
        let delimiter =
            if table.delimiter == '\t' { "%09".into() } else { table.delimiter.to_string() };
        let query = format!("date=day&amount=amount&merchant=merchant&delimiter={delimiter}");
        let path = format!("{home}/expenses/import?{query}");
        for [created, duplicates] in [[table.rows.len(), 0], [0, table.rows.len()]] {
            let report = ada.upload(&path, table.csv()).await.expect(200);
            assert_eq!(
                (&report["created"], &report["duplicates"]),
                (&created.into(), &duplicates.into())
            );
        }
        let rows = ada.all(&format!("{home}/expenses"), "").await;
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let mut rows: Vec<_> = rows
            .iter()
            .map(|row| {
                let (day, merchant) = (text(&row["spent_on"]), text(&row["merchant"]));
                (day.unwrap_or_default(), row["amount_minor"].as_i64().unwrap_or(0), merchant)
            })
            .collect();
        rows.sort();
        assert_eq!(rows, table.expected());
    });
    app.stop().await;
}
