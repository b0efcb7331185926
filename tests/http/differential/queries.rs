//! What is asked: filters, orders, pages, reports and the columns of imports.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    choice::Choice,
    script::{Call, Organization},
    texts::{BAD_DAYS, TEXTS, day},
};

const SORTS: &[&str] = &[
    "spent_on",
    "-spent_on",
    "amount_minor",
    "-amount_minor",
    "merchant",
    "-merchant",
    "created_at",
    "-created_at",
];

const PLACES: &[&str] = &["47.4,8.5", "-90,0", "0,180", "0,0", "91,0", "1", "0.00000001,0"];

const GROUPS: &[&str] =
    &["category", "project", "month", "member", "merchant", "tag", "place", "week", "year"];

/// Percent-encoded, every byte that could mean something.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let encode = |byte| match byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

pub(super) fn query(pairs: &[(&str, String)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A list of a collection.
pub(super) fn list(choice: &mut Choice, organization: &Organization, collection: &str) -> Call {
    let mut pairs = Vec::new();
    if choice.chance(70) {
        let limit = choice.of(&["1", "2", "3", "5", "10", "500", "0", "501", "x"]);
        pairs.push(("limit", limit.to_owned()));
    }
    if collection == "expenses" {
        pairs.extend(filters(choice, organization));
        let sort = choice.of(SORTS);
        pairs.push(("sort", sort.to_owned()));
        if choice.chance(10) {
            pairs.push(("cursor", forged(choice, sort)));
        }
    }
    Call::get(format!("{}/{collection}?{}", organization.path, query(&pairs)))
}

fn filters(choice: &mut Choice, organization: &Organization) -> Vec<(&'static str, String)> {
    let statuses = ["draft", "submitted", "approved", "rejected", "reimbursed", "nonsense"];
    let amounts = [i64::MIN, -1, 0, 1, 1000, 50_000, 9_007_199_254_740_991, i64::MAX];
    let id = |choice: &mut Choice, collection| {
        choice.maybe_of(organization.of(collection)).map(|row| row.id()).unwrap_or_default()
    };
    let mut filters = vec![
        ("category_id", id(choice, "categories")),
        ("member_id", id(choice, "members")),
        ("category_id", choice.of(&["none", "none,none", "none,nonsense"]).to_owned()),
        ("status", choice.of(&statuses).to_owned()),
        ("status", choice.of(&["draft,submitted", "approved,draft", "draft,nonsense"]).to_owned()),
        ("kind", choice.of(&["purchase", "refund"]).to_owned()),
        ("currency", choice.of(&["EUR", "USD", "CHF", "eur", "XXX"]).to_owned()),
        ("spent_from", day(choice)),
        ("spent_to", day(choice)),
        ("spent_from", choice.of(BAD_DAYS).to_owned()),
        ("amount_from", choice.of(&amounts).to_string()),
        ("amount_to", choice.of(&amounts).to_string()),
        ("tag", choice.of(TEXTS).to_owned()),
        ("q", choice.of(TEXTS).to_owned()),
        ("q", choice.of(&["a", "_", "%", "\\", "ä", "ss", "i", ""]).to_owned()),
        ("near", choice.of(PLACES).to_owned()),
        ("within", choice.of(&["1", "1000", "600000", "10000000", "10000001"]).to_owned()),
        ("nonsense", String::new()),
    ];
    filters.retain(|(name, _)| choice.chance(if *name == "nonsense" { 1 } else { 9 }));
    filters
}

/// A cursor that no page gave: of another type, or beyond what a database can say.
fn forged(choice: &mut Choice, sort: &str) -> String {
    let values: [Value; 9] = [
        json!({ "text": "x" }),
        json!({ "text": "x\u{0}" }),
        json!({ "number": 1 }),
        json!({ "number": i64::MAX }),
        json!({ "day": "2026-06-01" }),
        json!({ "day": "-200000-01-01" }),
        json!({ "instant": "2026-11-21T08:00:00Z" }),
        json!({ "instant": "-200000-01-01T00:00:00Z" }),
        json!({ "id": "01900000-0000-7000-8000-000000000000" }),
    ];
    let value = choice.of(&values);
    let cursor = json!({ "s": sort, "v": value, "i": "01900000-0000-7000-8000-000000000000" });
    URL_SAFE_NO_PAD.encode(cursor.to_string())
}

/// One of the reports.
pub(super) fn report(choice: &mut Choice, organization: &Organization) -> Call {
    let path = &organization.path;
    if choice.chance(40) {
        return Call::get(format!("{path}/reports/budgets?on={}", encode(&day(choice))));
    }
    let (from, to) = if choice.chance(60) {
        ("1000-01-01".into(), "9999-12-31".into())
    } else {
        (day(choice), day(choice))
    };
    let group_by = choice.of(GROUPS).to_owned();
    let largest = choice.of(&["false", "true"]).to_owned();
    let pairs = [("from", from), ("to", to), ("group_by", group_by), ("largest", largest)];
    let near = choice.chance(20).then(|| ("near", choice.of(PLACES).to_owned()));
    let pairs: Vec<_> = pairs.into_iter().chain(near).collect();
    Call::get(format!("{path}/reports/spending?{}", query(&pairs)))
}

/// An import of a few rows.
pub(super) fn import(choice: &mut Choice, organization: &Organization) -> Call {
    let mut csv = "Day,Amount,Shop,Kind of thing,In or out\n".to_owned();
    for _ in 0..choice.below(8) {
        let bad = choice.chance(4);
        let amount = if bad { "1.2.3".to_owned() } else { choice.below(1_000_000).to_string() };
        let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let (shop, kind) = (cell(choice.of(TEXTS)), cell(choice.of(TEXTS)));
        let direction = choice.of(&["debit", "DEBIT", "debit", "credit"]);
        csv += &format!("{},{amount},{shop},{kind},{direction}\n", day(choice));
    }
    let mut pairs = vec![
        ("date", "day".to_owned()),
        ("amount", "AMOUNT".to_owned()),
        ("merchant", "Shop".to_owned()),
        ("direction", "In or out".to_owned()),
        ("direction_debit", "Debit".to_owned()),
        ("on_error", choice.of(&["skip", "abort"]).to_owned()),
        ("dry_run", choice.of(&["false", "false", "true"]).to_owned()),
    ];
    if choice.chance(50) {
        pairs.push(("category", "Kind of thing".into()));
        pairs.push(("create_categories", choice.of(&["true", "true", "false"]).to_owned()));
    }
    if choice.chance(30) {
        pairs.push(("restore", choice.of(&["true", "false"]).to_owned()));
        pairs.push(("account", choice.of(TEXTS).to_owned()));
    }
    let path = format!("{}/expenses/import?{}", organization.path, query(&pairs));
    let content_type = "text/csv";
    Call { content_type, body: Some(csv.into()), ..Call::new(reqwest::Method::POST, path) }
}
