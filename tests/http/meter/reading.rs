use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Client, Database, each_database};

use super::{add, made, readings};

async fn send(ada: &Client, meter: &str, media_type: &'static str, body: &str) -> tests::Answer {
    let path = format!("{meter}/readings");
    let body = Some(body.as_bytes().to_vec());
    ada.send_bytes(Method::POST, &path, media_type, body, &[]).await
}

fn counts(added: u64, unchanged: u64, corrected: u64) -> Value {
    json!({ "added": added, "unchanged": unchanged, "corrected": corrected })
}

#[each_database]
async fn readings_come_in_each_format_and_are_read_by_pages(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = made(&ada, &home, "gauge", json!({ "precision": 3 })).await;
    let first = [("2026-11-02T08:15:00.000001Z", 0.125), ("2026-11-02T08:00:00Z", -1.5)];
    assert_eq!(add(&ada, &meter, &first).await, counts(2, 0, 0));
    let csv = "at,value\n2026-11-02T09:30:00+01:00,2\n2026-11-02T08:00:00Z,-1.500\n";
    assert_eq!(send(&ada, &meter, "text/csv", csv).await.expect(200), counts(1, 1, 0));
    let lines = "{\"at\":\"2026-11-02T08:45:00Z\",\"value\":3}\n{\"value\":4,\"at\":\"2026-11-02T08:50:00Z\"}\n";
    let ndjson = "application/x-ndjson";
    assert_eq!(send(&ada, &meter, ndjson, lines).await.expect(200), counts(2, 0, 0));
    send(&ada, &meter, "text/plain", csv).await.expect_problem(415, "unsupported_media_type");
    let all = ada.all(&format!("{meter}/readings"), "?limit=2").await;
    let expected = json!([
        { "at": "2026-11-02T08:00:00Z", "value": -1.5 },
        { "at": "2026-11-02T08:15:00.000001Z", "value": 0.125 },
        { "at": "2026-11-02T08:30:00Z", "value": 2 },
        { "at": "2026-11-02T08:45:00Z", "value": 3 },
        { "at": "2026-11-02T08:50:00Z", "value": 4 },
    ]);
    assert_eq!(json!(all), expected);
    let part = format!("{meter}/readings?from=2026-11-02T08:30:00Z&to=2026-11-02T08:50:00Z");
    assert_eq!(ada.read(&part).await["items"].as_array().unwrap().len(), 2);
    let forged = ada.get(&format!("{meter}/readings?cursor=x")).await;
    assert_eq!(forged.expect_violations(), ["?cursor"]);
    app.stop().await;
}

#[each_database]
async fn what_a_meter_does_not_keep_is_refused_with_all_that_is_sent_with_it(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let more = json!({ "precision": 1, "rollover_at": 1000 });
    let meter = made(&ada, &home, "counter", more).await;
    let path = format!("{meter}/readings");
    let good = json!({ "at": "2026-11-02T08:00:00Z", "value": 1 });
    for (bad, pointer) in [
        (json!({ "at": "2026-11-02T09:00:00Z", "value": 1.25 }), "/items/1/value"),
        (json!({ "at": "2026-11-02T09:00:00Z", "value": -1 }), "/items/1/value"),
        (json!({ "at": "2026-11-02T09:00:00Z", "value": 1000.1 }), "/items/1/value"),
        (json!({ "at": "2026-11-02T09:00:00Z", "value": 1e30 }), "/items/1/value"),
        (json!({ "at": "2026-11-02T09:00:00Z", "value": "1" }), "/items/1/value"),
        (json!({ "at": "2026-11-02T09:00:00.0000001Z", "value": 1 }), "/items/1/at"),
        (json!({ "at": "2026-11-02", "value": 1 }), "/items/1/at"),
        (json!({ "at": "2026-11-02T09:00:00Z" }), "/items/1/value"),
    ] {
        let refused = ada.post(&path, json!({ "items": [good, bad] })).await;
        assert_eq!(refused.expect_violations(), [pointer], "{bad}");
    }
    assert_eq!(ada.post(&path, json!({ "items": [] })).await.expect_violations(), ["/items"]);
    let csv = "at,value\n2026-11-02T08:00:00Z,1\n2026-11-02T08:15:00Z,x\n";
    assert_eq!(send(&ada, &meter, "text/csv", csv).await.expect_violations(), ["/items/1/value"]);
    assert_eq!(ada.all(&path, "").await, [Value::Null; 0]);
    // Digits beyond the precision that say nothing are none.
    let digits =
        "{\"items\":[{\"at\":\"2026-11-02T08:00:00Z\",\"value\":1.500000000000000000000}]}";
    let added = send(&ada, &meter, "application/json", digits).await.expect(200);
    assert_eq!(added, counts(1, 0, 0));
    app.stop().await;
}

