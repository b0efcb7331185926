//! What is sent: mostly good, sometimes bad in one place.

use serde_json::{Value, json};
use tests::PASSWORD;
use uuid::Uuid;

use super::{
    choice::Choice,
    documents, ledger,
    script::{Call, Organization},
    texts::{BAD_DAYS, TEXTS, amount, bad_details, bad_text, day, details},
    work,
};

const NOBODY: &str = "01900000-0000-7000-8000-000000000000";
pub(super) const ROLES: &[&str] = &["viewer", "member", "manager", "admin", "owner"];
pub(super) const PRIORITIES: &[&str] = &["low", "medium", "high", "urgent"];
pub(super) const CURRENCIES: &[&str] = &["EUR", "USD", "CHF", "JPY", "KWD"];

/// A row of a collection that another can refer to, of the older half, so that some can be removed;
/// rarely one that is not there.
pub(super) fn reference(
    choice: &mut Choice,
    organization: &Organization,
    collection: &str,
) -> Value {
    if choice.chance(3) {
        return json!(NOBODY);
    }
    let rows = organization.of(collection);
    choice.maybe_of(&rows[..rows.len().div_ceil(2)]).map_or(Value::Null, |row| json!(row.id()))
}

/// Leaves a field out as often as not.
pub(super) fn maybe(choice: &mut Choice, body: &mut Value, name: &str, value: Value) {
    if choice.chance(50) {
        body[name] = value;
    }
}

/// An id as a client chooses one.
pub(super) fn client_id(choice: &mut Choice) -> Uuid {
    Uuid::from_u128(u128::from(choice.below(1 << 40)) + 1)
}

/// Makes a row of a collection; rarely not, because the body breaks a rule.
pub(super) fn create(choice: &mut Choice, organization: &Organization, collection: &str) -> Call {
    let mut body = new(choice, organization, collection);
    if choice.chance(10) {
        body["id"] = json!(client_id(choice));
    }
    if choice.chance(10) {
        spoil(choice, &mut body);
    }
    Call::post(format!("{}/{collection}", organization.path), &body)
}

/// The body of a new row of a collection.
pub(super) fn new(choice: &mut Choice, organization: &Organization, collection: &str) -> Value {
    match collection {
        "organizations" => self::organization(choice),
        "members" => member(choice),
        "invitations" => invitation(choice, organization),
        "api-keys" => key(choice),
        "categories" => category(choice, organization),
        "budgets" => budget(choice, organization),
        "rules" => rule(choice, organization),
        "webhooks" => webhook(choice),
        "expenses" => expense(choice, organization),
        "accounts" => ledger::account(choice),
        "journal-entries" => ledger::entry(choice, organization),
        "collections" | "documents" => documents::new(choice, collection),
        _ => work::new(choice, organization, collection),
    }
}

/// A registration. Where everybody may register, nobody looks at the invitation.
pub(super) fn user(choice: &mut Choice, email: &str) -> Value {
    let mut body =
        json!({ "email": email, "display_name": choice.of(TEXTS), "password": PASSWORD });
    if choice.chance(20) {
        body["invitation"] = json!("stw_i_nonsense");
    }
    body
}

/// A login, with the address as people write it.
pub(super) fn session(choice: &mut Choice, email: &str) -> Value {
    let email = match choice.below(5) {
        0 => email.to_uppercase(),
        1 => format!(" {email} "),
        _ => email.to_owned(),
    };
    let password = if choice.chance(10) { "not the password" } else { PASSWORD };
    json!({ "email": email, "password": password })
}

/// What somebody changes about themselves: the address at most in its case.
pub(super) fn profile(choice: &mut Choice, email: &str) -> Value {
    let mut body = json!({ "display_name": choice.of(TEXTS) });
    if choice.chance(30) {
        body["email"] = json!(email.to_uppercase());
    }
    body
}

