//! What was: history, `as_of`, and the way back.

use entity::event;
use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database, id};

fn kinds(events: &[Value]) -> Vec<(&str, i64)> {
    let each = events.iter().map(|it| (it["kind"].as_str(), it["version"].as_i64()));
    each.map(|(kind, version)| (kind.unwrap(), version.unwrap())).collect()
}

async fn expense(client: &Client, home: &str, more: Value) -> (String, Value) {
    let mut new = json!({ "spent_on": "2026-11-01", "amount_minor": 700, "merchant": "Café" });
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = client.make(&format!("{home}/expenses"), new).await;
    (at(&format!("{home}/expenses"), &made), made)
}

#[each_database]
async fn a_history_tells_every_version_at_once_and_stays_when_the_row_is_gone(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (path, made) = expense(&ada, &home, json!({})).await;
    let changed = ada.patch(&path, json!({ "note": "x", "version": 1 })).await;
    let request_id = changed.headers["x-request-id"].to_str().unwrap().to_owned();
    let changed = changed.expect(200);
    let history = ada.all(&format!("{path}/history"), "").await;
    assert_eq!(kinds(&history), [("expense.updated", 2), ("expense.created", 1)]);
    assert_eq!((&history[0]["data"], &history[1]["data"]), (&changed, &made));
    let me = ada.member_in(&home).await;
    assert_eq!(history[0]["author"], json!({ "kind": "member", "id": me["id"] }));
    assert_eq!(history[0]["request_id"], request_id);
    assert_eq!(history[0]["entity_id"], made["id"]);
    assert_eq!(history[0]["effect"], "written");
    assert_eq!(history[0]["at"], changed["updated_at"]);
    app.run_until_idle().await;
    let positioned = ada.all(&format!("{path}/history"), "").await;
    assert!(positioned[0]["position"].as_i64() > positioned[1]["position"].as_i64());

    ada.delete(&format!("{path}?version=2")).await.expect(204);
    let history = ada.all(&format!("{path}/history"), "?limit=1").await;
    let told = [("expense.deleted", 3), ("expense.updated", 2), ("expense.created", 1)];
    assert_eq!(kinds(&history), told);
    assert_eq!((&history[0]["effect"], &history[0]["data"]), (&json!("removed"), &changed));
    app.stop().await;
}

#[each_database]
async fn everything_that_can_be_read_has_a_history(database: Database) {
    let app = App::start(&database).await;
    let sample = tests::Sample::make(&app.anonymous()).await;
    for route in tests::Route::all().iter().filter(|route| route.resource().is_some()) {
        if route.method != reqwest::Method::GET {
            continue;
        }
        let path = sample.path(route);
        let now = sample.owner.read(&path).await;
        let history = sample.owner.all(&format!("{path}/history"), "").await;
        assert_eq!(history[0]["data"], now, "{}", route.name());
        let instant = now["updated_at"].as_str().unwrap();
        let then = sample.owner.get(&format!("{path}?as_of={instant}")).await;
        assert_eq!(then.headers["etag"].to_str().unwrap(), format!("\"{}\"", now["version"]));
        assert_eq!(then.expect(200), now, "{}", route.name());
    }
    app.stop().await;
}

#[each_database]
async fn a_resource_is_shown_as_it_was(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (path, made) = expense(&ada, &home, json!({ "details": { "a": 1 } })).await;
    let mut states = vec![made];
    for version in 1..4 {
        let note = json!({ "note": format!("{version}"), "version": version });
        states.push(ada.patch(&path, note).await.expect(200));
    }
    ada.delete(&format!("{path}?version=4")).await.expect(204);
    ada.get(&path).await.expect_problem(404, "not_found");
    for state in &states {
        let instant = state["updated_at"].as_str().unwrap();
        let then = ada.get(&format!("{path}?as_of={instant}")).await;
        let etag = then.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(etag, format!("\"{}\"", state["version"]));
        assert_eq!(&then.expect(200), state);
        let known = [("if-none-match", &*etag)];
        let path = format!("{path}?as_of={instant}");
        let again = ada.send_bytes(reqwest::Method::GET, &path, "", None, &known).await;
        assert_eq!(again.status, 304);
    }
    for instant in ["2020-01-01T00:00:00Z", "2200-01-01T00:00:00%2B01:00"] {
        let nothing = ada.get(&format!("{path}?as_of={instant}")).await;
        nothing.expect_problem(404, "not_found");
    }
    let refused = ada.get(&format!("{path}?as_of=yesterday")).await;
    assert_eq!(refused.expect_violations(), ["?as_of"]);
    app.stop().await;
}

#[each_database]
async fn what_one_may_not_see_is_hidden_in_what_was_too(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let viewer = ada.invite(&home, "viewer").await;
    let new = json!({ "name": "Grace", "hourly_rate_minor": 5000, "external_ref": "7" });
    let grace = ada.make(&format!("{home}/members"), new).await;
    let path = format!("{home}/members/{}", id(&grace));
    app.run_until_idle().await;
    for (client, rate) in [(&ada, json!(5000)), (&viewer, Value::Null)] {
        let history = client.all(&format!("{path}/history"), "").await;
        let instant = grace["updated_at"].as_str().unwrap();
        let then = client.read(&format!("{path}?as_of={instant}")).await;
        let about = format!("member/{}", id(&grace));
        let told = client.read(&format!("{home}/events?entity={about}")).await;
        for seen in [&history[0]["data"], &then, &told["items"][0]["data"]] {
            assert_eq!((&seen["name"], &seen["hourly_rate_minor"]), (&json!("Grace"), &rate));
        }
    }
    let key = viewer.get(&format!("{home}/api-keys/{}/history", id(&grace))).await;
    key.expect_problem(403, "role_insufficient");
    app.stop().await;
}

