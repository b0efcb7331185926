//! A large file.

use std::{fmt::Write, time::Duration};

use api::config::{Limits, Settings};
use tests::{App, AppOptions, Database, each_database};

const ROWS: i64 = 100_000;

fn file() -> String {
    let mut file = String::from("day,amount,merchant\n");
    for row in 1..=ROWS {
        let day = row % 28 + 1;
        writeln!(file, "2026-{:02}-{day:02},{row}.07,merchant {}", row % 12 + 1, row % 100)
            .expect("a string takes it");
    }
    file
}

#[each_database]
async fn a_hundred_thousand_rows_in_one_import(database: Database) {
    let file = file();
    // A debug build under load is slow, and this is no test of the deadline.
    let limits = Limits { request_timeout: Duration::from_secs(600), ..Settings::default().limits };
    let settings = Settings { limits, ..Settings::default() };
    let app = App::start_with(&database, AppOptions { settings, ..AppOptions::default() }).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import?date=day&amount=amount&merchant=merchant");
    let report = app.import(&ada, &path, file.clone()).await;
    assert_eq!(report["state"], "completed");
    assert_eq!((&report["created"], &report["failed"]), (&ROWS.into(), &0.into()));
    let range = "from=2026-01-01&to=2026-12-31&group_by=month";
    let spending = ada.read(&format!("{home}/reports/spending?{range}")).await;
    let sum = ROWS * (ROWS + 1) / 2 * 100 + ROWS * 7;
    assert_eq!(spending["totals"][0]["amount_minor"], sum);
    assert_eq!(spending["totals"][0]["count"], ROWS);
    assert_eq!(spending["rows"].as_array().map(Vec::len), Some(12));
    let again = ada.upload(&path, file.clone()).await.expect(200);
    assert_eq!((&again["created"], &again["duplicates"]), (&0.into(), &ROWS.into()));
    app.stop().await;
}

#[each_database]
async fn a_file_has_two_hundred_thousand_rows_at_most(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let file = format!("d,a\n{}", "2026-11-01,1\n".repeat(200_001));
    for more in ["", "&on_error=skip&sign=debit_positive", "&dry_run=true"] {
        let path = format!("{home}/expenses/import?date=d&amount=a{more}");
        let refused = ada.upload(&path, file.clone()).await.expect_problem(422, "invalid");
        assert_eq!(refused["violations"][0]["code"], "too_many_rows", "{more}");
    }
    assert!(ada.all(&format!("{home}/expenses"), "").await.is_empty());
    app.stop().await;
}
