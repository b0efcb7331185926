//! Rules that people make, and what they do.

mod tasks;

use serde_json::{Value, json};
use service::store::Engine;
use tests::{App, Client, Database, at, each_database, id, log::events};

async fn rule(client: &Client, home: &str, name: &str, when: Value, then: Value) -> Value {
    let new = json!({ "name": name, "when": when, "then": then });
    client.make(&format!("{home}/rules"), new).await
}

/// When an expense is new and one of its fields is so.
fn new_with(field: &str, op: &str, value: Value) -> Value {
    let condition = json!({ "field": field, "op": op, "value": value });
    json!({ "kind": "expense.created", "condition": condition })
}

async fn spend(client: &Client, home: &str, more: Value) -> Value {
    let mut new = json!({ "spent_on": "2026-11-02", "amount_minor": 1250 });
    for (name, value) in more.as_object().unwrap() {
        new[name] = value.clone();
    }
    client.make(&format!("{home}/expenses"), new).await
}

/// An expense, once all is done that is to be done.
async fn settled(app: &App, client: &Client, home: &str, expense: &Value) -> Value {
    app.run_until_idle().await;
    client.read(&at(&format!("{home}/expenses"), expense)).await
}

#[each_database]
async fn a_rule_does_what_it_says_once(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let coffee = ada.make(&format!("{home}/categories"), json!({ "name": "Coffee" })).await;
    let when = json!({ "kind": "expense.created", "condition": { "all": [
        { "field": "merchant", "op": "contains", "value": "CAFÉ" },
        { "not": { "field": "amount_minor", "op": "gt", "value": 2000 } },
    ] } });
    let then = json!([{ "set_category": id(&coffee) }, { "add_tag": "Treat" },
        { "set_note": "again" }]);
    let made = rule(&ada, &home, "Coffee", when, then).await;
    let meant = spend(&ada, &home, json!({ "merchant": "Café Zürich", "tags": ["a"] })).await;
    let large = json!({ "merchant": "Café Zürich", "amount_minor": 2001 });
    let large = spend(&ada, &home, large).await;
    let changed = settled(&app, &ada, &home, &meant).await;
    assert_eq!(changed["category_id"], coffee["id"]);
    assert_eq!((&changed["tags"], &changed["note"]), (&json!(["a", "Treat"]), &json!("again")));
    assert_eq!(changed["version"], 2, "in one change");
    assert_eq!(settled(&app, &ada, &home, &large).await["version"], 1);
    let told = events(&app.store, "expense.updated").await;
    let by: Vec<_> = told.iter().map(|it| (&*it.author, it.author_id.unwrap())).collect();
    assert_eq!(by, [("rule", id(&made).parse().unwrap())]);
    // What is so already is no change.
    let so = json!({ "merchant": "cafe café", "tags": ["TREAT"], "note": "again",
        "category_id": id(&coffee) });
    let so = spend(&ada, &home, so).await;
    assert_eq!(settled(&app, &ada, &home, &so).await["version"], 1);
    // Nor what happens while it is off, or once it is gone.
    let rules = format!("{home}/rules");
    let off = json!({ "version": 1, "enabled": false });
    ada.patch(&at(&rules, &made), off).await.expect(200);
    let after = spend(&ada, &home, json!({ "merchant": "café" })).await;
    assert_eq!(settled(&app, &ada, &home, &after).await["version"], 1);
    app.stop().await;
}

#[each_database]
async fn rules_apply_in_the_order_of_their_names_and_not_to_each_other(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "kind": "expense.created" });
    let changed = json!({ "kind": "expense.updated" });
    rule(&ada, &home, "b", new.clone(), json!([{ "set_note": "second" }])).await;
    rule(&ada, &home, "A", new, json!([{ "set_note": "first" }])).await;
    // Each would have the other react for ever.
    rule(&ada, &home, "c", changed.clone(), json!([{ "set_note": "c" }])).await;
    rule(&ada, &home, "d", changed, json!([{ "set_note": "d" }])).await;
    let expense = spend(&ada, &home, json!({})).await;
    let by_rules = settled(&app, &ada, &home, &expense).await;
    assert_eq!((&by_rules["note"], &by_rules["version"]), (&json!("second"), &json!(3)));
    let path = at(&format!("{home}/expenses"), &expense);
    ada.patch(&path, json!({ "version": 3, "place": "here" })).await.expect(200);
    let by_person = settled(&app, &ada, &home, &expense).await;
    assert_eq!((&by_person["note"], &by_person["version"]), (&json!("d"), &json!(6)));
    app.stop().await;
}

