//! What an hour of a member costs, and since when.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use service::{clock::Clock, store::Options};
use tests::{App, AppOptions, Client, Database, at, each_database, id};

/// steward at noon of a day in November 2026, UTC, and what moves its clock on by days.
async fn at_noon(database: &Database) -> (App, impl Fn(i64)) {
    let start: DateTime<Utc> = "2026-11-10T12:00:00Z".parse().unwrap();
    let passed = Arc::new(AtomicI64::new(0));
    let clock = Clock::by_hand(start, passed.clone());
    let default = AppOptions::default();
    let store = Options { clock, ..default.store };
    let app = App::start_with(database, AppOptions { store, ..default }).await;
    let day = TimeDelta::days(1).num_microseconds().unwrap();
    (app, move |days| {
        passed.fetch_add(days * day, Ordering::SeqCst);
    })
}

/// From when, and how much, of each rate of a member, the latest first.
async fn rates(client: &Client, home: &str, member: &Value) -> Vec<(String, Option<i64>)> {
    let query = format!("?member_id={}", id(member));
    let rows = client.all(&format!("{home}/rates"), &query).await;
    let rate = |row: &Value| {
        (row["starts_on"].as_str().unwrap().to_owned(), row["hourly_rate_minor"].as_i64())
    };
    rows.iter().map(rate).collect()
}

fn rate(day: &str, amount: impl Into<Option<i64>>) -> (String, Option<i64>) {
    (day.to_owned(), amount.into())
}

