//! What was there before a release is told by the log after it.

use entity::storage_usage;
use reqwest::Method;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::json;
use service::Store;
use tests::{App, Database, at, each_database, id};

#[each_database]
async fn who_made_what_is_known_of_what_was_there_before_it_was_kept(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let manager = ada.invite(&company, "manager").await;
    let admin = ada.invite(&company, "admin").await;
    let bob = ada.invite(&company, "member").await;
    let of_bob = bob.member_in(&company).await["id"].clone();
    let expenses = format!("{company}/expenses");
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 5, "member_id": of_bob });
    let path = at(&expenses, &manager.make(&expenses, new).await);
    bob.patch(&path, json!({ "version": 1, "note": "b" })).await.expect(200);
    let by_key = manager_key(&admin, &company).await;
    let submit = json!({ "version": 2 });
    by_key.post(&format!("{path}/submit"), submit).await.expect(200);
    let entries = format!("{company}/time-entries");
    let day = json!({ "day": "2026-11-16", "minutes": 60, "member_id": of_bob });
    manager.make(&entries, day).await;
    let card = ada.all(&format!("{company}/timecards"), "").await.remove(0);
    let card = at(&format!("{company}/timecards"), &card);
    bob.post(&format!("{card}/submit"), json!({ "version": 1 })).await.expect(200);
    let invitations = format!("{company}/invitations");
    let invitation = admin.make(&invitations, json!({ "role": "viewer" })).await;
    let invitation = at(&invitations, &invitation);
    let paths = [&path, &card, &invitation];
    let mut before = Vec::new();
    for path in paths {
        before.push(ada.read(path).await);
    }
    let keys = ada.all(&format!("{company}/api-keys"), "").await;
    assert_eq!(before[0]["created_by_member_id"], manager.member_in(&company).await["id"]);
    assert_eq!(before[0]["changed_by_member_id"], of_bob);
    assert_eq!(before[0]["submitted_by_member_id"], admin.member_in(&company).await["id"]);
    assert!(keys.iter().any(|key| key["created_by_api_key_id"].is_string()));

    let migrations = app.store.migrations().await.expect("migrations");
    let from = migrations.iter().position(|(name, _)| name.contains("say_who_made_what"));
    let steps = migrations.len() - from.expect("the migration");
    app.store.migrate_down(u32::try_from(steps).expect("few")).await.expect("down");
    name_events_as_then(&app.store).await;
    app.store.migrate().await.expect("up");
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(ada.read(path).await, before, "{path}");
    }
    assert_eq!(ada.all(&format!("{company}/api-keys"), "").await, keys);
    // And so the rule holds for what was on its way.
    for (path, code) in [(&path, "own_expense"), (&card, "own_timecard")] {
        let version = ada.read(path).await["version"].clone();
        let approve = json!({ "version": version });
        let refused = manager.post(&format!("{path}/approve"), approve).await;
        refused.expect_problem(403, code);
    }
    app.stop().await;
}

#[each_database]
async fn rules_and_webhooks_wait_for_what_an_event_is_called_now(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let (rules, webhooks) = (format!("{company}/rules"), format!("{company}/webhooks"));
    let rule = json!({ "name": "Tag", "when": { "kind": "expense.updated" },
        "then": [{ "add_tag": "seen" }] });
    let rule = at(&rules, &ada.make(&rules, rule).await);
    let kinds = ["expense.updated", "expense.created", "budget.*"];
    let webhook = json!({ "url": "https://example.org/hook", "kinds": kinds });
    let webhook = at(&webhooks, &ada.make(&webhooks, webhook).await);
    let before = [ada.read(&rule).await, ada.read(&webhook).await];
    let migrations = app.store.migrations().await.expect("migrations");
    let from = migrations.iter().position(|(name, _)| name.contains("rename_changed_events"));
    let steps = migrations.len() - from.expect("the migration");
    app.store.migrate_down(u32::try_from(steps).expect("few")).await.expect("down");
    assert_eq!(ada.read(&rule).await["when"]["kind"], "expense.changed");
    let then = json!(["expense.changed", "expense.created", "budget.*"]);
    assert_eq!(ada.read(&webhook).await["kinds"], then);
    app.store.migrate().await.expect("up");
    assert_eq!([ada.read(&rule).await, ada.read(&webhook).await], before);
    app.stop().await;
}

#[each_database]
async fn what_documents_have_attached_counts_from_then_on(database: Database) {
    let app = App::start(&database).await;
    for has_file in [true, false] {
        let (ada, home) = app.owner_of("company").await;
        ada.make(&format!("{home}/collections"), json!({ "name": "notes" })).await;
        if has_file {
            let tasks = format!("{home}/tasks");
            let task = at(&tasks, &ada.make(&tasks, json!({ "title": "Scan" })).await);
            ada.attach(&task, "a.txt", "one").await.expect(201);
        }
        let organization = home.rsplit('/').next().expect("an id");
        let path = format!("/couch/{organization}~notes/a/f");
        let bytes = Some(b"three".to_vec());
        ada.send_bytes(Method::PUT, &path, "text/plain", bytes, &[]).await.expect(201);
    }
    let used = async || {
        let rows = storage_usage::Entity::find().all(app.store.read()).await.expect("rows");
        let mut bytes: Vec<i64> = rows.into_iter().map(|row| row.bytes).collect();
        bytes.sort_unstable();
        bytes
    };
    assert_eq!(used().await, [5, 8]);
    let migrations = app.store.migrations().await.expect("migrations");
    let from = migrations.iter().position(|(name, _)| name.contains("count_attachments"));
    let steps = migrations.len() - from.expect("the migration");
    app.store.migrate_down(u32::try_from(steps).expect("few")).await.expect("down");
    assert_eq!(used().await, [0, 3]);
    // Who had no file then had no row.
    let statement = "DELETE FROM storage_usage WHERE bytes = 0";
    let delete =
        app.store.write(async move |tx| Ok(tx.execute_unprepared(statement).await.map(drop)?));
    delete.await.expect("a row");
    app.store.migrate().await.expect("up");
    assert_eq!(used().await, [5, 8]);
    app.stop().await;
}