#[each_database]
async fn a_rule_tests_each_field_that_the_api_shows(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let clerk = ada.invite(&company, "manager").await;
    let shown = spend(&clerk, &company, json!({})).await;
    let by_clerk = shown["created_by_member_id"].clone();
    let by_clerk = new_with("created_by_member_id", "eq", by_clerk);
    rule(&ada, &company, "a", by_clerk, json!([{ "add_tag": "clerk" }])).await;
    let fields = shown.as_object().unwrap().keys();
    let exists = |field| json!({ "field": field, "op": "exists", "value": true });
    let any = json!({ "any": fields.map(exists).collect::<Vec<_>>() });
    let any = json!({ "kind": "expense.created", "condition": any });
    rule(&ada, &company, "b", any, json!([{ "add_tag": "any" }])).await;
    for (who, tags) in [(&clerk, json!(["clerk", "any"])), (&ada, json!(["any"]))] {
        let expense = spend(who, &company, json!({})).await;
        assert_eq!(settled(&app, &ada, &company, &expense).await["tags"], tags);
    }
    app.stop().await;
}

#[each_database]
async fn an_expense_that_may_not_be_changed_is_left_and_the_log_says_so(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let made = rule(
        &ada,
        &company,
        "Tag",
        json!({ "kind": "expense.approved" }),
        json!([{ "add_tag": "x" }]),
    )
    .await;
    let new = new_with("merchant", "eq", json!("gone"));
    rule(&ada, &company, "Gone", new, json!([{ "add_tag": "x" }])).await;
    let edsger = ada.make(&format!("{company}/members"), json!({ "name": "Edsger" })).await;
    let clerk = ada.invite(&company, "manager").await;
    let expense = spend(&clerk, &company, json!({ "member_id": id(&edsger) })).await;
    let path = at(&format!("{company}/expenses"), &expense);
    for (version, verb, by) in [(1, "submit", &clerk), (2, "approve", &ada)] {
        let body = json!({ "version": version });
        by.post(&format!("{path}/{verb}"), body).await.expect(200);
    }
    let gone = spend(&ada, &company, json!({ "merchant": "Gone" })).await;
    let gone = at(&format!("{company}/expenses"), &gone);
    ada.delete(&format!("{gone}?version=1")).await.expect(204);
    let after = settled(&app, &ada, &company, &expense).await;
    assert_eq!((&after["tags"], &after["version"]), (&json!([]), &json!(3)));
    let skipped = events(&app.store, "rule.skipped").await;
    let codes = skipped.iter().map(|it| it.data.as_ref().unwrap()["code"].clone());
    assert_eq!(codes.collect::<Vec<_>>(), [json!("wrong_status"), json!("not_found")]);
    let first = skipped[0].data.as_ref().unwrap();
    assert_eq!((&first["id"], &first["entity_id"]), (&made["id"], &expense["id"]));
    assert_eq!(skipped[0].entity_version, 1, "the rule itself is as it was");
    assert_eq!(service::consumer::parked(&app.store).await.unwrap(), []);
    app.stop().await;
}