fn invitation(choice: &mut Choice, organization: &Organization) -> Value {
    let mut body = json!({ "role": choice.of(ROLES), "expires_in_days": choice.below(90) + 1 });
    if choice.chance(20) {
        body["member_id"] = reference(choice, organization, "members");
    }
    if choice.chance(20) {
        body["email"] = json!(choice.of(&["person0@example.org", "PERSON1@example.org"]));
    }
    body
}

fn member(choice: &mut Choice) -> Value {
    let mut body = json!({ "name": choice.of(TEXTS) });
    let role = choice.of(ROLES);
    maybe(choice, &mut body, "role", json!(role));
    let rate = amount(choice);
    maybe(choice, &mut body, "hourly_rate_minor", json!(rate));
    let external = choice.of(TEXTS);
    maybe(choice, &mut body, "external_ref", json!(external));
    let active = choice.chance(90);
    maybe(choice, &mut body, "active", json!(active));
    body
}

fn key(choice: &mut Choice) -> Value {
    let ends = [
        json!(null),
        json!("2030-01-01T00:00:00Z"),
        json!("2030-06-01T12:00:00.123456789+02:00"),
        json!("9999-12-31T23:59:59.999999Z"),
        json!("2020-01-01T00:00:00Z"),
        json!("+12000-01-01T00:00:00Z"),
        json!("-0001-01-01T00:00:00Z"),
        json!("2030-01-01"),
    ];
    let bias = choice.of(&[0, 0, 0, 1, 2, 3, 4, 5, 6, 7]);
    let mut body =
        json!({ "name": choice.of(TEXTS), "role": choice.of(ROLES), "expires_at": ends[bias] });
    // Never met: how fast the script runs is the machine's.
    let limits = [600_000, 600_000, 600_000, 6_000_000, 6_000_001, 0];
    let limit = json!(choice.of(&limits));
    maybe(choice, &mut body, "requests_per_minute", limit);
    body
}

fn webhook(choice: &mut Choice) -> Value {
    let urls = [
        "https://a.example/hook?x=1",
        "http://127.0.0.1:9/",
        "HTTPS://Ü.example",
        "ftp://a.example",
    ];
    let kinds = [json!(["*"]), json!(["expense.*", "member.joined"]), json!(["x.y"]), json!([])];
    let mut body = json!({ "url": urls[choice.of(&[0, 0, 0, 1, 1, 1, 2, 3])],
        "kinds": kinds[choice.of(&[0, 0, 0, 1, 1, 1, 1, 2, 3])] });
    let text = choice.of(TEXTS);
    maybe(choice, &mut body, "description", json!(text));
    let enabled = choice.chance(80);
    maybe(choice, &mut body, "enabled", json!(enabled));
    body
}

fn category(choice: &mut Choice, organization: &Organization) -> Value {
    let mut body = json!({ "name": choice.of(TEXTS), "kind": choice.of(&["expense", "income"]) });
    let parent = reference(choice, organization, "categories");
    maybe(choice, &mut body, "parent_id", parent);
    body
}

fn budget(choice: &mut Choice, organization: &Organization) -> Value {
    let mut body = json!({
        "name": choice.of(TEXTS),
        "period": choice.of(&["week", "month", "quarter", "year"]),
        "amount_minor": amount(choice),
        "starts_on": day(choice),
    });
    let category = reference(choice, organization, "categories");
    maybe(choice, &mut body, "category_id", category);
    let currency = choice.of(CURRENCIES);
    maybe(choice, &mut body, "currency", json!(currency));
    if choice.chance(20) {
        body["ends_on"] = json!(day(choice));
    }
    let first = json!({ "starts_on": body["starts_on"], "amount_minor": amount(choice) });
    let latest = json!({ "starts_on": day(choice), "amount_minor": body["amount_minor"] });
    if choice.chance(30) {
        body["amounts"] = json!([first, latest]);
    }
    body
}

