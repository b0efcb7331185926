//! The program itself: killed in the middle of its work, several of it, and its command line.

// A test that cannot go on has failed: there is nothing better to do than to panic.
#![allow(clippy::expect_used)]

mod attachments;
mod clocks;
mod disk;
mod distribute;
mod doctor;
mod documents;
mod imports;
mod indexes;
mod keys;
mod listener;
mod nodes;
mod offboarding;
#[cfg(feature = "otel")]
mod otel;
mod payout;
mod settings;
mod stop;
mod support;
mod upgrade;
mod users;
mod webhooks;
mod zones;

use std::{path::Path, process::Output};

use serde_json::{Value, json};
use service::{Store, store::Options};
use tests::{
    Client, Database, each_lasting_database, id,
    log::{behind, catch_up, events, park, wait_until},
};
use tokio::sync::mpsc;

use crate::support::{Process, steward};

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

#[each_lasting_database(flavor = "multi_thread")]
async fn what_was_promised_before_a_kill_is_there_after_it(database: Database) {
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
}

/// An expense that is known by its key.
fn keyed_expense(key: &str) -> Value {
    let mut new = expense();
    new["merchant"] = json!(key);
    new
}

/// Writes until nobody answers any more. Gives the keys with their answers; the last has none.
async fn write_with_keys(
    client: Client,
    expenses: String,
    writer: String,
    told: mpsc::UnboundedSender<()>,
) -> Vec<(String, Option<String>)> {
    let mut sent = Vec::new();
    loop {
        let key = format!("{writer}-{}", sent.len());
        let answer = client.keyed(&key).try_post(&expenses, keyed_expense(&key)).await;
        let text = answer.map(|answer| (answer.status.as_u16(), answer.text));
        assert!(text.as_ref().is_none_or(|(status, _)| *status == 201), "{text:?}");
        let gone = text.is_none();
        sent.push((key, text.map(|(_, text)| text)));
        let _ = told.send(());
        if gone {
            return sent;
        }
    }
}

