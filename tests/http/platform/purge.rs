//! Organizations and webhooks that are deleted: nobody finds them any more at once, and all that they held goes.

use entity::{event, webhook_attempt, webhook_delivery};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    Statement,
};
use serde_json::{Value, json};
use service::{event as log, money::journal_entry, purge::table_names, store::Store};
use tests::{App, Client, Database, Receiver, Sample, at, each_database, id};
use uuid::Uuid;

use crate::automation::webhook::{options, subscribe};

/// More than one transaction removes.
const MANY: u64 = 450;

/// The tables in which there are rows of an organization, with how many there are.
async fn left(store: &Store, organization_id: Uuid) -> Vec<(&'static str, i64)> {
    let mut left = Vec::new();
    let backend = store.read().get_database_backend();
    for table in table_names() {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE organization_id = $1");
        let count = Statement::from_sql_and_values(backend, sql, [organization_id.into()]);
        let count = store.read().query_one_raw(count).await.unwrap().unwrap();
        let count: i64 = count.try_get_by_index(0).unwrap();
        left.extend((count > 0).then_some((table, count)));
    }
    left
}

fn organization_id(path: &str) -> Uuid {
    path.rsplit('/').next().unwrap().parse().unwrap()
}

/// Entries that each are reversed, so that two refer to each other, and categories of which those made first lie in
/// those made last.
async fn link_rows(owner: &Client, sample: &Sample) {
    let (entries, home) =
        (format!("{}/journal-entries", sample.organization), &sample.organization);
    let entry = json!({ "occurred_on": "2026-11-02", "transfers": [{
        "debit_account_id": sample.value("debit"), "credit_account_id": sample.value("credit"),
        "amount_minor": 5, "currency": "EUR" }] });
    for _ in 0..130 {
        let made = owner.make(&entries, entry.clone()).await;
        let reverse = format!("{}/reverse", at(&entries, &made));
        owner.post(&reverse, json!({ "version": 1 })).await.expect(200);
    }
    let categories = format!("{home}/categories");
    let mut below: Option<Value> = None;
    for number in 0..5 {
        let made = owner.make(&categories, json!({ "name": format!("c{number}") })).await;
        if let Some(below) = below {
            let into = json!({ "version": 1, "parent_id": made["id"] });
            owner.patch(&at(&categories, &below), into).await.expect(200);
        }
        below = Some(made);
    }
}

#[each_database]
async fn of_an_organization_that_is_deleted_nothing_is_found_and_then_nothing_is_left(
    database: Database,
) {
    let app = App::start(&database).await;
    let other = Sample::make(&app.anonymous()).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let sample = Sample::of(&ada).await;
    let home = &sample.organization;
    link_rows(&ada, &sample).await;
    let changes: Vec<_> = (0..MANY)
        .map(|n| {
            json!({ "entity": "task", "op": "create", "id": Uuid::from_u128(u128::from(n) + 1),
                "data": { "title": "x" } })
        })
        .collect();
    ada.post(&format!("{home}/sync"), json!({ "changes": changes })).await.expect(200);
    let new = json!({ "name": "till", "role": "owner" });
    let key = ada.make(&format!("{home}/api-keys"), new).await;
    let key = app.anonymous().with_token(key["token"].as_str().unwrap());
    key.read(home).await;
    app.run_until_idle().await;
    let before = other.state().await;

    let version = ada.read(home).await["version"].clone();
    ada.delete(&format!("{home}?version={version}")).await.expect(204);
    let organization_id = organization_id(home);
    let events = event::Entity::find().filter(event::COLUMN.organization_id.eq(organization_id));
    assert!(events.count(app.store.read()).await.unwrap() > MANY, "they take many transactions");
    for client in [&ada, &sample.clerk] {
        client.get(home).await.expect_problem(404, "not_found");
        client.get(&format!("{home}/events")).await.expect_problem(404, "not_found");
        assert_eq!(client.all("/v1/organizations", "").await, Vec::<Value>::new());
    }
    key.get(home).await.expect_problem(401, "unauthenticated");
    let invitation = format!("/v1/invitations/{}/accept", sample.value("token"));
    let linus = app.anonymous().sign_up("Linus").await;
    linus.post(&invitation, json!({})).await.expect_problem(404, "not_found");
    let new = json!({ "id": organization_id, "kind": "household", "name": "Again",
        "currency": "EUR", "time_zone": "UTC" });
    // An id that was ever taken stays so.
    ada.post("/v1/organizations", new).await.expect_problem(409, "duplicate");
    for found in log::verify::verify(&app.store).await.unwrap() {
        assert_eq!(found.faults, Vec::<String>::new());
        assert_ne!(found.organization_id, organization_id);
    }
    for found in journal_entry::verify::verify(&app.store).await.unwrap() {
        assert_ne!(found.organization_id, organization_id);
    }

    app.run_until_idle().await;
    assert_eq!(left(&app.store, organization_id).await, []);
    let gone = entity::organization::Entity::find_by_id(organization_id);
    assert_eq!(gone.one(app.store.read()).await.unwrap(), None);
    other.assert_unchanged(&before).await;
    app.stop().await;
}

