//! What is asked of the ledger: accounts, entries, reversals, balances.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    bodies::{self, maybe, reference},
    choice::Choice,
    queries::query,
    script::{Call, Organization, Row},
    steps::versioned,
    texts::{TEXTS, day},
};

/// The collections that this makes rows of.
pub(super) const COLLECTIONS: &[&str] = &["accounts", "journal-entries"];

/// A call to the ledger.
pub(super) fn call(choice: &mut Choice, organization: &Organization) -> Call {
    if choice.chance(45) {
        return saga(choice, organization);
    }
    let accounts = format!("{}/accounts", organization.path);
    let some = choice.maybe_of(organization.of("accounts"));
    let Some(account) = some.filter(|_| organization.of("accounts").len() > 2) else {
        return bodies::create(choice, organization, "accounts");
    };
    let entry = choice.maybe_of(organization.of("journal-entries"));
    match (choice.below(100), entry) {
        (0..10, _) => bodies::create(choice, organization, "accounts"),
        (10..18, _) => {
            let whole = bodies::new(choice, organization, "accounts");
            let patch = bodies::patch(choice, whole);
            versioned(choice, Method::PATCH, &account, patch)
        }
        (18..22, _) => versioned(choice, Method::DELETE, &account, json!({})),
        (22..26, _) => Call::get(format!("{}/balance", account.path)),
        (26..29, _) => Call::get(account.path),
        (29..33, _) => Call::get(format!("{accounts}?limit=2")),
        (33..38, _) => Call::get(format!("{}/balances?limit=3", organization.path)),
        (38..46, _) => list(choice, organization, &account),
        (46..56, Some(entry)) => Call::get(entry.path),
        (56..68, Some(entry)) => {
            let path = format!("{}/reverse", entry.path);
            let body = json!({ "memo": choice.of(TEXTS) });
            versioned(choice, Method::POST, &Row { path, ..entry }, body)
        }
        _ => bodies::create(choice, organization, "journal-entries"),
    }
}

pub(super) fn account(choice: &mut Choice) -> Value {
    json!({
        "name": choice.of(TEXTS),
        "kind": choice.of(&["asset", "liability", "equity", "income", "expense"]),
        "currency": choice.of(&["EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "USD"]),
        "may_go_below_zero": choice.chance(90),
        "closed": choice.chance(2),
    })
}

pub(super) fn entry(choice: &mut Choice, organization: &Organization) -> Value {
    let accounts = organization.of("accounts");
    // The older half, so that some can be removed.
    let older = &accounts[..accounts.len().div_ceil(2).max(2)];
    let transfers: Vec<Value> = (0..=choice.below(2))
        .map(|_| {
            let mut sides = older.to_vec();
            let debit = sides.remove(choice.below(sides.len() as u64) as usize);
            json!({
                "debit_account_id": debit.id(),
                "credit_account_id": choice.of(&sides).id(),
                "amount_minor": choice.below(1000) + 1,
                "currency": "EUR",
            })
        })
        .collect();
    json!({
        "occurred_on": day(choice),
        "memo": choice.of(TEXTS),
        "reference": choice.of(&["R 1", "R 2"]),
        "transfers": transfers,
    })
}

/// A call about a saga; nobody works on them while the script runs.
fn saga(choice: &mut Choice, organization: &Organization) -> Call {
    let sagas = format!("{}/sagas", organization.path);
    if choice.chance(30)
        && let Some(member) = choice.maybe_of(organization.of("members"))
    {
        let mut body = json!({});
        let taker = reference(choice, organization, "members");
        maybe(choice, &mut body, "reassign_to_member_id", taker);
        let path = format!("{}/offboard", member.path);
        return versioned(choice, Method::POST, &Row { path, ..member }, body);
    }
    let states = ["running", "compensating", "completed", "compensated", "failed", "nonsense"];
    match (choice.below(9), choice.maybe_of(organization.of("sagas"))) {
        (0, _) | (_, None) => {
            let pairs = [("state", choice.of(&states).to_owned()), ("limit", "2".to_owned())];
            let pairs = if choice.chance(50) { &pairs[..] } else { &pairs[1..] };
            Call::get(format!("{sagas}?{}", query(pairs)))
        }
        (1, Some(saga)) => Call::get(saga.path),
        (_, Some(saga)) => {
            let verb = choice.of(&["retry", "compensate", "mark-paid"]);
            let body = if choice.chance(50) { json!({ "note": "Kiosk" }) } else { json!({}) };
            let path = format!("{}/{verb}", saga.path);
            versioned(choice, Method::POST, &Row { path, ..saga }, body)
        }
    }
}

fn list(choice: &mut Choice, organization: &Organization, account: &Row) -> Call {
    let mut pairs = vec![
        ("account_id", account.id()),
        ("occurred_from", day(choice)),
        ("occurred_to", day(choice)),
        ("sort", choice.of(&["occurred_on", "-occurred_on", "memo"]).to_owned()),
        ("limit", choice.of(&["1", "2", "500"]).to_owned()),
    ];
    pairs.retain(|_| choice.chance(40));
    Call::get(format!("{}/journal-entries?{}", organization.path, query(&pairs)))
}