#[each_database]
async fn a_way_back_is_a_new_version_with_all_that_was(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let items = json!([{ "name": "a", "amount_minor": 300 }, { "name": "b", "amount_minor": 400 }]);
    let more = json!({ "note": "first", "details": { "a": 1 }, "items": items });
    let (path, first) = expense(&ada, &home, more).await;
    let other = json!({ "note": null, "place": "Bern", "details": { "b": 2 }, "items": [],
        "amount_minor": 5, "version": 1 });
    ada.patch(&path, other).await.expect(200);
    let back = json!({ "to_version": 1, "version": 2 });
    let mut third = ada.post(&format!("{path}/revert"), back).await.expect(200);
    assert_eq!(ada.read(&path).await, third);
    assert_eq!(third["version"], 3);
    for stamp in ["version", "updated_at", "changed_by_member_id"] {
        third[stamp] = first[stamp].clone();
    }
    assert_eq!(third, first);
    let history = ada.all(&format!("{path}/history"), "").await;
    assert_eq!(kinds(&history)[0], ("expense.reverted", 3));
    app.stop().await;
}

#[each_database]
async fn the_rules_of_now_hold_on_the_way_back(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let food = ada.make(&format!("{home}/categories"), json!({ "name": "Food" })).await;
    let (path, _) = expense(&ada, &home, json!({ "category_id": food["id"] })).await;
    ada.patch(&path, json!({ "category_id": null, "version": 1 })).await.expect(200);
    ada.delete(&format!("{home}/categories/{}?version=1", id(&food))).await.expect(204);
    let revert = format!("{path}/revert");
    let to = |version: i64| json!({ "to_version": version, "version": 2 });
    let gone = ada.post(&revert, to(1)).await;
    assert_eq!(gone.expect_violations(), ["/category_id"]);
    for unknown in [0, 3, 77, i64::MAX, i64::MIN] {
        assert_eq!(ada.post(&revert, to(unknown)).await.expect_violations(), ["/to_version"]);
    }
    // Who asks wrongly about something that has changed hears of that first.
    let stale = ada.post(&revert, json!({ "to_version": 77, "version": 1 })).await;
    stale.expect_problem(409, "version_conflict");
    let viewer = ada.invite(&home, "viewer").await;
    viewer.post(&revert, to(1)).await.expect_problem(403, "role_insufficient");
    let member = ada.invite(&home, "member").await;
    member.post(&revert, to(77)).await.expect_problem(403, "not_your_expense");
    ada.post(&format!("{path}/reimburse"), json!({ "version": 2 })).await.expect(200);
    let settled = ada.post(&revert, json!({ "to_version": 2, "version": 3 })).await;
    assert_eq!(settled.status, 409, "{}", settled.text);
    assert_eq!(ada.read(&path).await["version"], 3, "nothing of all that was written");
    app.stop().await;
}

#[each_database]
async fn what_was_erased_cannot_come_back(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (path, made) = expense(&ada, &home, json!({})).await;
    ada.patch(&path, json!({ "note": "x", "version": 1 })).await.expect(200);
    let erased = app.store.write(async move |tx| {
        let nothing = event::ActiveModel { data: Set(None), ..Default::default() };
        let rows = event::Entity::update_many().set(nothing);
        rows.filter(event::COLUMN.entity.eq("expense"))
            .filter(event::COLUMN.entity_version.eq(1))
            .exec(tx)
            .await?;
        Ok(())
    });
    erased.await.unwrap();
    let back = json!({ "to_version": 1, "version": 2 });
    ada.post(&format!("{path}/revert"), back).await.expect_problem(409, "erased");
    let instant = made["updated_at"].as_str().unwrap();
    ada.get(&format!("{path}?as_of={instant}")).await.expect_problem(409, "erased");
    let history = ada.all(&format!("{path}/history"), "").await;
    assert_eq!(history[1]["data"], Value::Null);
    app.stop().await;
}

#[each_database]
async fn people_organizations_and_members_have_a_way_back(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let me = ada.member_in(&home).await;
    let paths = ["/v1/users/me".to_owned(), home.clone(), format!("{home}/members/{}", id(&me))];
    for path in &paths {
        let before = ada.read(path).await;
        let version = before["version"].as_i64().unwrap();
        let field = if path.ends_with("/users/me") { "display_name" } else { "name" };
        let change = json!({ field: "another", "version": version });
        ada.patch(path, change).await.expect(200);
        let back = json!({ "to_version": version, "version": version + 1 });
        let after = ada.post(&format!("{path}/revert"), back).await.expect(200);
        assert_eq!(after[field], before[field], "{path}");
        let history = ada.all(&format!("{path}/history"), "").await;
        assert_eq!(history[0]["data"], after, "{path}");
        assert!(history[0]["kind"].as_str().unwrap().ends_with(".reverted"), "{path}");
    }
    // The last owner stays one, on the way back too.
    let second = ada.invite(&home, "member").await.member_in(&home).await;
    let path = format!("{home}/members/{}", id(&second));
    let version = second["version"].as_i64().unwrap();
    ada.patch(&path, json!({ "role": "owner", "version": version })).await.expect(200);
    let own = &paths[2];
    ada.patch(own, json!({ "role": "member", "version": 3 })).await.expect(200);
    let back = json!({ "to_version": 1, "version": 4 });
    ada.post(&format!("{own}/revert"), back).await.expect_problem(403, "role_insufficient");
    app.stop().await;
}
