//! `steward doctor`: what it ends with, and what it prints.

use std::{
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    process::Output,
};

use serde_json::Value;
use service::store::{Engine, Options};
use tests::{Database, Session, each_lasting_database, log::wait_until, on_postgresql};

use crate::support::steward;

fn doctor(database: &Database, arguments: &[&str]) -> Output {
    steward(database).arg("doctor").args(arguments).output().expect("steward runs")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[each_lasting_database]
async fn a_report_ends_with_what_it_says(database: Database) {
    database.store(Options::default()).await.close().await.expect("closed");
    let output = doctor(&database, &["--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["engine"], database.engine.as_str());
    let code = match report["severity"].as_str() {
        Some("ok") => 0,
        Some("warning") => 1,
        Some("critical") => 2,
        other => panic!("{other:?}"),
    };
    assert_eq!(output.status.code(), Some(code), "{report}");
    if database.engine == Engine::Sqlite {
        assert_eq!(code, 0, "{report}");
    }
    let shown = text(&doctor(&database, &[]));
    for finding in report["findings"].as_array().expect("findings") {
        let check = finding["check"].as_str().expect("a check");
        assert!(shown.contains(&format!(" {check}: ")), "{check} is not in {shown}");
    }
    assert!(shown.contains("not visible"), "{shown}");
}

#[test]
fn a_database_that_does_not_answer_is_critical() {
    let nowhere = Database {
        engine: Engine::Postgres,
        url: "postgres://ada:s3cr3t@127.0.0.1:1/nowhere".to_owned(),
    };
    let output = doctor(&nowhere, &[]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("127.0.0.1:1/nowhere") && !said.contains("s3cr3t"), "{said}");
}

/// A file with a page of nothing but noise.
#[tokio::test]
async fn a_damaged_file_is_critical_where_it_is_checked() {
    tests::database::run_on_sqlite_file(async |database| {
        database.store(Options::default()).await.close().await.expect("closed");
        assert_eq!(doctor(&database, &["--check"]).status.code(), Some(0));
        let path = database.url.strip_prefix("sqlite://").expect("a file");
        let size = fs::metadata(path).expect("a file").len();
        let mut file = OpenOptions::new().write(true).open(path).expect("a file");
        file.seek(SeekFrom::Start(size - 4096)).expect("a place");
        file.write_all(&[0xA5; 4096]).expect("noise");
        drop(file);
        let output = doctor(&database, &["--check"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    })
    .await;
}

#[on_postgresql(flavor = "multi_thread")]
async fn a_long_transaction_is_told_without_its_values(database: Database) {
    let other = Session::begin(&database).await;
    other.run("BEGIN").await;
    other.run("SELECT 'canary' AS x").await;
    let mut shown = String::new();
    wait_until("it is told", async || {
        let output = doctor(&database, &["--long-transaction", "1"]);
        shown = text(&output);
        let is_told = shown.contains("WARNING   transactions: session");
        assert!(!is_told || output.status.code() >= Some(1), "{shown}");
        is_told
    })
    .await;
    assert!(shown.contains("SELECT ? AS x") && !shown.contains("canary"), "{shown}");
    other.run("ROLLBACK").await;
    other.end().await;
}
