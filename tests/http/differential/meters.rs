//! Readings of meters, and what is made of them.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    choice::Choice,
    queries::query,
    script::{Call, Organization},
};

/// An instant of some days, of which some come again.
fn instant(choice: &mut Choice) -> DateTime<Utc> {
    let start = DateTime::from_timestamp(1_792_800_000, 0).unwrap();
    let seconds = choice.of(&[1, 300, 900, 7_200, 86_400]);
    let count = i64::try_from(choice.below(40)).unwrap();
    start + TimeDelta::seconds(seconds * count)
}

fn value(choice: &mut Choice) -> Value {
    match choice.below(12) {
        0 => json!(0.25),
        1 => json!(-1),
        2 => json!(1e-7),
        _ => json!(choice.below(500)),
    }
}

fn readings(choice: &mut Choice) -> Value {
    let count = choice.of(&[1, 1, 2, 5, 30]);
    let items: Vec<Value> =
        (0..count).map(|_| json!({ "at": instant(choice), "value": value(choice) })).collect();
    json!({ "items": items })
}

fn span(choice: &mut Choice) -> Vec<(&'static str, String)> {
    let from = instant(choice);
    let hours = choice.of(&[0, 1, 5, 24, 24 * 40]);
    let to = from + TimeDelta::hours(hours);
    if choice.chance(30) {
        return vec![("from", from.date_naive().to_string()), ("to", to.date_naive().to_string())];
    }
    vec![("from", from.to_rfc3339()), ("to", to.to_rfc3339())]
}

/// A call about the readings of a meter.
pub(super) fn call(choice: &mut Choice, organization: &Organization) -> Call {
    let Some(meter) = choice.maybe_of(organization.of("meters")) else {
        return Call::get(format!("{}/meters", organization.path));
    };
    let meter = meter.path;
    let at = instant(choice).to_rfc3339();
    let put = |path: String, body: &Value| Call { method: Method::PUT, ..Call::post(path, body) };
    match choice.below(20) {
        0 => put(format!("{meter}/readings/{at}"), &json!({ "value": value(choice) })),
        1 => {
            let span = query(&span(choice));
            Call::new(Method::DELETE, format!("{meter}/readings?{span}"))
        }
        2 => Call::get(format!("{meter}/readings/{at}")),
        3 => {
            let limit = choice.of(&["1", "5", "500", "0"]);
            Call::get(format!("{meter}/readings?limit={limit}"))
        }
        4 => Call::get(format!("{meter}/exchanges?limit=2")),
        5 => {
            let kind = choice.of(&["rollover", "reset", "exchange", "exchange"]);
            let body =
                json!({ "kind": kind, "before": choice.below(500), "after": choice.below(20) });
            put(format!("{meter}/exchanges/{at}"), &body)
        }
        6 => {
            let kind = choice.of(&["reset", "exchange", "exchange"]);
            Call::new(Method::DELETE, format!("{meter}/exchanges/{at}?kind={kind}"))
        }
        7 => Call::get(format!("{meter}/explain?{}", query(&span(choice)))),
        8..12 => {
            let mut pairs = span(choice);
            pairs.push(("bucket", choice.of(&["15m", "hour", "day", "week", "month"]).to_owned()));
            pairs.push(("fill", choice.of(&["null", "previous", "linear"]).to_owned()));
            Call::get(format!("{meter}/series?{}", query(&pairs)))
        }
        _ => Call::post(format!("{meter}/readings"), &readings(choice)),
    }
}
