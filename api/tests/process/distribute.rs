//! `steward distribute`, on functions that stand for those of Citus.

use std::process::Output;

use service::store::Options;
use tests::{Client, Database, citus, each_lasting_database, on_postgresql};

use crate::support::{Process, steward};

fn distribute(database: &Database, arguments: &[&str]) -> Output {
    steward(database).arg("distribute").args(arguments).output().expect("steward runs")
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[each_lasting_database(flavor = "multi_thread")]
async fn without_citus_it_says_what_is_missing(database: Database) {
    for arguments in [&[][..], &["--plan"]] {
        let output = distribute(&database, arguments);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, b"");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(complaint.contains("extension Citus"), "{complaint}");
    }
}

#[on_postgresql(flavor = "multi_thread")]
async fn a_plan_is_what_is_done_and_is_done_once(database: Database) {
    let process = Process::start(&database);
    Client::new(&process.base).sign_up("Ada").await.found("household").await;
    drop(process);
    citus::install(&database).await;
    let store = database.store(Options::default()).await;
    let plan = said(&distribute(&database, &["--plan"]));
    assert_eq!(citus::calls(&store).await.len(), 0, "a plan changes nothing");
    let mut statements = plan.lines();
    assert!(statements.next().is_some_and(|line| line.starts_with("SET citus.")), "{plan}");
    let done = said(&distribute(&database, &[]));
    let mut lines: Vec<_> = done.lines().collect();
    assert_eq!(lines.pop(), Some("all tables are distributed"));
    for (statement, line) in statements.zip(&lines) {
        let table = line.rsplit(' ').next().expect("a table");
        assert!(statement.contains(&format!("('\"{table}\"'")), "{statement}: {line}");
    }
    assert_eq!(plan.lines().count(), lines.len() + 1);
    assert_eq!(citus::calls(&store).await.len(), lines.len());
    for table in
        ["on every node    user", "sharded          expense", "copies removed   organization"]
    {
        assert!(lines.contains(&table), "{done}");
    }
    assert!(said(&distribute(&database, &[])).starts_with("nothing to do"));
    assert!(said(&distribute(&database, &["--plan"])).starts_with("-- nothing"));
    assert_eq!(citus::calls(&store).await.len(), lines.len());
    store.close().await.expect("closed");
}
