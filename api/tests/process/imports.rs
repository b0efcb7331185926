//! Imports, while the process ends at every place of their steps, forwards and backwards; and from the command
//! line beside a server.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use service::{idempotency::WriteOnce, identity::access, import, store::Options};
use tests::{Client, Database, each_lasting_database, id};

use crate::{
    offboarding::until,
    support::{Process, steward},
};

/// Every place of the way there.
const FORWARDS: &[&str] = &[
    "staged",
    "write.begun",
    "write.inside",
    "write.noted",
    "clear.begun",
    "clear.inside",
    "clear.noted",
];

/// Every place of the way back.
const BACKWARDS: &[&str] = &[
    "write.undo.begun",
    "write.undo.inside",
    "write.undo.noted",
    "stage.undo.begun",
    "stage.undo.inside",
    "stage.undo.noted",
];

/// Three slices.
const ROWS: usize = 1100;

/// Other rows for each story.
fn file(story: &str, rows: usize) -> String {
    let row =
        |n: usize| format!("2026-11-{:02},{}.{:02},{story},Food\n", n % 28 + 1, n / 100, n % 100);
    std::iter::once("d,a,m,c\n".to_owned()).chain((1..=rows).map(row)).collect()
}

const QUERY: &str = "date=d&amount=a&merchant=m&category=c&create_categories=true";

fn process_until(database: &Database, place: &str) -> Process {
    let place = format!("import.{place}");
    Process::start_with(database, &[], &[("STEWARD_CRASH_AT", &place)])
}

/// Sends a file to a process that ends at a place. The answer may not come.
async fn begin_until(database: &Database, place: &str, client: &Client, home: &str) {
    let mut process = process_until(database, place);
    let client = client.at(&process.base);
    let path = format!("{home}/expenses/import?{QUERY}");
    let sent = tokio::spawn(async move { client.try_upload(&path, file("x", ROWS)).await });
    until(place, async || process.ended()).await;
    let _ = sent.await;
}

async fn spent(client: &Client, home: &str) -> usize {
    client.all(&format!("{home}/expenses"), "?limit=500").await.len()
}

/// The last import, once it has ended.
async fn ended(client: &Client, home: &str) -> Value {
    until("the end of an import", async || {
        let import = client.all(&format!("{home}/imports"), "?limit=1").await.into_iter().next()?;
        let ends = ["completed", "compensated", "failed"];
        ends.map(|state| import["state"] == state).contains(&true).then_some(import)
    })
    .await
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_file_is_imported_once_wherever_the_process_ends(database: Database) {
    let process = Process::start(&database);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    drop(process);
    for place in FORWARDS {
        let home = {
            let process = Process::start(&database);
            ada.at(&process.base).found("household").await
        };
        begin_until(&database, place, &ada, &home).await;
        let process = Process::start(&database);
        let ada = ada.at(&process.base);
        if *place == "staged" {
            assert_eq!(ada.all(&format!("{home}/imports"), "").await, Vec::<Value>::new());
            let path = format!("{home}/expenses/import?{QUERY}");
            ada.upload(&path, file("x", ROWS)).await.expect(202);
        }
        let import = ended(&ada, &home).await;
        assert_eq!((&import["state"], &import["created"]), (&json!("completed"), &json!(ROWS)));
        assert_eq!(spent(&ada, &home).await, ROWS, "{place}");
    }
}

#[each_lasting_database(flavor = "multi_thread")]
async fn an_import_that_is_called_off_leaves_nothing_wherever_the_process_ends(database: Database) {
    let process = Process::start(&database);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    drop(process);
    for place in BACKWARDS {
        let home = {
            let process = Process::start(&database);
            ada.at(&process.base).found("household").await
        };
        begin_until(&database, "write.noted", &ada, &home).await;
        cancel(&database, &home).await;
        let mut process = process_until(&database, place);
        until(place, async || process.ended()).await;
        drop(process);
        let process = Process::start(&database);
        let ada = ada.at(&process.base);
        let import = ended(&ada, &home).await;
        assert_eq!((&import["state"], &import["created"]), (&json!("compensated"), &json!(0)));
        assert_eq!(spent(&ada, &home).await, 0, "{place}");
        assert_eq!(ada.all(&format!("{home}/categories"), "").await, Vec::<Value>::new());
    }
}

/// Calls the import off that is under way, while no process runs.
async fn cancel(database: &Database, home: &str) {
    let store = database.store(Options::default()).await;
    let organization_id = home.rsplit('/').next().expect("an id").parse().expect("an id");
    let actor = access::operator(&store, organization_id, None).await.expect("an operator");
    let imports = import::list(&store, &actor, import::ImportRunQuery::default()).await;
    let run = imports.expect("imports").items.remove(0);
    assert!(run.created > 0);
    import::cancel(WriteOnce::new(&store), &actor, run.id).await.expect("called off");
    store.close().await.expect("closed");
}

/// The command line works on the file of a server that runs.
#[each_lasting_database(flavor = "multi_thread")]
async fn a_large_import_at_the_command_line_lets_a_server_write(database: Database) {
    let process = Process::start(&database);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let member = ada.member_in(&home).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bank.csv");
    std::fs::write(&path, file("x", 5 * ROWS)).expect("a file");
    let mut command = steward(&database);
    let organization = home.rsplit('/').next().expect("an id");
    command.arg("import").arg(&path).args(["--organization", organization]);
    command.args(["--member", id(&member), "--date", "d", "--amount", "a", "--merchant", "m"]);
    let import = tokio::task::spawn_blocking(move || command.output().expect("steward runs"));
    let (mut written, mut longest) = (0, Duration::ZERO);
    while !import.is_finished() {
        let begun = Instant::now();
        ada.make(&format!("{home}/categories"), json!({ "name": format!("{written}") })).await;
        longest = longest.max(begun.elapsed());
        written += 1;
    }
    let output = import.await.expect("it has ended");
    println!("{written} writes beside an import, the longest took {longest:?}");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!((&report["state"], &report["created"]), (&json!("completed"), &json!(5 * ROWS)));
    assert!(written > 1, "nobody could write meanwhile");
    assert_eq!(spent(&ada, &home).await, 5 * ROWS);
}
