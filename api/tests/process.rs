//! The program itself: killed in the middle of its work, several of it, and its command line.

// A test that cannot go on has failed: there is nothing better to do than to panic.
#![allow(clippy::expect_used)]

#[path = "process/nodes.rs"]
mod nodes;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};
use tests::{Client, Database, each_lasting_database, id};
use tokio::sync::mpsc;

/// A running `steward serve`. It is killed when this goes, as by a power cut.
struct Process {
    child: Child,
    base: String,
}

fn steward(database: &Database) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steward"));
    command.env_clear().env("DATABASE_URL", &database.url);
    command
}

impl Process {
    fn start(database: &Database) -> Self {
        Self::start_with(database, &[])
    }

    fn start_with(database: &Database, more: &[&str]) -> Self {
        let mut command = steward(database);
        command.args(["--listen", "127.0.0.1:0", "--workers", "1"]).args(more);
        command.stderr(Stdio::piped());
        let mut child = command.spawn().expect("steward starts");
        let log = BufReader::new(child.stderr.take().expect("a log"));
        let mut lines = log.lines().map_while(Result::ok);
        let base = lines.find_map(|line| {
            let (_, rest) = line.split_once("the API is at ")?;
            Some(rest.split_once("/v1")?.0.to_owned())
        });
        // Somebody reads the rest, or the process would wait for it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, base: base.expect("steward says where it listens") }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn expense() -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": 10,
        "items": [{ "name": "a", "amount_minor": 4 }, { "name": "b", "amount_minor": 6 }] })
}

/// Writes until nobody answers any more, and says which expenses were promised.
async fn write_until_it_is_gone(
    client: Client,
    expenses: String,
    promised: mpsc::UnboundedSender<Value>,
) {
    while let Some(answer) = client.try_post(&expenses, expense()).await {
        let _ = promised.send(answer.expect(201)["id"].clone());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_promised_before_a_kill_is_there_after_it() {
    each_lasting_database(async |database| {
        let mut process = Process::start(&database);
        let ada = Client::new(&process.base).sign_up("Ada").await;
        let home = ada.found("household").await;
        let expenses = format!("{home}/expenses");
        let mut promised = Vec::new();
        for round in 1..=4 {
            let (promise, mut promises) = mpsc::unbounded_channel();
            let here = ada.at(&process.base);
            let writers: Vec<_> = (0..8)
                .map(|_| write_until_it_is_gone(here.clone(), expenses.clone(), promise.clone()))
                .map(tokio::spawn)
                .collect();
            drop(promise);
            for _ in 0..round * 20 {
                promised.push(promises.recv().await.expect("a writer writes"));
            }
            drop(process);
            for writer in writers {
                writer.await.expect("a writer ends");
            }
            while let Some(id) = promises.recv().await {
                promised.push(id);
            }
            process = Process::start(&database);
            let rows = ada.at(&process.base).all(&expenses, "?limit=500").await;
            assert!(rows.iter().all(|row| row["items"].as_array().map(Vec::len) == Some(2)));
            for id in &promised {
                assert!(rows.iter().any(|row| row["id"] == *id), "{id} was promised");
            }
        }
    })
    .await;
}

fn import(database: &Database, home: &str, member: &str, file: &Path, more: &[&str]) -> Output {
    let organization = home.rsplit('/').next().expect("an id");
    let mut command = steward(database);
    command.arg("import").arg(file).args(["--organization", organization, "--member", member]);
    command.args(["--date", "d", "--amount", "a", "--category", "c"]).args(more);
    command.output().expect("steward runs")
}

fn report(output: &Output) -> [u64; 3] {
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    ["created", "duplicates", "failed"].map(|name| report[name].as_u64().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_imports_as_the_api_does() {
    each_lasting_database(async |database| {
        let process = Process::start(&database);
        let ada = Client::new(&process.base).sign_up("Ada").await;
        let home = ada.found("household").await;
        let member = ada.member_in(&home).await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("bank.csv");
        let run = |more: &[&str]| import(&database, &home, id(&member), &file, more);
        std::fs::write(&file, "d,a,c\n2026-11-01,1.00,Food\n2026-11-02,x,Food\n").expect("a file");
        let aborted = run(&["--create-categories"]);
        assert_eq!((aborted.status.code(), report(&aborted)), (Some(1), [0, 0, 1]));
        let all = async || ada.all(&format!("{home}/expenses"), "").await;
        assert_eq!(all().await, Vec::<Value>::new());
        let skip = ["--create-categories", "--on-error", "skip"];
        for (more, counts) in [
            (&[&skip[..], &["--dry-run"]].concat()[..], [1, 0, 1]),
            (&skip, [1, 0, 1]),
            (&skip, [0, 1, 1]),
        ] {
            let output = run(more);
            assert_eq!((output.status.code(), report(&output)), (Some(0), counts), "{more:?}");
        }
        let path = format!("{home}/expenses/import?date=d&amount=a&category=c");
        let again = ada.upload(&path, "d,a,c\n2026-11-01,1,Food\n").await.expect(200);
        assert_eq!(again["duplicates"], 1, "the same as over the API");
        assert_eq!(all().await.len(), 1);
        let missing = import(&database, &home, id(&member), Path::new("nowhere.csv"), &[]);
        assert_eq!(missing.status.code(), Some(1));
    })
    .await;
}