#[each_database]
async fn a_dry_run_says_what_a_rule_would_have_done_and_does_nothing(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let rules = format!("{home}/rules");
    let mut made = Vec::new();
    for (merchant, tags) in [("Café", json!([])), ("Bakery", json!([])), ("café", json!(["t"]))] {
        made.push(spend(&ada, &home, json!({ "merchant": merchant, "tags": tags })).await);
    }
    let when = new_with("merchant", "eq", json!("café"));
    let then = json!([{ "add_tag": "t" }]);
    let trial = json!({ "when": when, "then": then });
    let none = ada.post(&format!("{rules}/dry-run"), trial.clone()).await.expect(200);
    if app.store.engine() == Engine::Postgres {
        assert_eq!(none["looked_at"], 0, "what has no position yet is not in the log");
    }
    app.run_until_idle().await;
    let before = (events(&app.store, "expense.created").await, ada.all(&rules, "").await);
    let ran = ada.post(&format!("{rules}/dry-run"), trial.clone()).await.expect(200);
    let counts = ["looked_at", "matched", "changed", "unchanged", "skipped"];
    assert_eq!(counts.map(|name| ran[name].as_i64().unwrap()), [3, 2, 1, 1, 0]);
    assert_eq!(ran["complete"], true);
    let items: Vec<_> = ran["items"].as_array().unwrap().iter().collect();
    let shown: Vec<_> = items
        .iter()
        .map(|it| (it["entity_id"].clone(), it["outcome"].clone(), it["changes"].clone()))
        .collect();
    let unchanged = (made[2]["id"].clone(), json!("unchanged"), json!({}));
    let changed = (made[0]["id"].clone(), json!("changed"), json!({ "tags": ["t"] }));
    assert_eq!(shown, [unchanged, changed], "the latest first");
    let told = &before.0[0];
    assert_eq!(items[1]["event_id"], told.id.to_string());
    assert_eq!((events(&app.store, "expense.created").await, ada.all(&rules, "").await), before);

    // The same of a rule that is there: it has done nothing to what was there before it.
    let made_rule = rule(&ada, &home, "Coffee", when, then).await;
    app.run_until_idle().await;
    let path = format!("{}/dry-run", at(&rules, &made_rule));
    assert_eq!(ada.post(&path, json!({})).await.expect(200), ran);
    let one = ada.post(&path, json!({ "limit": 1 })).await.expect(200);
    assert_eq!((one["items"].as_array().unwrap().len(), &one["matched"]), (1, &json!(2)));
    let tomorrow = (app.store.now() + chrono::TimeDelta::days(1)).format("%Y-%m-%d");
    let later = json!({ "from": tomorrow.to_string() });
    assert_eq!(ada.post(&path, later).await.expect(200)["looked_at"], 0);
    let order = json!({ "from": "2026-11-02", "to": "2026-11-01" });
    assert_eq!(ada.post(&path, order).await.expect_violations(), ["/to"]);
    // Nobody who may not make rules tries them.
    let member = ada.invite(&home, "member").await;
    member.post(&path, json!({})).await.expect_problem(403, "role_insufficient");
    app.stop().await;
}

#[each_database]
async fn what_is_no_rule_is_refused_where_it_is_wrong(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let rules = format!("{home}/rules");
    let test = |field: &str, op: &str, value: Value| {
        json!({
            "condition": { "field": field, "op": op, "value": value }
        })
    };
    let nobody = "01900000-0000-7000-8000-000000000000";
    for (when, then, pointer) in [
        (json!({ "kind": "expense.deleted" }), Value::Null, "/when/kind"),
        (json!({ "kind": "budget.created" }), Value::Null, "/when/kind"),
        (json!({ "nonsense": 1 }), Value::Null, "/when/nonsense"),
        (test("nonsense", "eq", json!(1)), Value::Null, "/when/condition/field"),
        (test("note", "lt", json!("x")), Value::Null, "/when/condition/op"),
        (test("amount_minor", "eq", json!(1.5)), Value::Null, "/when/condition/value"),
        (
            json!({ "condition": { "any": [{ "all": 1 }] } }),
            Value::Null,
            "/when/condition/any/0/all",
        ),
        (json!({ "condition": [] }), Value::Null, "/when/condition"),
        (json!({}), json!([]), "/then"),
        (json!({}), json!([{ "add_tag": " " }]), "/then/0/add_tag"),
        (json!({}), json!([{ "add_tag": "a" }, { "add_tag": "A" }]), "/then/1/add_tag"),
        (json!({}), json!([{ "add_tag": "a".repeat(51) }]), "/then/0/add_tag"),
        (json!({}), json!([{ "set_note": "x" }, { "set_note": "y" }]), "/then/1/set_note"),
        (json!({}), json!([{ "set_note": "x".repeat(2001) }]), "/then/0/set_note"),
        (
            json!({}),
            json!([{ "add_tag": "a" }, { "set_category": nobody }]),
            "/then/1/set_category",
        ),
    ] {
        let mut new = json!({ "name": "x", "when": { "kind": "expense.created" },
            "then": [{ "add_tag": "a" }] });
        for (name, value) in when.as_object().unwrap() {
            new["when"][name] = value.clone();
        }
        if !then.is_null() {
            new["then"] = then;
        }
        let found = ada.post(&rules, new.clone()).await.expect_violations();
        assert_eq!(found, [pointer], "{new}");
        new.as_object_mut().unwrap().remove("name");
        let found = ada.post(&format!("{rules}/dry-run"), new.clone()).await;
        assert_eq!(found.expect_violations(), [pointer], "{new}");
    }
    assert_eq!(ada.all(&rules, "").await, Vec::<Value>::new());
    app.stop().await;
}

