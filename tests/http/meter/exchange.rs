use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Client, Database, each_database};

use super::{add, buckets, made};

const SPAN: &str = "from=2026-11-02T00:00:00Z&to=2026-11-03T00:00:00Z&bucket=day";

async fn put(ada: &Client, meter: &str, at: &str, body: Value) -> tests::Answer {
    ada.send(Method::PUT, &format!("{meter}/exchanges/{at}"), Some(body)).await
}

/// The kinds of exchanges, and what was consumed.
async fn state(ada: &Client, meter: &str) -> (Vec<String>, Value) {
    let rows = ada.all(&format!("{meter}/exchanges"), "").await;
    let kinds = rows.iter().map(|row| row["kind"].as_str().unwrap().to_owned()).collect();
    (kinds, buckets(ada, meter, SPAN, "consumption").await[0].clone())
}

#[each_database]
async fn a_drop_is_what_the_rule_of_the_meter_says(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for (more, kind, consumption) in [
        (json!({ "on_drop": "rollover", "rollover_at": 1000 }), "rollover", 35),
        (json!({ "on_drop": "reset" }), "reset", 25),
        (json!({}), "undecided", 5),
    ] {
        let meter = made(&ada, &home, "counter", more).await;
        // All at once, or the last ones first.
        let some = [
            ("2026-11-02T08:00:00Z", 990.0),
            ("2026-11-02T20:00:00Z", 20.0),
            ("2026-11-02T22:00:00Z", 25.0),
        ];
        add(&ada, &meter, &some).await;
        assert_eq!(state(&ada, &meter).await, (vec![kind.to_owned()], json!(consumption)));
        let late = made(&ada, &home, "counter", json!({ "on_drop": "reset" })).await;
        add(&ada, &late, &some[1..]).await;
        assert_eq!(state(&ada, &late).await, (vec![], json!(5)));
        add(&ada, &late, &some[..1]).await;
        assert_eq!(state(&ada, &late).await, (vec!["reset".to_owned()], json!(25)));
        // A correction by which nothing drops any more.
        let there = format!("{late}/readings/2026-11-02T08:00:00Z");
        ada.send(Method::PUT, &there, Some(json!({ "value": 19 }))).await.expect(200);
        assert_eq!(state(&ada, &late).await, (vec![], json!(6)));
    }
    app.stop().await;
}

#[each_database]
async fn what_waits_for_a_decision_is_decided_and_taken_back(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = made(&ada, &home, "counter", json!({})).await;
    let at = "2026-11-02T20:00:00Z";
    add(&ada, &meter, &[("2026-11-02T08:00:00Z", 990.0), (at, 20.0)]).await;
    assert_eq!(state(&ada, &meter).await, (vec!["undecided".to_owned()], json!(0)));
    let reset = json!({ "kind": "reset", "before": 995, "after": 5 });
    let decided = put(&ada, &meter, at, reset).await.expect(200);
    assert_eq!((&decided["by_rule"], &decided["decided_at"].is_string()), (&json!(true), &true));
    assert!(decided["decided_by_member_id"].is_string());
    assert_eq!(state(&ada, &meter).await, (vec!["reset".to_owned()], json!(20)));
    for (body, pointer) in [
        (json!({ "kind": "reset", "before": 989 }), "/before"),
        (json!({ "kind": "reset", "after": 21 }), "/after"),
        (json!({ "kind": "rollover" }), "/before"),
        (json!({ "kind": "undecided" }), "/kind"),
        (json!({ "kind": "exchange" }), "/before"),
    ] {
        assert_eq!(
            put(&ada, &meter, at, body.clone()).await.expect_violations(),
            [pointer],
            "{body}"
        );
    }
    let nowhere = put(&ada, &meter, "2026-11-02T21:00:00Z", json!({ "kind": "reset" })).await;
    nowhere.expect_problem(409, "no_drop");
    let take_back =
        async |kind: &str| ada.delete(&format!("{meter}/exchanges/{at}?kind={kind}")).await;
    take_back("rollover").await.expect_problem(409, "another_kind");
    take_back("reset").await.expect(204);
    assert_eq!(state(&ada, &meter).await, (vec!["undecided".to_owned()], json!(0)));
    take_back("reset").await.expect_problem(409, "by_rule");
    let gauge = made(&ada, &home, "gauge", json!({})).await;
    put(&ada, &gauge, at, json!({ "kind": "reset" })).await.expect_problem(409, "not_a_counter");
    app.stop().await;
}

#[each_database]
async fn a_meter_that_is_exchanged_counts_on(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = made(&ada, &home, "counter", json!({})).await;
    let at = "2026-11-02T12:00:00Z";
    add(&ada, &meter, &[("2026-11-02T08:00:00Z", 990.0)]).await;
    let exchange = json!({ "kind": "exchange", "before": 994, "after": 100 });
    put(&ada, &meter, at, exchange.clone()).await.expect(200);
    add(&ada, &meter, &[("2026-11-02T20:00:00Z", 116.0)]).await;
    assert_eq!(state(&ada, &meter).await, (vec!["exchange".to_owned()], json!(20)));
    let hours = "from=2026-11-02T08:00:00Z&to=2026-11-02T20:00:00Z&bucket=hour";
    let hours = buckets(&ada, &meter, hours, "consumption").await;
    assert_eq!(json!(hours), json!([1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2]));
    // What cannot be, with what is sent with it.
    for wrong in [[("2026-11-02T11:00:00Z", 995.0)], [("2026-11-02T13:00:00Z", 99.0)]] {
        let refused = ada.post(&format!("{meter}/readings"), super::readings(&wrong)).await;
        let problem = refused.expect_problem(409, "contradicts_exchange");
        assert_eq!(problem["violations"][0]["pointer"], "/items/0/value");
    }
    assert_eq!(ada.all(&format!("{meter}/readings"), "").await.len(), 2);
    let wrong = put(&ada, &meter, at, json!({ "kind": "exchange", "before": 989 })).await;
    wrong.expect_problem(409, "contradicts_readings");
    assert_eq!(state(&ada, &meter).await, (vec!["exchange".to_owned()], json!(20)));
    // Without the exchange, the counter drops.
    ada.delete(&format!("{meter}/exchanges/{at}?kind=exchange")).await.expect(204);
    assert_eq!(state(&ada, &meter).await, (vec!["undecided".to_owned()], json!(0)));
    app.stop().await;
}