#[each_database]
async fn what_is_set_at_the_member_holds_from_then_on(database: Database) {
    let (app, pass) = at_noon(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let members = format!("{home}/members");
    let kim = ada.make(&members, json!({ "name": "Kim", "hourly_rate_minor": 4000 })).await;
    let bob = ada.make(&members, json!({ "name": "Bob" })).await;
    assert_eq!(rates(&ada, &home, &kim).await, [rate("1970-01-01", 4000)]);
    assert!(rates(&ada, &home, &bob).await.is_empty());

    let kims = at(&members, &kim);
    pass(1);
    for (version, set) in (1..).zip([json!(4500), json!(4600), json!(4600)]) {
        let change = json!({ "version": version, "hourly_rate_minor": set });
        ada.patch(&kims, change).await.expect(200);
    }
    let now = [rate("2026-11-11", 4600), rate("1970-01-01", 4000)];
    assert_eq!(rates(&ada, &home, &kim).await, now);
    let named = json!({ "version": 4, "name": "Kimberly" });
    ada.patch(&kims, named).await.expect(200);
    assert_eq!(rates(&ada, &home, &kim).await, now, "another name is no raise");

    pass(1);
    let none = json!({ "version": 5, "hourly_rate_minor": null });
    ada.patch(&kims, none).await.expect(200);
    let now = [rate("2026-11-12", None), rate("2026-11-11", 4600), rate("1970-01-01", 4000)];
    assert_eq!(rates(&ada, &home, &kim).await, now);
    let back = json!({ "version": 6, "to_version": 1 });
    let back = ada.post(&format!("{kims}/revert"), back).await.expect(200);
    assert_eq!(back["hourly_rate_minor"], 4000);
    assert_eq!(rates(&ada, &home, &kim).await[0], rate("2026-11-12", 4000));

    ada.delete(&format!("{kims}?version=7")).await.expect(204);
    assert!(ada.all(&format!("{home}/rates"), "").await.is_empty());
    app.stop().await;
}

#[each_database]
async fn the_member_costs_what_the_latest_rate_says(database: Database) {
    let (app, _) = at_noon(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let members = format!("{home}/members");
    let path = format!("{home}/rates");
    let kim = ada.make(&members, json!({ "name": "Kim" })).await;
    let kims = at(&members, &kim);
    let now = async || {
        let kim = ada.read(&kims).await;
        (kim["version"].as_i64().unwrap(), kim["hourly_rate_minor"].as_i64())
    };
    let new = |day: &str, amount: Value| {
        json!({
            "member_id": kim["id"], "starts_on": day, "hourly_rate_minor": amount
        })
    };
    let march = ada.make(&path, new("2026-03-01", json!(4000))).await;
    assert_eq!(now().await, (2, Some(4000)));
    ada.make(&path, new("2025-01-01", json!(3000))).await;
    assert_eq!(now().await, (2, Some(4000)), "an earlier one changes nothing about now");
    let today = ada.make(&path, new("2026-11-10", json!(5000))).await;
    assert_eq!(now().await, (3, Some(5000)));

    let earlier = json!({ "version": 1, "starts_on": "2026-02-01" });
    ada.patch(&at(&path, &today), earlier).await.expect(200);
    assert_eq!(now().await, (4, Some(4000)), "March is the latest now");
    let more = json!({ "version": 1, "hourly_rate_minor": 4100 });
    ada.patch(&at(&path, &march), more).await.expect(200);
    assert_eq!(now().await, (5, Some(4100)));
    let none = json!({ "version": 2, "hourly_rate_minor": null });
    ada.patch(&at(&path, &march), none).await.expect(200);
    assert_eq!(now().await, (6, None));
    let back = json!({ "version": 3, "to_version": 1 });
    ada.post(&format!("{}/revert", at(&path, &march)), back).await.expect(200);
    assert_eq!(now().await, (7, Some(4000)));
    ada.delete(&format!("{}?version=4", at(&path, &march))).await.expect(204);
    assert_eq!(now().await, (8, Some(5000)));
    app.stop().await;
}

#[each_database]
async fn what_is_no_rate_is_refused_where_it_is_wrong(database: Database) {
    let (app, _) = at_noon(&database).await;
    let (ada, home) = app.owner_of("company").await;
    // It is the 11th there already.
    let east = json!({ "version": 1, "time_zone": "Pacific/Kiritimati" });
    ada.patch(&home, east).await.expect(200);
    let kim = ada.make(&format!("{home}/members"), json!({ "name": "Kim" })).await;
    let path = format!("{home}/rates");
    let good = json!({ "member_id": kim["id"], "starts_on": "2026-11-11",
        "hourly_rate_minor": 4000 });
    for (name, wrong, pointer) in [
        ("member_id", home.rsplit('/').next().into(), "/member_id"),
        ("starts_on", json!("2026-11-12"), "/starts_on"),
        ("starts_on", json!("0999-12-31"), "/starts_on"),
        ("hourly_rate_minor", json!(-1), "/hourly_rate_minor"),
        ("hourly_rate_minor", json!(9_007_199_254_740_992_i64), "/hourly_rate_minor"),
    ] {
        let mut bad = good.clone();
        bad[name] = wrong;
        assert_eq!(ada.post(&path, bad).await.expect_violations(), [pointer]);
    }
    let made = ada.make(&path, good.clone()).await;
    let twice = ada.post(&path, good).await.expect_problem(409, "duplicate");
    assert_eq!(twice["violations"][0]["pointer"], "/starts_on", "{twice}");
    let other = ada.make(&format!("{home}/members"), json!({ "name": "Bob" })).await;
    let moved = json!({ "version": 1, "member_id": other["id"] });
    assert_eq!(ada.patch(&at(&path, &made), moved).await.expect_violations(), ["/member_id"]);
    app.stop().await;
}

#[each_database]
async fn nobody_sets_the_rate_of_those_above_them(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let admin = ada.invite(&home, "admin").await;
    let owner = ada.member_in(&home).await;
    let own = admin.member_in(&home).await;
    let path = format!("{home}/rates");
    let of = |member: &Value| {
        json!({ "member_id": member["id"], "starts_on": "2026-01-01",
            "hourly_rate_minor": 4000 })
    };
    admin.post(&path, of(&owner)).await.expect_problem(403, "role_above_own");
    admin.make(&path, of(&own)).await;
    let owners = at(&path, &ada.make(&path, of(&owner)).await);
    let change = json!({ "version": 1, "hourly_rate_minor": 1 });
    admin.patch(&owners, change).await.expect_problem(403, "role_above_own");
    let gone = admin.delete(&format!("{owners}?version=1")).await;
    gone.expect_problem(403, "role_above_own");
    app.stop().await;
}

/// Each of two writers sees what the other has made the latest.
#[each_database]
async fn of_rates_that_change_at_once_the_member_has_the_latest(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let path = format!("{home}/rates");
    for round in 0..10 {
        let kim = ada.make(&format!("{home}/members"), json!({ "name": "Kim" })).await;
        let new = |day: &str, amount: i64| {
            json!({
                "member_id": kim["id"], "starts_on": day, "hourly_rate_minor": amount
            })
        };
        let latest = ada.make(&path, new("2026-03-01", 3)).await;
        let gone = format!("{}?version=1", at(&path, &latest));
        let (gone, _, _) = tokio::join!(
            ada.delete(&gone),
            ada.make(&path, new("2026-02-01", 2)),
            ada.make(&path, new("2026-01-01", 1)),
        );
        gone.expect(204);
        let kim = ada.read(&at(&format!("{home}/members"), &kim)).await;
        assert_eq!(kim["hourly_rate_minor"], 2, "round {round}");
    }
    app.stop().await;
}