fn rule(choice: &mut Choice, organization: &Organization) -> Value {
    let kinds = ["expense.created", "expense.created", "expense.updated", "expense.submitted"];
    let mut when = json!({ "kind": choice.of(&kinds) });
    if choice.chance(60) {
        when["condition"] = condition(choice, organization, 3);
    }
    let category = reference(choice, organization, "categories");
    let mut then = vec![json!({ "add_tag": choice.of(TEXTS) })];
    if choice.chance(30) {
        then.push(json!({ "set_note": choice.of(TEXTS) }));
    }
    if choice.chance(30) && !category.is_null() {
        then.insert(0, json!({ "set_category": category }));
    }
    if choice.chance(30) {
        let mut task = json!({ "title": choice.of(TEXTS) });
        for (name, collection) in [("assignee_member_id", "members"), ("project_id", "projects")] {
            let named = reference(choice, organization, collection);
            maybe(choice, &mut task, name, named);
        }
        let days = choice.below(4000);
        maybe(choice, &mut task, "due_in_days", json!(days));
        let (role, priority) = (choice.of(ROLES), choice.of(PRIORITIES));
        maybe(choice, &mut task, "assignee_role", json!(role));
        maybe(choice, &mut task, "priority", json!(priority));
        then.push(json!({ "create_task": task }));
    }
    json!({ "name": choice.of(TEXTS), "when": when, "then": then, "enabled": choice.chance(90) })
}

/// A condition; rarely none.
fn condition(choice: &mut Choice, organization: &Organization, depth: u64) -> Value {
    if depth > 0 && choice.chance(40) {
        let some = |choice: &mut Choice| condition(choice, organization, depth - 1);
        return match choice.below(3) {
            0 => json!({ "not": some(choice) }),
            1 => json!({ "any": [some(choice), some(choice)] }),
            _ => json!({ "all": [some(choice), some(choice)] }),
        };
    }
    let category = reference(choice, organization, "categories");
    let tests = [
        json!({ "field": "merchant", "op": "contains", "value": choice.of(TEXTS) }),
        json!({ "field": "merchant", "op": "ne", "value": choice.of(TEXTS) }),
        json!({ "field": "amount_minor", "op": "gte", "value": amount(choice) }),
        json!({ "field": "spent_on", "op": "lt", "value": day(choice) }),
        json!({ "field": "note", "op": "exists", "value": false }),
        json!({ "field": "tags", "op": "contains", "value": choice.of(TEXTS) }),
        json!({ "field": "currency", "op": "in", "value": CURRENCIES }),
        json!({ "field": "category_id", "op": "eq", "value": category }),
        json!({ "field": "status", "op": "ne", "value": "draft" }),
        json!({ "field": "nonsense", "op": "eq", "value": 1 }),
    ];
    let at = choice.below(tests.len() as u64) as usize;
    let at = if at == 9 && choice.chance(70) { 0 } else { at };
    tests[at].clone()
}

pub(super) fn expense(choice: &mut Choice, organization: &Organization) -> Value {
    let mut body = json!({
        "kind": choice.of(&["purchase", "purchase", "refund"]),
        "spent_on": day(choice),
        "amount_minor": amount(choice),
        "merchant": choice.of(TEXTS),
    });
    if choice.chance(30) {
        body["tags"] = json!([choice.of(TEXTS), choice.of(TEXTS)]);
    }
    for name in ["note", "place", "payment_method"] {
        let text = choice.of(TEXTS);
        maybe(choice, &mut body, name, json!(text));
    }
    let currency = choice.of(CURRENCIES);
    maybe(choice, &mut body, "currency", json!(currency));
    for (name, collection) in [("category_id", "categories"), ("project_id", "projects")] {
        let id = reference(choice, organization, collection);
        maybe(choice, &mut body, name, id);
    }
    if choice.chance(30) {
        let places = [(47.376_886_6, 8.541_694), (-90.0, 180.0), (0.0, -180.0), (0.1, 1e-8)];
        let (latitude, longitude) = choice.of(&places);
        body["latitude"] = json!(latitude);
        body["longitude"] = json!(longitude);
    }
    // Mostly somebody else's, whom the owner may decide about.
    if choice.chance(70) {
        body["member_id"] = reference(choice, organization, "members");
    }
    let details = details(choice);
    maybe(choice, &mut body, "details", details);
    if choice.chance(35) {
        lines(choice, organization, &mut body);
    }
    body
}

