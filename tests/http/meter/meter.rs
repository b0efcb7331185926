use serde_json::json;
use tests::{App, Database, at, each_database};

use super::{add, made};

#[each_database]
async fn a_meter_keeps_what_it_is_given(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let meters = format!("{home}/meters");
    let new = json!({
        "name": "Heat pump", "unit": "kW.h", "kind": "counter", "place": "Cellar", "interval_seconds": 900,
        "precision": 3, "on_drop": "rollover", "rollover_at": 99999.999, "on_conflict": "replace",
        "low": -0.5, "high": 4711.25, "hysteresis": 0.125,
    });
    let made = ada.make(&meters, new.clone()).await;
    for (name, value) in new.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    assert_eq!(ada.read(&at(&meters, &made)).await, made);
    let change = json!({ "version": 1, "high": null, "hysteresis": 1, "precision": 4 });
    let changed = ada.patch(&at(&meters, &made), change).await.expect(200);
    assert_eq!((&changed["high"], &changed["hysteresis"]), (&json!(null), &json!(1)));
    app.stop().await;
}

#[each_database]
async fn what_is_no_meter_is_refused_where_it_is_wrong(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    for (wrong, pointer) in [
        (json!({ "unit": "kWh" }), "/unit"),
        (json!({ "unit": "" }), "/unit"),
        (json!({ "kind": "flow" }), "/kind"),
        (json!({ "precision": 10 }), "/precision"),
        (json!({ "low": 0.5 }), "/low"),
        (json!({ "low": "1" }), "/low"),
        (json!({ "low": 2, "high": 2 }), "/high"),
        (json!({ "hysteresis": -1 }), "/hysteresis"),
        (json!({ "on_drop": "rollover" }), "/rollover_at"),
        (json!({ "rollover_at": 0 }), "/rollover_at"),
        (json!({ "kind": "gauge", "rollover_at": 10 }), "/rollover_at"),
        (json!({ "high": 9_007_199_254_740_992_u64 }), "/high"),
        (json!({ "interval_seconds": 0 }), "/interval_seconds"),
        (json!({ "project_id": home.rsplit('/').next() }), "/project_id"),
    ] {
        let mut new = json!({ "name": "Power", "unit": "kW.h", "kind": "counter" });
        for (name, value) in wrong.as_object().unwrap() {
            new[name] = value.clone();
        }
        let refused = ada.post(&format!("{home}/meters"), new).await;
        assert_eq!(refused.expect_violations(), [pointer], "{wrong}");
    }
    app.stop().await;
}

#[each_database]
async fn a_meter_with_readings_stays_what_it_is(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = made(&ada, &home, "counter", json!({ "precision": 1 })).await;
    add(&ada, &meter, &[("2026-11-02T08:00:00Z", 1.5)]).await;
    for change in [
        json!({ "kind": "delta" }),
        json!({ "unit": "m3" }),
        json!({ "precision": 2 }),
        json!({ "rollover_at": 1000 }),
    ] {
        let mut body = change.clone();
        body["version"] = json!(1);
        ada.patch(&meter, body).await.expect_problem(409, "has_readings");
    }
    ada.patch(&meter, json!({ "version": 1, "name": "Main", "high": 5 })).await.expect(200);
    ada.delete(&format!("{meter}?version=2")).await.expect_problem(409, "in_use");
    let all = format!("{meter}/readings?from=2026-01-01&to=2027-01-01");
    let deleted = ada.delete(&all).await.expect(200);
    assert_eq!(deleted, json!({ "deleted": 1, "more": false }));
    ada.patch(&meter, json!({ "version": 2, "precision": 2 })).await.expect(200);
    ada.delete(&format!("{meter}?version=3")).await.expect(204);
    ada.get(&format!("{meter}/readings")).await.expect_problem(404, "not_found");
    app.stop().await;
}