/// How the version before knew this row again.
const SUBWAY: (&str, &str) = (
    "Day,Shop,Sum\n2026-11-02,Subway,2.80\n",
    "cdafef1aaaf73e54b51da670451de99df0017bd2ff631f5866fdbb600f06bb43",
);

#[each_database]
async fn what_was_imported_before_members_had_rows_of_their_own_is_known(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let bob = ada.make(&format!("{home}/members"), json!({ "name": "Bob" })).await;
    let path = format!("{home}/expenses/import?date=Day&amount=Sum&merchant=Shop");
    let import = async |more: &str| {
        let report = ada.upload(&format!("{path}{more}"), SUBWAY.0).await.expect(200);
        ["created", "duplicates", "deleted_before"].map(|name| report[name].as_u64().unwrap())
    };
    assert_eq!(import("").await, [1, 0, 0]);
    migrate_again(
        &app.store,
        "keep_what_was_imported",
        &[&format!("UPDATE expense SET import_key = '{}'", SUBWAY.1)],
    )
    .await;
    assert_eq!(import("").await, [0, 1, 0]);
    assert_eq!(import(&format!("&member_id={}", id(&bob))).await, [1, 0, 0]);
    let expenses = format!("{home}/expenses");
    let of_ada = ada.all(&expenses, "?sort=created_at").await.remove(0);
    ada.delete(&format!("{}?version=1", at(&expenses, &of_ada))).await.expect(204);
    assert_eq!(import("").await, [0, 0, 1]);
    assert_eq!(import("&restore=true").await, [1, 0, 0]);
    assert_eq!(import("").await, [0, 1, 0]);
    app.stop().await;
}

#[each_database]
async fn texts_are_compared_in_one_form_after_they_were_compared_as_written(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up_as("Ada", "ada@bu\u{308}ro.example").await;
    let home = ada.found("household").await;
    let name = "Cafe\u{301}";
    let (categories, expenses) = (format!("{home}/categories"), format!("{home}/expenses"));
    ada.make(&categories, json!({ "name": name })).await;
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 5, "merchant": name,
        "tags": [name] });
    ada.make(&expenses, new).await;
    let key = "cafe\u{301}";
    let composed = "caf\u{e9}";
    let as_then = [
        "UPDATE \"user\" SET email_key = 'ada@bu\u{308}ro.example'".to_owned(),
        format!("UPDATE category SET name_key = '{key}', sibling_key = ':{key}'"),
        format!("UPDATE expense SET merchant_key = '{key}', search_key = '{key}'"),
        format!("UPDATE expense_tag SET tag_key = '{key}'"),
    ];
    let as_then: Vec<&str> = as_then.iter().map(String::as_str).collect();
    migrate_again(&app.store, "compare_texts_in_nfc", &as_then).await;
    let again = app.anonymous().log_in("ADA@b\u{fc}ro.example", tests::PASSWORD).await;
    again.expect(201);
    for form in [key, composed] {
        let twice = ada.post(&categories, json!({ "name": form })).await;
        twice.expect_problem(409, "duplicate");
        for query in [format!("?tag={form}"), format!("?q={form}")] {
            assert_eq!(ada.all(&expenses, &query).await.len(), 1, "{query:?}");
        }
    }
    app.stop().await;
}

/// Takes back what follows a migration, writes rows as the version before has, and migrates.
async fn migrate_again(store: &Store, name: &str, rows: &[&str]) {
    let migrations = store.migrations().await.expect("migrations");
    let from = migrations.iter().position(|(migration, _)| migration.contains(name));
    let steps = migrations.len() - from.expect("the migration");
    store.migrate_down(u32::try_from(steps).expect("few")).await.expect("down");
    let rows: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
    let written = store.write(async move |tx| {
        for row in &rows {
            tx.execute_unprepared(row).await?;
        }
        Ok(())
    });
    written.await.expect("rows are written");
    store.migrate().await.expect("up");
}

/// The version before that migration called an update a change.
async fn name_events_as_then(store: &Store) {
    let named = store.write(async move |tx| {
        let rename = "UPDATE event SET kind = replace(kind, '.updated', '.changed')";
        Ok(tx.execute_unprepared(rename).await.map(drop)?)
    });
    named.await.expect("renamed");
}

/// A key of an admin's that another key of theirs has made.
async fn manager_key(admin: &tests::Client, company: &str) -> tests::Client {
    let first = admin.with_key(company, "admin").await;
    let new = json!({ "name": "second", "role": "manager" });
    let second = first.make(&format!("{company}/api-keys"), new).await;
    assert!(!id(&second).is_empty());
    admin.with_token(second["token"].as_str().expect("a token"))
}