#[each_database]
async fn a_category_that_a_rule_sets_stays_and_is_of_the_same_organization(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let other = ada.found("household").await;
    let food = ada.make(&format!("{home}/categories"), json!({ "name": "Food" })).await;
    let set = |id: &str| json!([{ "set_category": id }]);
    let new = json!({ "name": "x", "when": { "kind": "expense.created" }, "then": set(id(&food)) });
    let refused = ada.post(&format!("{other}/rules"), new.clone()).await;
    assert_eq!(refused.expect_violations(), ["/then/0/set_category"]);
    let made = ada.make(&format!("{home}/rules"), new).await;
    let path = format!("{}?version=1", at(&format!("{home}/categories"), &food));
    ada.delete(&path).await.expect_problem(409, "in_use");
    // A rule that no longer sets it lets it go.
    let change = json!({ "version": 1, "then": [{ "add_tag": "x" }] });
    ada.patch(&at(&format!("{home}/rules"), &made), change).await.expect(200);
    ada.delete(&path).await.expect(204);
    app.stop().await;
}

#[each_database]
async fn expenses_are_found_by_their_tags(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let one = spend(&ada, &home, json!({ "tags": ["Trip", "ÄPFEL"] })).await;
    assert_eq!(one["tags"], json!(["Trip", "ÄPFEL"]));
    let batch = json!({ "items": [
        { "spent_on": "2026-11-02", "amount_minor": 1, "tags": ["trip"] },
        { "spent_on": "2026-11-02", "amount_minor": 1 },
    ] });
    ada.post(&format!("{expenses}/batch"), batch).await.expect(201);
    let count = async |tag: &str| ada.all(&expenses, &format!("?tag={tag}&limit=1")).await.len();
    assert_eq!((count("TRIP").await, count("%C3%A4pfel").await, count("tri").await), (2, 1, 0));
    let path = at(&expenses, &one);
    let changed = json!({ "version": 1, "tags": ["other"] });
    assert_eq!(ada.patch(&path, changed).await.expect(200)["tags"], json!(["other"]));
    assert_eq!((count("trip").await, count("other").await), (1, 1));
    let cleared = json!({ "version": 2, "tags": null });
    assert_eq!(ada.patch(&path, cleared).await.expect(200)["tags"], json!([]));
    assert_eq!(ada.read(&path).await["tags"], json!([]));
    assert_eq!(count("other").await, 0);
    let many: Vec<_> = (0..21).map(|n| n.to_string()).collect();
    for (tags, pointer) in [
        (json!(["a", " A "]), "/tags/1"),
        (json!(["a", "\u{a0}"]), "/tags/1"),
        (json!(["x".repeat(51)]), "/tags/0"),
        (json!(many), "/tags"),
        (json!("x"), "/tags"),
    ] {
        let new = json!({ "spent_on": "2026-11-02", "amount_minor": 1, "tags": tags });
        assert_eq!(ada.post(&expenses, new).await.expect_violations(), [pointer]);
    }
    app.stop().await;
}
