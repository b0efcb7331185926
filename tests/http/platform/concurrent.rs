//! Many clients at once: no change is lost, and nobody's failure is anybody else's.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{App, Client, Database, at, back_off, each_lasting_database};

const WRITERS: u64 = 32;
/// As many as take seconds in a debug build; the store's suite makes 200 each.
const INCREMENTS: u64 = 20;

/// Adds one to the amount of an expense, again and again, and gives how often it came too late.
async fn increment(client: &Client, path: &str, writer: u64) -> u64 {
    let mut current = client.read(path).await;
    let (mut done, mut late, mut in_a_row) = (0, 0, 0);
    while done < INCREMENTS {
        let amount = current["amount_minor"].as_i64().expect("an amount") + 1;
        let change = json!({ "version": current["version"], "amount_minor": amount });
        let answer = client.patch(path, change).await;
        if answer.status == 409 {
            late += 1;
            in_a_row += 1;
            current = answer.expect_problem(409, "version_conflict")["current"].take();
            back_off(writer + late, in_a_row).await;
            continue;
        }
        current = answer.expect(200);
        (done, in_a_row) = (done + 1, 0);
    }
    late
}

#[each_lasting_database(flavor = "multi_thread")]
async fn no_increment_of_32_writers_is_lost(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 1 });
    let path = at(&expenses, &ada.make(&expenses, new).await);
    let writers = (0..WRITERS).map(|writer| {
        let (ada, path) = (ada.clone(), path.clone());
        tokio::spawn(async move { increment(&ada, &path, writer).await })
    });
    let late: u64 = join_all(writers).await.into_iter().map(|late| late.expect("done")).sum();
    let expense = ada.read(&path).await;
    assert_eq!(expense["amount_minor"], 1 + WRITERS * INCREMENTS);
    assert_eq!(expense["version"], 1 + WRITERS * INCREMENTS);
    assert!(late > 0, "nobody was in anybody's way: this has tested nothing");
    app.stop().await;
}

/// What a writer tries in one round, and how that ends.
fn attempt(round: usize) -> (Value, u16) {
    let good = json!({ "spent_on": "2026-11-01", "amount_minor": 10,
        "items": [{ "name": "a", "amount_minor": 4 }, { "name": "b", "amount_minor": 6 }] });
    let mut bad = good.clone();
    let (name, status) = match round % 4 {
        0 => ("category_id", 422),
        1 => ("id", 409),
        _ => return (good, 201),
    };
    bad[name] = json!("0199aaaa-0000-7000-8000-000000000000");
    (bad, status)
}

/// On SQLite they share commits: each failure takes back its own changes alone.
#[each_lasting_database(flavor = "multi_thread")]
async fn writes_that_fail_take_nothing_of_others_with_them(database: Database) {
    const ROUNDS: usize = 40;
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let taken = json!({ "spent_on": "2026-11-01", "amount_minor": 10,
        "id": "0199aaaa-0000-7000-8000-000000000000" });
    ada.make(&expenses, taken).await;
    let writers = (0..16).map(|writer| {
        let (ada, expenses) = (ada.clone(), expenses.clone());
        tokio::spawn(async move {
            let mut written = Vec::new();
            for round in 0..ROUNDS {
                let (new, status) = attempt(round + writer);
                let answer = ada.post(&expenses, new).await.expect(status);
                if status == 201 {
                    written.push(answer["id"].clone());
                }
            }
            written
        })
    });
    let mut promised = vec![json!("0199aaaa-0000-7000-8000-000000000000")];
    for written in join_all(writers).await {
        promised.extend(written.expect("done"));
    }
    let rows = ada.all(&expenses, "?limit=500").await;
    let mut there: Vec<_> = rows.iter().map(|row| row["id"].clone()).collect();
    let key = |id: &Value| id.as_str().map(str::to_owned);
    promised.sort_by_key(key);
    there.sort_by_key(key);
    assert_eq!(there, promised);
    let whole = rows.iter().filter(|row| row["items"].as_array().map(Vec::len) == Some(2));
    assert_eq!(whole.count(), rows.len() - 1, "all but the one without lines");
    app.stop().await;
}
