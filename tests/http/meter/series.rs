use serde_json::{Value, json};
use tests::{App, Database, each_database};

use super::{add, buckets, made};

fn sum(values: &[Value]) -> f64 {
    values.iter().filter_map(Value::as_f64).sum()
}

#[each_database]
async fn what_lies_between_two_readings_is_spread_and_the_sum_is_kept(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    ada.patch(&home, json!({ "version": 1, "time_zone": "Europe/Berlin" })).await.expect(200);
    let meter = made(&ada, &home, "counter", json!({})).await;
    // Over the long day: 25 hours, then one of 24.
    let some = [("2026-10-24T22:00:00Z", 100.0), ("2026-10-26T23:00:00Z", 149.0)];
    add(&ada, &meter, &some).await;
    let span = "from=2026-10-25&to=2026-10-27";
    assert_eq!(buckets(&ada, &meter, span, "consumption").await, [25, 24]);
    for bucket in ["15m", "hour", "day", "week", "month"] {
        let query = format!("{span}&bucket={bucket}");
        assert_eq!(sum(&buckets(&ada, &meter, &query, "consumption").await), 49.0, "{bucket}");
    }
    let series = ada.read(&format!("{meter}/series?{span}")).await;
    assert_eq!(
        (&series["rollup"], &series["time_zone"]),
        (&json!("hour"), &json!("Europe/Berlin"))
    );
    assert_eq!(series["buckets"][0]["from"], "2026-10-24T22:00:00Z");
    assert_eq!(series["buckets"][0]["to"], "2026-10-25T23:00:00Z");
    // Late readings, in an hour without any.
    add(&ada, &meter, &[("2026-10-25T10:00:00Z", 101.0), ("2026-10-25T10:05:00Z", 140.0)]).await;
    assert_eq!(buckets(&ada, &meter, span, "consumption").await, [43, 6]);
    // Another zone, with a quarter of an hour: nothing is computed anew.
    ada.patch(&home, json!({ "version": 2, "time_zone": "Asia/Kathmandu" })).await.expect(200);
    app.run_until_idle().await;
    let span = "from=2026-10-25&to=2026-10-28";
    let days = buckets(&ada, &meter, span, "consumption").await;
    assert_eq!(sum(&days), 49.0);
    assert_eq!(ada.read(&format!("{meter}/series?{span}")).await["rollup"], "15m");
    app.stop().await;
}

#[each_database]
async fn a_gauge_has_the_mean_over_time_and_is_filled_as_asked(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = made(&ada, &home, "gauge", json!({ "unit": "Cel", "precision": 1 })).await;
    let some = [
        ("2026-11-02T08:00:00Z", 20.0),
        ("2026-11-02T08:45:00Z", 24.0),
        ("2026-11-02T11:00:00Z", 30.0),
        ("2026-11-02T11:30:00Z", 31.5),
    ];
    add(&ada, &meter, &some).await;
    let span = "from=2026-11-02T08:00:00Z&to=2026-11-02T12:00:00Z&bucket=hour";
    let avg = async |fill: &str| buckets(&ada, &meter, &format!("{span}&fill={fill}"), "avg").await;
    assert_eq!(json!(avg("null").await), json!([21, null, null, 30]));
    assert_eq!(json!(avg("previous").await), json!([21, 24, 24, 30]));
    // 45 and 105 of 135 minutes.
    assert_eq!(json!(avg("linear").await), json!([21, 26, 28.6667, 30]));
    assert_eq!(json!(buckets(&ada, &meter, span, "count").await), json!([2, 0, 0, 2]));
    assert_eq!(json!(buckets(&ada, &meter, span, "max").await), json!([24, null, null, 31.5]));
    assert_eq!(
        json!(buckets(&ada, &meter, span, "consumption").await),
        json!([null, null, null, null])
    );
    let filled = format!("{span}&fill=previous");
    let filled = buckets(&ada, &meter, &filled, "filled").await;
    assert_eq!(json!(filled), json!([false, true, true, false]));
    app.stop().await;
}

#[each_database]
async fn deltas_are_spread_since_the_reading_before(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = made(&ada, &home, "delta", json!({})).await;
    let some = [("2026-11-02T08:10:00Z", 5.0), ("2026-11-02T10:10:00Z", 8.0)];
    add(&ada, &meter, &some).await;
    let span = "from=2026-11-02T08:00:00Z&to=2026-11-02T11:00:00Z&bucket=hour";
    assert_eq!(buckets(&ada, &meter, span, "consumption").await, [8, 4, 1]);
    app.stop().await;
}

#[each_database]
async fn an_explanation_sums_to_what_the_series_says(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = made(&ada, &home, "counter", json!({ "on_drop": "reset" })).await;
    let some = [
        ("2026-11-01T12:00:00Z", 90.0),
        ("2026-11-02T12:00:00Z", 100.0),
        ("2026-11-02T18:00:00Z", 4.0),
        ("2026-11-03T06:00:00Z", 16.0),
    ];
    add(&ada, &meter, &some).await;
    let span = "from=2026-11-02T00:00:00Z&to=2026-11-03T00:00:00Z";
    let explained = ada.read(&format!("{meter}/explain?{span}")).await;
    let parts = explained["parts"].as_array().unwrap();
    let of = |name: &str| json!(parts.iter().map(|part| part[name].clone()).collect::<Vec<_>>());
    assert_eq!(of("between"), json!([10, 4, 12]));
    assert_eq!(of("consumption"), json!([5, 4, 6]));
    assert_eq!(of("interpolated"), json!([true, false, true]));
    assert_eq!(parts[1]["exchanges"][0]["kind"], "reset");
    assert_eq!(explained["consumption"], 15);
    assert_eq!(
        buckets(&ada, &meter, &format!("{span}&bucket=hour"), "consumption").await.len(),
        24
    );
    assert_eq!(
        sum(&buckets(&ada, &meter, &format!("{span}&bucket=hour"), "consumption").await),
        15.0
    );
    let gauge = made(&ada, &home, "gauge", json!({})).await;
    let none = ada.get(&format!("{gauge}/explain?{span}")).await;
    none.expect_problem(409, "not_consumed");
    app.stop().await;
}

#[each_database]
async fn a_span_that_is_none_or_too_long_is_refused(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = made(&ada, &home, "counter", json!({})).await;
    for query in [
        "series?from=2026-11-02&to=2026-11-02",
        "series?from=2020-01-01&to=2026-11-02&bucket=15m",
        "series?from=1900-01-01&to=2026-11-02&bucket=month",
        "explain?from=2026-11-02&to=2026-11-01",
    ] {
        let refused = ada.get(&format!("{meter}/{query}")).await;
        assert_eq!(refused.expect_violations(), ["?to"], "{query}");
    }
    let refused = ada.get(&format!("{meter}/series?from=now&to=2026-11-02")).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    app.stop().await;
}