/// What nobody has heard of is sent again, and so is what was answered: each is done once.
#[each_lasting_database(flavor = "multi_thread")]
async fn a_retry_after_a_kill_is_done_once(database: Database) {
    let mut process = Process::start(&database);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let expenses = format!("{home}/expenses");
    let mut keys = Vec::new();
    for round in 1..=4 {
        let (told, mut tells) = mpsc::unbounded_channel();
        let here = ada.at(&process.base);
        let writers: Vec<_> = (0..8)
            .map(|writer| format!("key-{round}-{writer}"))
            .map(|it| write_with_keys(here.clone(), expenses.clone(), it, told.clone()))
            .map(tokio::spawn)
            .collect();
        drop(told);
        for _ in 0..round * 20 {
            tells.recv().await.expect("a writer writes");
        }
        drop(process);
        process = Process::start(&database);
        let here = ada.at(&process.base);
        for writer in writers {
            for (key, before) in writer.await.expect("a writer ends") {
                let again = here.keyed(&key).post(&expenses, keyed_expense(&key)).await;
                assert_eq!(again.status, 201, "{}", again.text);
                if let Some(before) = before {
                    assert!(again.is_replayed() && again.text == before, "{key}");
                }
                keys.push(key);
            }
        }
    }
    let rows = ada.at(&process.base).all(&expenses, "?limit=500").await;
    let mut merchants: Vec<_> = rows.iter().filter_map(|row| row["merchant"].as_str()).collect();
    merchants.sort_unstable();
    keys.sort_unstable();
    assert_eq!(merchants, keys, "each key has one effect");
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

#[each_lasting_database(flavor = "multi_thread")]
async fn the_command_line_imports_as_the_api_does(database: Database) {
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
    let skip = ["--create-categories", "--on-error", "skip", "--sign", "debit_positive"];
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
}

/// What was told, as budget and percent, in order.
async fn thresholds(store: &Store) -> Vec<(String, i64)> {
    let events = events(store, "budget.threshold_reached").await;
    let told = events.into_iter().map(|event| {
        let data = event.data.expect("data");
        (data["name"].as_str().expect("a name").to_owned(), data["percent"].as_i64().expect("%"))
    });
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

const BUDGETS: i64 = 20;

/// After how many kills, at most, one must have left something to do.
const MOST_KILLS: usize = 40;

/// Budgets of a hundred to two thousand, so that some threshold is always near.
async fn make_budgets(client: &Client, home: &str) {
    for number in 1..=BUDGETS {
        let budget = json!({ "name": format!("{number:02}"), "period": "month",
            "amount_minor": number * 100, "starts_on": "2026-01-01" });
        client.make(&format!("{home}/budgets"), budget).await;
    }
}

#[each_lasting_database(flavor = "multi_thread")]
async fn thresholds_are_told_once_whatever_is_killed_when(database: Database) {
    let mut process = Process::start(&database);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let expenses = format!("{home}/expenses");
    make_budgets(&ada, &home).await;
    let store = database.store(Options::default()).await;
    let (mut told_then, mut waited, mut round) = (0, 0, 0);
    while round < 6 || waited == 0 {
        assert!(round < MOST_KILLS, "nothing was left to do after any kill");
        round += 1;
        let (promise, mut promises) = mpsc::unbounded_channel();
        let here = ada.at(&process.base);
        let writers: Vec<_> = (0..4)
            .map(|_| write_until_it_is_gone(here.clone(), expenses.clone(), promise.clone()))
            .map(tokio::spawn)
            .collect();
        drop(promise);
        // In the middle of the telling: it has gone on since the last time.
        wait_until("somebody is told", async || thresholds(&store).await.len() > told_then.min(30))
            .await;
        for _ in 0..round {
            promises.recv().await.expect("a writer writes");
        }
        drop(process);
        for writer in writers {
            writer.await.expect("a writer ends");
        }
        waited += behind(&store, "budget_thresholds").await;
        let told = thresholds(&store).await;
        let mut once = told.clone();
        once.dedup();
        assert_eq!(told, once, "after round {round}");
        told_then = told.len();
        process = Process::start(&database);
    }
    for _ in 0..BUDGETS * 10 {
        ada.at(&process.base).make(&expenses, expense()).await;
    }
    catch_up(&store, "budget_thresholds").await;
    let all: Vec<_> = (1..=BUDGETS)
        .flat_map(|number| [80, 100].map(|percent| (format!("{number:02}"), percent)))
        .collect();
    assert_eq!(thresholds(&store).await, all);
    drop(process);
    let parked = steward(&database).args(["events", "parked"]).output().expect("it runs");
    assert_eq!((parked.status.code(), &*parked.stdout), (Some(0), &b"none\n"[..]));
    store.close().await.expect("closed");
}

/// The expenses about which tasks were made, by title, each as often as one was.
async fn tasks_about(ada: &Client, home: &str, title: &str) -> Vec<String> {
    let tasks = ada.all(&format!("{home}/tasks"), "").await;
    let about = tasks.iter().filter(|task| task["title"] == title);
    let expense = |task: &Value| task["metadata"]["expense_id"].as_str().expect("one").to_owned();
    let mut about: Vec<_> = about.map(expense).collect();
    about.sort();
    about
}

#[each_lasting_database(flavor = "multi_thread")]
async fn tasks_about_expenses_are_made_once_whatever_is_killed_when(database: Database) {
    let mut process = Process::start(&database);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let least = json!({ "version": 1, "large_expense_minor": 9 });
    ada.patch(&home, least).await.expect(200);
    let rule = json!({ "name": "Look", "when": { "kind": "expense.created" },
        "then": [{ "create_task": { "title": "Look" } }] });
    ada.make(&format!("{home}/rules"), rule).await;
    let expenses = format!("{home}/expenses");
    let store = database.store(Options::default()).await;
    let (mut waited, mut made, mut round) = (0, 0, 0);
    let consumers = ["large_expenses", "rules"];
    while round < 4 || waited == 0 {
        assert!(round < MOST_KILLS, "nothing was left to do after any kill");
        round += 1;
        let (promise, mut promises) = mpsc::unbounded_channel();
        let here = ada.at(&process.base);
        let writers: Vec<_> = (0..4)
            .map(|_| write_until_it_is_gone(here.clone(), expenses.clone(), promise.clone()))
            .map(tokio::spawn)
            .collect();
        drop(promise);
        // In the middle of the making.
        wait_until("tasks are made", async || events(&store, "task.created").await.len() > made)
            .await;
        for _ in 0..round {
            promises.recv().await.expect("a writer writes");
        }
        drop(process);
        for writer in writers {
            writer.await.expect("a writer ends");
        }
        made = events(&store, "task.created").await.len();
        for consumer in consumers {
            waited += behind(&store, consumer).await;
        }
        process = Process::start(&database);
    }
    for consumer in consumers {
        catch_up(&store, consumer).await;
    }
    let ada = ada.at(&process.base);
    let all = ada.all(&expenses, "").await;
    let mut all: Vec<_> = all.iter().map(|expense| id(expense).to_owned()).collect();
    all.sort();
    for title in ["Look", "Review large expense: without a category"] {
        assert_eq!(tasks_about(&ada, &home, title).await, all, "{title}");
    }
    drop(process);
    let parked = steward(&database).args(["events", "parked"]).output().expect("it runs");
    assert_eq!((parked.status.code(), &*parked.stdout), (Some(0), &b"none\n"[..]));
    store.close().await.expect("closed");
}

#[each_lasting_database(flavor = "multi_thread")]
async fn an_operator_puts_parked_events_back_while_the_server_runs(database: Database) {
    let process = Process::start(&database);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    ada.make(&format!("{home}/expenses"), expense()).await;
    let store = database.store(Options::default()).await;
    let waits = async || behind(&store, "budget_thresholds").await > 0;
    wait_until("the expense is seen", async || !waits().await).await;
    // Of a month that is over: told only with an expense of it.
    let budget = json!({ "name": "All", "period": "month", "amount_minor": 10,
        "starts_on": "2026-11-01", "ends_on": "2026-11-01" });
    ada.make(&format!("{home}/budgets"), budget).await;
    wait_until("the budget is seen", async || !waits().await).await;
    assert_eq!(thresholds(&store).await, []);
    let made = events(&store, "expense.created").await.remove(0);
    let id = park(&store, "budget_thresholds", &made).await.to_string();
    let run = |arguments: &[&str]| {
        let output = steward(&database).arg("events").args(arguments).output();
        let output = output.expect("steward runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let (code, shown) = run(&["parked"]);
    assert_eq!(code, Some(0));
    for part in [&*id, "budget_thresholds", "expense.created", "it was not its day"] {
        assert!(shown.contains(part), "{shown}");
    }
    assert_eq!(run(&["retry", &made.id.to_string()]).0, Some(1), "that one is not parked");
    assert_eq!(run(&["retry"]).0, Some(2), "which one?");
    assert_eq!(run(&["retry", &id]), (Some(0), "1 event is tried again\n".into()));
    wait_until("it is parked no more", async || run(&["parked"]).1 == "none\n").await;
    let told = [("All".to_owned(), 80), ("All".to_owned(), 100)];
    wait_until("it is told", async || thresholds(&store).await == told).await;
    assert_eq!(run(&["retry", "--all"]), (Some(0), "0 events are tried again\n".into()));
    drop(process);
    store.close().await.expect("closed");
}
