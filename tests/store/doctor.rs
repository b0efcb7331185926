//! The doctor finds what a test has made wrong, and tells nobody's values.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use service::{
    Store,
    background::{Concurrency, Work},
    catalogue::CATALOGUE,
    doctor::{Examination, Finding, Report, Severity, examine},
    store::{Options, slow::Explainer},
};
use tests::{
    Database, Session, database::execute, each_lasting_database, log::wait_until, on_postgresql,
};
use url::Url;

async fn report(store: &Store, examination: Examination) -> Report {
    let report = examine(store, examination).await.expect("the database answers");
    let text = serde_json::to_string(&report).expect("JSON");
    assert!(!text.contains("canary"), "{text}");
    report
}

fn findings<'a>(report: &'a Report, check: &str) -> Vec<&'a Finding> {
    report.findings.iter().filter(|finding| finding.check == check).collect()
}

fn measured(finding: &Finding, name: &str) -> f64 {
    let figure = finding.measurements.iter().find(|it| it.name == name);
    figure.unwrap_or_else(|| panic!("{name} is in {finding:?}")).value
}

#[each_lasting_database]
async fn a_new_database_is_well(database: Database) {
    let store = database.store(Options::default()).await;
    let examination = Examination { check: true, serves: true, ..Examination::default() };
    let report = report(&store, examination).await;
    // The server is that of other tests, too.
    let own = |it: &&Finding| !["connections", "replication_slots"].contains(&it.check);
    let critical =
        report.findings.iter().filter(own).filter(|it| it.severity == Severity::Critical);
    assert_eq!(critical.map(|it| &it.summary).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(report.engine, database.engine.as_str());
    assert!(report.engine_version.starts_with(|it: char| it.is_ascii_digit()));
    store.close().await.expect("closed");
}

#[each_lasting_database]
async fn a_command_says_that_the_server_knows_more(database: Database) {
    let store = database.store(Options::default()).await;
    let report = report(&store, Examination::default()).await;
    assert!(findings(&report, "pool").is_empty());
    assert!(report.not_visible.iter().any(|it| it.check == "process"), "{report:?}");
    store.close().await.expect("closed");
}

/// Free pages and the write-ahead log of SQLite's file; that it is sound, where that is asked for.
#[tokio::test]
async fn the_file_of_sqlite_is_measured() {
    tests::database::run_on_sqlite_file(async |database| {
        let store = database.store(Options::default()).await;
        let other = Session::begin(&database).await;
        other.run("CREATE TABLE doctor_big (note TEXT)").await;
        let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
                    INSERT INTO doctor_big SELECT 'canary' || hex(zeroblob(500)) FROM n";
        other.run(rows).await;
        let before = report(&store, Examination::default()).await;
        other.run("DROP TABLE doctor_big").await;
        let after = report(&store, Examination { check: true, ..Examination::default() }).await;
        let free = |report: &Report| measured(findings(report, "file")[0], "free_pages");
        assert!(free(&after) >= free(&before) + 400.0, "{} and {}", free(&before), free(&after));
        assert!(measured(findings(&after, "write_ahead_log")[0], "size") > 0.0);
        assert!(findings(&before, "integrity").is_empty());
        assert!(before.not_visible.iter().any(|it| it.check == "integrity"));
        assert_eq!(findings(&after, "integrity")[0].summary, "the file is sound");
        assert!(findings(&after, "tables").iter().all(|it| measured(it, "size") > 0.0));
        assert!(!findings(&after, "tables").is_empty());
        other.end().await;
        store.close().await.expect("closed");
    })
    .await;
}

#[on_postgresql(flavor = "multi_thread")]
async fn who_waits_for_a_lock_and_who_has_it(database: Database) {
    let store = database.store(Options::default()).await;
    let (holder, waiter) = (Session::begin(&database).await, Session::begin(&database).await);
    holder.run("CREATE TABLE doctor_lock (id int PRIMARY KEY, note text)").await;
    holder.run("INSERT INTO doctor_lock VALUES (1, 'canary')").await;
    holder.run("BEGIN").await;
    holder.run("UPDATE doctor_lock SET note = 'canary one' WHERE id = 1").await;
    let waiting = tokio::spawn(async move {
        waiter.run("UPDATE doctor_lock SET note = 'canary two' WHERE id = 1").await;
        waiter.end().await;
    });
    let mut found = None;
    wait_until("a wait of a second is told", async || {
        let report = report(&store, Examination::default()).await;
        let mut waits = findings(&report, "lock_waits").into_iter();
        found = waits.find(|it| it.severity > Severity::Ok).cloned();
        found.is_some()
    })
    .await;
    let found = found.expect("a wait");
    let statement = "UPDATE doctor_lock SET note = ? WHERE id = ?";
    assert_eq!(found.summary.matches(statement).count(), 2, "{}", found.summary);
    assert!(measured(&found, "waited") >= 1.0);
    assert!(found.advice.expect("advice").contains("pg_terminate_backend("));
    holder.run("ROLLBACK").await;
    waiting.await.expect("it goes on");
    let report = report(&store, Examination::default()).await;
    assert_eq!(findings(&report, "lock_waits")[0].summary, "no session waits for a lock");
    holder.end().await;
    store.close().await.expect("closed");
}

#[on_postgresql(flavor = "multi_thread")]
async fn a_transaction_that_is_forgotten(database: Database) {
    let store = database.store(Options::default()).await;
    let other = Session::begin(&database).await;
    other.run("BEGIN").await;
    other.run("SELECT 'canary', 4711").await;
    let mut severities = Vec::new();
    wait_until("the transaction is told to be long", async || {
        let long_transaction = Duration::from_millis(200);
        let examined = report(&store, Examination { long_transaction, ..Examination::default() });
        let examined = examined.await;
        let told = findings(&examined, "transactions").into_iter();
        let told = told.filter(|it| it.summary.contains("SELECT ?"));
        severities.extend(told.map(|it| it.severity));
        severities.iter().any(|it| *it > Severity::Ok)
    })
    .await;
    let patient = report(&store, Examination::default()).await;
    let told = findings(&patient, "transactions");
    assert!(told.iter().all(|it| it.severity == Severity::Ok && it.advice.is_none()), "{told:?}");
    other.run("ROLLBACK").await;
    other.end().await;
    store.close().await.expect("closed");
}

#[on_postgresql]
async fn a_large_table_that_is_always_read_as_a_whole(database: Database) {
    let store = database.store(Options::default()).await;
    let other = Session::begin(&database).await;
    other.run("CREATE TABLE doctor_scanned (id bigint PRIMARY KEY, note text)").await;
    other
        .run("INSERT INTO doctor_scanned SELECT i, 'canary' FROM generate_series(1, 20000) i")
        .await;
    other.run("CREATE TABLE doctor_found (id bigint PRIMARY KEY, note text)").await;
    other.run("INSERT INTO doctor_found SELECT i, 'canary' FROM generate_series(1, 20000) i").await;
    other.run("ANALYZE").await;
    for number in 0..60 {
        other.run("SELECT count(*) FROM doctor_scanned WHERE note = 'canary'").await;
        other.run(&format!("SELECT note FROM doctor_found WHERE id = {number}")).await;
    }
    other.run("SELECT pg_stat_force_next_flush()").await;
    let mut told = Vec::new();
    wait_until("the scans are counted", async || {
        let report = report(&store, Examination::default()).await;
        let scans = findings(&report, "sequential_scans").into_iter();
        told = scans.filter(|it| it.severity == Severity::Warning).cloned().collect();
        !told.is_empty()
    })
    .await;
    let tables: Vec<_> = told.iter().map(|it| it.subject.as_deref()).collect();
    assert_eq!(tables, [Some("doctor_scanned")]);
    assert!(measured(&told[0], "scans") >= 60.0);
    other.end().await;
    store.close().await.expect("closed");
}

/// A role that may see its own sessions alone: the report says so, and shows the rest.
#[on_postgresql]
async fn what_a_role_may_not_see_is_said(database: Database) {
    let role = format!("steward_doctor_{}", std::process::id());
    execute(&database.url, &format!("CREATE ROLE {role} LOGIN PASSWORD 'limited'")).await;
    let mut url = Url::parse(&database.url).expect("a URL");
    url.set_username(&role).expect("a user");
    url.set_password(Some("limited")).expect("a password");
    let other = Session::begin(&database).await;
    other.run("BEGIN").await;
    other.run("SELECT 'canary'").await;
    let store = Store::connect(url.as_str(), Options::default(), &CATALOGUE).await.expect("it");
    let report = report(&store, Examination::default()).await;
    let hidden = report.not_visible.iter().find(|it| it.check == "sessions").expect("it is said");
    assert!(hidden.reason.contains("GRANT pg_read_all_stats"), "{}", hidden.reason);
    assert!(!findings(&report, "connections").is_empty());
    store.close().await.expect("closed");
    other.run("ROLLBACK").await;
    other.end().await;
    execute(&database.url, &format!("DROP ROLE {role}")).await;
}

/// The plan of a slow statement is that of all values, on each database.
#[each_lasting_database]
async fn a_slow_statement_has_a_plan_and_no_values(database: Database) {
    let options = Options { slow_statement: Duration::ZERO, ..Options::default() };
    let store = database.store(options).await;
    let backend = store.read().get_database_backend();
    let parameter = if backend == DbBackend::Sqlite { "?" } else { "$1" };
    let sql =
        format!("SELECT email FROM \"user\" WHERE email = {parameter} OR display_name = 'canary'");
    let values = ["canary@example.org".into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    store.read().query_all_raw(statement).await.expect("it runs");
    Explainer::new(&store).turn(Concurrency::Sequential).await.expect("it explains");
    let slowest = store.slowest_statements();
    let is_it = |text: &str| text.contains("display_name = ?");
    let slow = slowest.iter().find(|it| is_it(&it.fingerprint.text)).expect("it is there");
    assert_eq!(slow.fingerprint.summary, "SELECT user");
    assert!(!format!("{slow:?}").contains("canary"), "{slow:?}");
    let plan = slow.plan.clone().expect("it was asked for").expect("a plan");
    assert!(plan.contains("user"), "{plan}");
    assert_eq!(slow.calls, 1);
    store.close().await.expect("closed");
}
