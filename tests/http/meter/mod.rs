//! Meters, their readings, and what these come to.

mod exchange;
mod influx;
mod influx_clients;
mod limit;
#[expect(clippy::module_inception, reason = "the resource has the name of its area")]
mod meter;
mod property;
mod reading;
mod series;

use serde_json::{Value, json};
use tests::{Client, at};

/// Makes a meter, and gives its path.
async fn made(ada: &Client, home: &str, kind: &str, more: Value) -> String {
    let mut new = json!({ "name": "Power", "unit": "kW.h", "kind": kind });
    for (name, value) in more.as_object().unwrap() {
        new[name] = value.clone();
    }
    let meters = format!("{home}/meters");
    at(&meters, &ada.make(&meters, new).await)
}

/// A body of readings.
fn readings(readings: &[(&str, f64)]) -> Value {
    let item = |(at, value): &(&str, f64)| json!({ "at": at, "value": value });
    json!({ "items": readings.iter().map(item).collect::<Vec<_>>() })
}

/// Adds readings to a meter.
async fn add(ada: &Client, meter: &str, some: &[(&str, f64)]) -> Value {
    ada.post(&format!("{meter}/readings"), readings(some)).await.expect(200)
}

/// A property of each bucket of a series.
async fn buckets(ada: &Client, meter: &str, query: &str, property: &str) -> Vec<Value> {
    let series = ada.read(&format!("{meter}/series?{query}")).await;
    let buckets = series["buckets"].as_array().unwrap();
    buckets.iter().map(|bucket| bucket[property].clone()).collect()
}