#[each_database]
async fn another_value_is_refused_or_a_correction_by_the_rule_of_the_meter(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let [one, two] = ["2026-11-02T08:00:00Z", "2026-11-02T09:00:00Z"];
    let strict = made(&ada, &home, "gauge", json!({})).await;
    add(&ada, &strict, &[(one, 1.0)]).await;
    let refused =
        ada.post(&format!("{strict}/readings"), readings(&[(two, 5.0), (one, 2.0)])).await;
    let problem = refused.expect_problem(409, "reading_conflict");
    assert_eq!(problem["violations"][0]["pointer"], "/items/1/value");
    let twice = readings(&[(two, 5.0), (two, 6.0)]);
    ada.post(&format!("{strict}/readings"), twice).await.expect_problem(409, "reading_conflict");
    assert_eq!(ada.all(&format!("{strict}/readings"), "").await.len(), 1);
    let lenient = made(&ada, &home, "gauge", json!({ "on_conflict": "replace" })).await;
    add(&ada, &lenient, &[(one, 1.0)]).await;
    assert_eq!(add(&ada, &lenient, &[(one, 2.0), (two, 5.0)]).await, counts(1, 0, 1));
    assert_eq!(add(&ada, &lenient, &[(one, 2.0), (two, 5.0)]).await, counts(0, 2, 0));
    // By hand, whatever the rule is.
    for meter in [&strict, &lenient] {
        let there = format!("{meter}/readings/{one}");
        let corrected =
            ada.send(Method::PUT, &there, Some(json!({ "value": 3 }))).await.expect(200);
        assert_eq!(corrected, json!({ "at": one, "value": 3 }));
        let read = ada.read(&there).await;
        assert_eq!((&read["value"], &read["corrections"][0]["after"]), (&json!(3), &json!(3)));
        assert_eq!(read["corrections"][0]["author"]["kind"], "member");
        let before: Vec<_> =
            read["corrections"].as_array().unwrap().iter().map(|it| it["before"].clone()).collect();
        let expected = if *meter == strict { json!([1]) } else { json!([2, 1]) };
        assert_eq!(json!(before), expected);
        let nothing = format!("{meter}/readings/2026-11-02T08:00:01Z");
        let missed = ada.send(Method::PUT, &nothing, Some(json!({ "value": 3 }))).await;
        missed.expect_problem(404, "not_found");
    }
    app.stop().await;
}

#[each_database]
async fn the_log_has_one_event_of_each_batch(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = made(&ada, &home, "gauge", json!({ "on_conflict": "replace" })).await;
    let [one, two] = ["2026-11-02T08:00:00Z", "2026-11-02T09:00:00Z"];
    add(&ada, &meter, &[(one, 1.0), (two, 2.0)]).await;
    add(&ada, &meter, &[(one, 1.0)]).await;
    add(&ada, &meter, &[(one, 4.0)]).await;
    ada.delete(&format!("{meter}/readings?from={two}&to=2026-11-03")).await.expect(200);
    let events = ada.all(&format!("{meter}/history"), "").await;
    let told: Vec<_> = events.iter().rev().map(|event| event["kind"].as_str().unwrap()).collect();
    let expected = ["created", "readings_added", "readings_corrected", "readings_deleted"];
    assert_eq!(told, expected.map(|verb| format!("meter.{verb}")));
    let added = &events[2]["data"];
    assert_eq!(
        (&added["count"], &added["from"], &added["to"]),
        (&json!(2), &json!(one), &json!(two))
    );
    // Readings do not change the version of the meter.
    assert_eq!(ada.read(&meter).await["version"], 1);
    app.stop().await;
}

#[each_database]
async fn viewers_read_and_members_record(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = made(&ada, &home, "gauge", json!({})).await;
    let viewer = ada.invite(&home, "viewer").await;
    let new = readings(&[("2026-11-02T08:00:00Z", 1.0)]);
    let refused = viewer.post(&format!("{meter}/readings"), new.clone()).await;
    refused.expect_problem(403, "role_insufficient");
    let member = ada.invite(&home, "member").await;
    member.post(&format!("{meter}/readings"), new).await.expect(200);
    assert_eq!(viewer.all(&format!("{meter}/readings"), "").await.len(), 1);
    app.stop().await;
}
