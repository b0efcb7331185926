//! Many writers of one row.

use futures_util::future::join_all;
use serde_json::{Value, json};
use service::{
    Actor, Error, Store,
    identity::access,
    input::{Change, FromBody},
    money::expense::{Expense, ExpenseInput},
    resource,
    store::versioned::Expected,
};
use tests::{App, Database, back_off, each_lasting_database, id};
use uuid::Uuid;

const WRITERS: i64 = 32;
const INCREMENTS: i64 = 200;

/// Adds one to the amount of an expense, against the version that it has then.
async fn add_one(store: &Store, actor: &Actor, expense: &Value) -> Result<Expense, Error> {
    let amount = expense["amount_minor"].as_i64().expect("an amount") + 1;
    let change = Change::<ExpenseInput>::from_body(json!({ "amount_minor": amount }))?;
    let version = expense["version"].as_i64().expect("a version");
    let id = Uuid::try_parse(id(expense)).expect("an id");
    resource::change(store, actor, id, Expected::Version(version), change).await
}

/// Adds one again and again, and gives how often it came too late.
async fn increment(store: Store, actor: Actor, mut current: Value, writer: u64) -> u64 {
    let (mut done, mut late, mut in_a_row) = (0, 0, 0);
    while done < INCREMENTS {
        match add_one(&store, &actor, &current).await {
            Ok(expense) => {
                current = serde_json::to_value(expense).expect("JSON");
                (done, in_a_row) = (done + 1, 0);
            }
            Err(Error::Stale(stale)) => {
                current = stale.current;
                late += 1;
                in_a_row += 1;
                back_off(writer + late, in_a_row.min(5)).await;
            }
            Err(other) => panic!("neither done nor too late: {other}"),
        }
    }
    late
}

#[each_lasting_database(flavor = "multi_thread")]
async fn no_increment_of_32_writers_is_lost(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 1 });
    let expense = ada.make(&format!("{home}/expenses"), new).await;
    let organization = home.rsplit('/').next().and_then(|id| Uuid::try_parse(id).ok());
    let organization = organization.expect("an organization's path ends with its id");
    let actor = access::operator(&app.store, organization, None).await.expect("an actor");
    let writers = (0..32).map(|writer| {
        let (store, actor, expense) = (app.store.clone(), actor.clone(), expense.clone());
        tokio::spawn(increment(store, actor, expense, writer))
    });
    let late: u64 = join_all(writers).await.into_iter().map(|late| late.expect("done")).sum();
    let expense = ada.read(&tests::at(&format!("{home}/expenses"), &expense)).await;
    assert_eq!(expense["amount_minor"], 1 + WRITERS * INCREMENTS);
    assert_eq!(expense["version"], 1 + WRITERS * INCREMENTS);
    assert!(late > 0, "nobody was in anybody's way: this has tested nothing");
    app.stop().await;
}
