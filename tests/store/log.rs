//! The log: positions, the chain, and what `steward verify` sees.

use entity::event;
use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use service::{
    Store,
    event::verify::{Findings, verify},
};
use tests::{App, Database, each_database, id};
use uuid::Uuid;

async fn log_of(store: &Store, log: Uuid) -> Vec<event::Model> {
    let events = event::Entity::find().filter(event::COLUMN.organization_id.eq(log));
    events.order_by_asc(event::Column::Position).all(store.read()).await.expect("the log")
}

async fn faults(store: &Store) -> Vec<String> {
    let findings = verify(store).await.expect("the log can be walked");
    findings.into_iter().flat_map(|Findings { faults, .. }| faults).collect()
}

/// Changes the log behind steward's back.
async fn tamper(store: &Store, log: Uuid, position: i64, change: event::ActiveModel) {
    let changed = store.write(async move |tx| {
        let rows = event::Entity::update_many().set(change.clone());
        let rows = rows.filter(event::COLUMN.organization_id.eq(log));
        rows.filter(event::COLUMN.position.eq(position)).exec(tx).await?;
        Ok(())
    });
    changed.await.expect("the log can be tampered with");
}

#[each_database]
async fn a_log_that_was_tampered_with_shows(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let log = Uuid::try_parse(home.rsplit('/').next().expect("an id")).expect("an id");
    for merchant in ["Café", "Bakery", "Kiosk"] {
        let details = json!({ "z": 1.5, "a": [1e-7, 1e19, null], "é": { "b": 1, "aa": 2 } });
        let new = json!({ "spent_on": "2026-11-01", "amount_minor": 7, "merchant": merchant,
            "details": details });
        let expense = ada.make(&format!("{home}/expenses"), new).await;
        let path = format!("{home}/expenses/{}", id(&expense));
        ada.patch(&path, json!({ "note": "x", "version": 1 })).await.expect(200);
    }
    assert_eq!(app.run_until_idle().await, ());
    let events = log_of(&app.store, log).await;
    let positions: Vec<_> = events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=8).map(Some).collect::<Vec<_>>());
    assert_eq!(faults(&app.store).await, Vec::<String>::new());

    let original = events[4].clone();
    let back = |original: &event::Model| event::ActiveModel {
        data: Set(original.data.clone()),
        kind: Set(original.kind.clone()),
        ..Default::default()
    };
    let kind = event::ActiveModel { kind: Set("expense.deleted".into()), ..Default::default() };
    tamper(&app.store, log, 5, kind).await;
    assert_eq!(faults(&app.store).await, ["position 5 is not as it was written"]);
    tamper(&app.store, log, 5, back(&original)).await;
    let mut data = original.data.clone().expect("data");
    data["amount_minor"] = json!(8);
    let data = event::ActiveModel { data: Set(Some(data)), ..Default::default() };
    tamper(&app.store, log, 5, data).await;
    let found = faults(&app.store).await;
    assert_eq!(found, ["the data of position 5 is not as it was written"]);
    // What is erased is not what is forged.
    let erased = event::ActiveModel { data: Set(None), ..Default::default() };
    tamper(&app.store, log, 5, erased).await;
    assert_eq!(faults(&app.store).await, Vec::<String>::new());

    for (removed, faults_then) in [(8, 1), (5, 2)] {
        let position = removed;
        let gone = app.store.write(async move |tx| {
            event::Entity::delete_many()
                .filter(event::COLUMN.organization_id.eq(log))
                .filter(event::COLUMN.position.eq(position))
                .exec(tx)
                .await?;
            Ok(())
        });
        gone.await.expect("an event can be removed behind steward's back");
        assert!(faults(&app.store).await.len() >= faults_then, "{removed} is missing");
    }
    app.stop().await;
}