#[each_database]
async fn the_deliveries_of_a_webhook_that_is_deleted_go_and_those_of_others_stay(
    database: Database,
) {
    let app = App::start_with(&database, options()).await;
    let receiver = Receiver::answering(200);
    let one = subscribe(&app, &receiver, &["expense.*"]).await;
    let webhooks = format!("{}/webhooks", one.home);
    let new = json!({ "url": receiver.url, "kinds": ["expense.*"] });
    let other = at(&webhooks, &one.ada.make(&webhooks, new).await);
    one.expense().await;
    app.run_until_idle().await;
    let delivery = one.deliveries().await.remove(0);
    let delivery = at(&format!("{}/deliveries", one.home), &delivery);
    let row = one.ada.read(&delivery).await;
    assert_eq!(row["attempts"].as_array().map(Vec::len), Some(1), "{row}");
    let kept = webhook_delivery::Entity::find_by_id((
        organization_id(&one.home),
        id(&row).parse().unwrap(),
    ));
    let more = kept.one(app.store.read()).await.unwrap().unwrap();
    let more = app.store.write(async move |tx| {
        let copy = |number| webhook_delivery::Model { id: Uuid::from_u128(number), ..more.clone() };
        let rows = (1..=u128::from(MANY)).map(|it| copy(it).into_active_model().reset_all());
        webhook_delivery::Entity::insert_many(rows).exec_without_returning(tx).await?;
        Ok(())
    });
    more.await.unwrap();

    one.ada.delete(&format!("{}?version=1", one.path)).await.expect(204);
    for path in [&one.path, &format!("{}/deliveries", one.path), &delivery] {
        one.ada.get(path).await.expect_problem(404, "not_found");
    }
    one.ada.post(&format!("{delivery}/resend"), json!({})).await.expect_problem(404, "not_found");
    let listed = one.ada.all(&webhooks, "").await;
    assert_eq!(listed.len(), 1);
    assert_eq!(at(&webhooks, &listed[0]), other);
    let sent = receiver.messages().len();
    one.expense().await;
    app.run_until_idle().await;
    assert_eq!(receiver.messages().len(), sent + 1, "to the other alone");
    let deliveries = webhook_delivery::Entity::find().all(app.store.read()).await.unwrap();
    let other_id: Uuid = id(&listed[0]).parse().unwrap();
    assert_eq!(deliveries.len(), 2);
    assert!(deliveries.iter().all(|delivery| delivery.webhook_id == other_id));
    let attempts = webhook_attempt::Entity::find().count(app.store.read()).await.unwrap();
    assert_eq!(attempts, 2);
    assert_eq!(one.ada.all(&format!("{}/history", one.path), "").await.len(), 2);
    app.stop().await;
}