/// Lines that sum to the expense, or rarely do not.
fn lines(choice: &mut Choice, organization: &Organization, body: &mut Value) {
    let count = choice.below(4) + 1;
    let items: Vec<Value> = (0..count)
        .map(|_| {
            let mut line =
                json!({ "name": choice.of(TEXTS), "amount_minor": choice.below(5000) + 1 });
            if choice.chance(10) {
                line["amount_minor"] = json!(choice.of(&[-250, -1, 0]));
            }
            for (name, collection) in [("category_id", "categories"), ("project_id", "projects")] {
                let id = reference(choice, organization, collection);
                maybe(choice, &mut line, name, id);
            }
            maybe(choice, &mut line, "unit", json!("kg"));
            let quantity = amount(choice);
            maybe(choice, &mut line, "quantity_milli", json!(quantity));
            line
        })
        .collect();
    let sum: i64 = items.iter().filter_map(|line| line["amount_minor"].as_i64()).sum();
    body["amount_minor"] = json!(if choice.chance(5) { sum + 1 } else { sum });
    body["items"] = json!(items);
}

pub(super) fn organization(choice: &mut Choice) -> Value {
    let mut body = json!({
        "kind": choice.of(&["household", "company"]),
        "name": choice.of(TEXTS),
        "currency": choice.of(CURRENCIES),
    });
    let zone = choice.of(&["UTC", "Europe/Zurich", "Pacific/Kiritimati"]);
    maybe(choice, &mut body, "time_zone", json!(zone));
    let large = amount(choice);
    maybe(choice, &mut body, "large_expense_minor", json!(large));
    let url =
        choice.of(&["http://127.0.0.1:9/p", "http://pay.example/", "https://p/", "https://q/"]);
    if choice.chance(90) {
        body["payout_url"] = json!(url);
    }
    let overlap = choice.chance(50);
    maybe(choice, &mut body, "overlap_allowed", json!(overlap));
    if choice.chance(20) {
        body["approval_required"] = choice.of(&[json!(true), json!(false), Value::Null]);
    }
    body
}

/// Some of the fields of a body, one of them perhaps cleared: a merge patch.
pub(super) fn patch(choice: &mut Choice, whole: Value) -> Value {
    let mut patch = whole;
    if let Some(fields) = patch.as_object_mut() {
        fields.retain(|_, _| choice.chance(40));
    }
    let cleared = [
        "note",
        "category_id",
        "merchant",
        "details",
        "parent_id",
        "name",
        "ends_on",
        "amounts",
        "latitude",
    ];
    if choice.chance(10) {
        patch[choice.of(&cleared)] = Value::Null;
    }
    patch
}

/// Breaks one rule.
pub(super) fn spoil(choice: &mut Choice, body: &mut Value) {
    let Some(fields) = body.as_object_mut() else { return };
    let names: Vec<String> = fields.keys().cloned().collect();
    let Some(name) = choice.maybe_of(&names) else { return };
    let numbers = [
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e19),
        json!(9_007_199_254_740_992_i64),
        json!(i64::MAX),
        json!(u64::MAX),
        json!("12"),
    ];
    match choice.below(8) {
        0 => drop(fields.remove(&name)),
        1 => drop(fields.insert("nonsense".into(), json!(1))),
        2 => drop(fields.insert(name, Value::Null)),
        3 => drop(fields.insert("details".into(), bad_details(choice))),
        4 => drop(fields.insert("amount_minor".into(), choice.of(&numbers))),
        5 => drop(fields.insert("spent_on".into(), json!(choice.of(BAD_DAYS)))),
        6 => drop(fields.insert("id".into(), choice.of(&[json!("x"), json!(NOBODY), json!(1)]))),
        _ => drop(fields.insert(name, bad_text(choice))),
    }
}
