//! What a client that was offline asks and sends.

use serde_json::{Value, json};

use super::{
    bodies,
    choice::Choice,
    script::{Call, Organization},
};

const KINDS: &[(&str, &str)] = &[
    ("budget", "budgets"),
    ("category", "categories"),
    ("expense", "expenses"),
    ("member", "members"),
];

/// The collection in which the rows of a kind are.
pub(super) fn collection(entity: &str) -> &'static str {
    let known = KINDS.iter().find(|(kind, _)| *kind == entity);
    known.unwrap_or_else(|| panic!("the script syncs no {entity}")).1
}

/// What has changed, since one of the cursors or since ever.
pub(super) fn changes(choice: &mut Choice, organization: &Organization) -> Call {
    let mut pairs = Vec::new();
    if choice.chance(60)
        && let Some(cursor) = choice.maybe_of(&organization.cursors)
    {
        pairs.push(format!("since={cursor}"));
    }
    if choice.chance(60) {
        pairs.push(format!("limit={}", choice.of(&["1", "2", "3", "20", "500", "0"])));
    }
    if choice.chance(20) {
        let some = ["expense", "category,expense", "member", "invitation,api_key", "x", ""];
        pairs.push(format!("entities={}", choice.of(&some)));
    }
    Call::get(format!("{}/changes?{}", organization.path, pairs.join("&")))
}

/// A few changes of different kinds, mostly good ones.
pub(super) fn sync(choice: &mut Choice, organization: &Organization) -> Call {
    let count = choice.below(6) + 1;
    let changes: Vec<Value> = (0..count).map(|_| edit(choice, organization)).collect();
    Call::post(format!("{}/sync", organization.path), &json!({ "changes": changes }))
}

fn edit(choice: &mut Choice, organization: &Organization) -> Value {
    let (entity, collection) = choice.of(KINDS);
    let mut whole = bodies::new(choice, organization, collection);
    if choice.chance(8) {
        bodies::spoil(choice, &mut whole);
    }
    let row = choice.maybe_of(organization.of(collection)).filter(|_| choice.chance(60));
    let Some(row) = row else {
        let id = bodies::client_id(choice);
        return json!({ "entity": entity, "op": "create", "id": id, "data": whole });
    };
    let version = if choice.chance(15) { row.version - 1 } else { row.version };
    let id = row.id();
    if choice.chance(25) {
        return json!({ "entity": entity, "op": "delete", "id": id, "version": version });
    }
    if entity == "expense" && choice.chance(30) {
        let op = choice.of(&["submit", "approve", "reject", "reimburse"]);
        return json!({ "entity": entity, "op": op, "id": id, "version": version });
    }
    let data = bodies::patch(choice, whole);
    json!({ "entity": entity, "op": "update", "id": id, "version": version, "data": data })
}
