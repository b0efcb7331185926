//! Many changes at once, each with its own result.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{App, Database, each_database, each_lasting_database};
use uuid::Uuid;

fn change(op: &str, entity: &str, id: u128, version: impl Into<Value>, data: Value) -> Value {
    let mut change = json!({ "entity": entity, "op": op, "id": Uuid::from_u128(id) });
    for (name, value) in [("version", version.into()), ("data", data)] {
        if !value.is_null() {
            change[name] = value;
        }
    }
    change
}

fn create(entity: &str, id: u128, data: Value) -> Value {
    change("create", entity, id, Value::Null, data)
}

/// What has become of each: its status, and its code if it was refused.
fn fates(results: &[Value]) -> Vec<String> {
    let words = |result: &Value| {
        let words = ["status", "code"].map(|name| result[name].as_str().unwrap_or_default());
        words.join(" ").trim().to_owned()
    };
    results.iter().map(words).collect()
}

fn lunch(amount: i64, category: u128) -> Value {
    json!({ "spent_on": "2026-11-01", "amount_minor": amount,
        "category_id": Uuid::from_u128(category),
        "items": [{ "name": "Soup", "amount_minor": amount }] })
}

#[each_database]
async fn changes_of_different_kinds_are_made_in_order(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let budget = json!({ "name": "Food", "category_id": Uuid::from_u128(1), "period": "month",
        "amount_minor": 50_000, "starts_on": "2026-01-01" });
    let organization = Uuid::try_parse(home.rsplit('/').next().expect("an id")).expect("an id");
    let results = ada
        .sync(
            &home,
            &[
                create("category", 1, json!({ "name": "Food" })),
                create("expense", 2, lunch(700, 1)),
                create("budget", 3, budget),
                create("member", 4, json!({ "name": "Grace" })),
                change(
                    "update",
                    "expense",
                    2,
                    1,
                    json!({ "note": "with Grace", "merchant": "Café" }),
                ),
                change("delete", "member", 4, 1, Value::Null),
                change(
                    "update",
                    "organization",
                    organization.as_u128(),
                    1,
                    json!({ "name": "Home" }),
                ),
            ],
        )
        .await;
    assert!(fates(&results).iter().all(|fate| fate == "applied"), "{results:#?}");
    let expense = ada.read(&format!("{home}/expenses/{}", Uuid::from_u128(2))).await;
    assert_eq!((&results[4]["data"], &results[4]["version"]), (&expense, &json!(2)));
    assert_eq!(expense["note"], "with Grace");
    assert_eq!((&results[5]["data"], &results[5]["version"]), (&Value::Null, &json!(2)));
    assert_eq!(ada.read(&home).await["name"], "Home");
    let gone = format!("{home}/members/{}", Uuid::from_u128(4));
    ada.get(&gone).await.expect_problem(404, "not_found");
    app.stop().await;
}

#[each_database]
async fn what_is_refused_leaves_nothing_and_the_others_are_made(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let nowhere = json!({ "spent_on": "2026-11-01", "amount_minor": 5,
        "items": [{ "name": "x", "amount_minor": 5, "category_id": Uuid::from_u128(77) }] });
    let results = ada
        .sync(
            &home,
            &[
                create("category", 1, json!({ "name": "Food" })),
                create("category", 2, json!({ "name": "FOOD" })),
                create("expense", 3, lunch(0, 1)),
                create("expense", 4, nowhere),
                change("update", "expense", 5, 1, json!({ "note": "x" })),
                change("update", "category", 1, Value::Null, json!({ "name": "x" })),
                change("update", "category", 1, 1, json!({ "parent_id": Uuid::from_u128(77) })),
                change("update", "category", 1, 1, json!({ "parent_id": Uuid::from_u128(1) })),
                change("update", "category", 1, 1, json!({ "version": 1, "name": "x" })),
                create("expense", 6, lunch(7, 1)),
                change("delete", "category", 1, 1, Value::Null),
                change("fold", "category", 1, 1, Value::Null),
                create("nonsense", 8, json!({})),
                change("create", "category", 9, 1, json!({ "name": "x" })),
                change("delete", "expense", 6, 1, json!({})),
                change("delete", "organization", 1, 1, Value::Null),
                change("update", "organization", 1, 1, json!({ "name": "x" })),
            ],
        )
        .await;
    let pointers: Vec<_> = results
        .iter()
        .map(|result| result["violations"][0]["pointer"].as_str().unwrap_or_default())
        .collect();
    let told: Vec<_> = fates(&results).into_iter().zip(pointers).collect();
    let expected = [
        ("applied", ""),
        ("invalid duplicate", "/data/name"),
        ("invalid invalid", "/data/amount_minor"),
        ("invalid invalid", "/data/items/0/category_id"),
        ("not_found not_found", ""),
        ("invalid version_required", ""),
        ("invalid invalid", "/data/parent_id"),
        ("invalid invalid", "/data/parent_id"),
        ("invalid invalid", "/data/version"),
        ("applied", ""),
        ("invalid in_use", ""),
        ("invalid invalid", "/op"),
        ("invalid invalid", "/entity"),
        ("invalid invalid", "/version"),
        ("invalid invalid", "/data"),
        ("invalid invalid", "/op"),
        ("not_found not_found", ""),
    ];
    let expected: Vec<_> = expected.map(|(fate, at)| (fate.to_owned(), at)).to_vec();
    assert_eq!(told, expected, "{results:#?}");
    assert_eq!(ada.all(&format!("{home}/categories"), "").await.len(), 1);
    assert_eq!(ada.all(&format!("{home}/expenses"), "").await.len(), 1);
    app.run_until_idle().await;
    let changes = ada.read(&format!("{home}/changes?entities=category,expense")).await;
    let items = changes["items"].as_array().expect("items");
    assert_eq!(items.len(), 2, "what was refused left no event: {items:#?}");
    app.stop().await;
}

#[each_database]
async fn an_expense_is_moved_on_by_those_who_may(database: Database) {
    let app = App::start(&database).await;
    let (ada, firm) = app.owner_of("company").await;
    ada.sync(&firm, &[create("category", 1, json!({ "name": "Food" }))]).await;
    let member = ada.invite(&firm, "member").await;
    let reason = json!({ "note": "where is the receipt?" });
    let moves = [
        create("expense", 2, lunch(5, 1)),
        change("submit", "expense", 2, 1, Value::Null),
        change("approve", "expense", 2, 2, Value::Null),
        change("reimburse", "expense", 2, 2, json!({})),
        change("submit", "category", 1, 1, Value::Null),
    ];
    let role = "forbidden role_insufficient";
    let results = member.sync(&firm, &moves).await;
    let expected = ["applied", "applied", role, role, "invalid invalid"];
    assert_eq!(fates(&results), expected, "{results:#?}");
    assert_eq!(results[1]["data"]["status"], "submitted");
    let results = ada
        .sync(
            &firm,
            &[
                change("reimburse", "expense", 2, 2, Value::Null),
                change("reject", "expense", 2, 1, reason.clone()),
                change("reject", "expense", 2, 2, json!({ "reason": 1 })),
                change("reject", "expense", 2, 2, reason),
                change("approve", "expense", 77, 1, Value::Null),
            ],
        )
        .await;
    let state = "invalid wrong_status";
    let expected = [state, "conflict", "invalid invalid", "applied", "not_found not_found"];
    assert_eq!(fates(&results), expected, "{results:#?}");
    assert_eq!(results[1]["current"]["status"], "submitted");
    assert_eq!(results[2]["violations"][0]["pointer"], "/data/reason");
    assert_eq!(results[3]["data"]["decision_note"], "where is the receipt?");
    app.stop().await;
}

#[each_database]
async fn a_conflict_shows_what_is_there_now(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    ada.sync(
        &home,
        &[
            create("category", 1, json!({ "name": "Food" })),
            create("category", 2, json!({ "name": "Travel" })),
        ],
    )
    .await;
    ada.sync(
        &home,
        &[
            change("update", "category", 1, 1, json!({ "name": "Meals" })),
            change("delete", "category", 2, 1, Value::Null),
        ],
    )
    .await;
    let current = ada.read(&format!("{home}/categories/{}", Uuid::from_u128(1))).await;
    let late = ada
        .sync(
            &home,
            &[
                change("update", "category", 1, 1, json!({ "name": "Groceries" })),
                change("delete", "category", 1, 1, Value::Null),
                create("category", 1, json!({ "name": "Food" })),
                change("update", "category", 2, 1, json!({ "name": "Journeys" })),
                create("category", 2, json!({ "name": "Travel" })),
                change("delete", "category", 2, 7, Value::Null),
            ],
        )
        .await;
    for (result, current) in
        late.iter().zip([&current, &current, &current].into_iter().chain([&Value::Null; 3]))
    {
        assert_eq!(result["status"], "conflict", "{result}");
        assert_eq!(result["current_version"], 2, "{result}");
        assert_eq!(&result["current"], current);
    }
    app.stop().await;
}

#[each_database]
async fn what_is_sent_again_after_a_lost_answer_is_done_once(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    // The currency and the payer are filled in, and the currencies of the budget and of the account.
    let budget = json!({ "name": "All", "period": "week", "amount_minor": 5,
        "starts_on": "2026-01-01" });
    let plain = json!({ "spent_on": "2026-11-01", "amount_minor": 5, "details": { "a": [1] } });
    let news = [
        create("category", 1, json!({ "name": "Food" })),
        create("expense", 2, lunch(5, 1)),
        create("expense", 3, plain),
        create("budget", 4, budget),
        create("member", 5, json!({ "name": "Grace" })),
        create("account", 6, json!({ "name": "Cash", "kind": "asset" })),
    ];
    let first = ada.sync(&home, &news).await;
    assert_eq!(fates(&first), ["applied"; 6]);
    assert_eq!(ada.sync(&home, &news).await, first);
    // What was edited before it was sent again is not what is there.
    let other = ada.sync(&home, &[create("expense", 3, lunch(5, 1))]).await;
    assert_eq!(
        (&other[0]["status"], &other[0]["current"]),
        (&json!("conflict"), &first[2]["data"])
    );
    let gone = [change("delete", "expense", 3, 1, Value::Null)];
    let deleted = ada.sync(&home, &gone).await;
    assert_eq!(fates(&deleted), ["applied"]);
    assert_eq!(ada.sync(&home, &gone).await, deleted);
    let changed = [change("update", "expense", 2, 1, json!({ "note": "x" }))];
    let once = ada.sync(&home, &changed).await;
    let twice = ada.sync(&home, &changed).await;
    assert_eq!((&twice[0]["status"], &twice[0]["current"]), (&json!("conflict"), &once[0]["data"]));
    app.stop().await;
}

/// As a client does that gives up waiting too early.
#[each_lasting_database(flavor = "multi_thread")]
async fn what_is_sent_many_times_at_once_is_done_once(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let mut news = vec![create("category", 1, json!({ "name": "Food" }))];
    news.extend((2..20).map(|id| create("expense", id, lunch(5, 1))));
    let syncs = (0..8).map(|_| {
        let (ada, home, news) = (ada.clone(), home.clone(), news.clone());
        tokio::spawn(async move { ada.sync(&home, &news).await })
    });
    let results = join_all(syncs).await;
    let mut results = results.into_iter().map(|results| results.expect("done"));
    let first = results.next().expect("a first");
    assert!(fates(&first).iter().all(|fate| fate == "applied"), "{first:#?}");
    assert!(results.all(|other| other == first), "all are told of the same rows");
    assert_eq!(ada.all(&format!("{home}/expenses"), "").await.len(), 18);
    app.stop().await;
}

#[each_database]
async fn each_change_takes_the_permission_of_its_own_operation(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    ada.sync(
        &home,
        &[create("category", 1, json!({ "name": "Food" })), create("expense", 2, lunch(5, 1))],
    )
    .await;
    let (viewer, member) = (ada.invite(&home, "viewer").await, ada.invite(&home, "member").await);
    let own = viewer.member_in(&home).await;
    let own_id = Uuid::try_parse(tests::id(&own)).expect("an id").as_u128();
    let edits = [
        create("category", 3, json!({ "name": "Fun" })),
        create("expense", 4, lunch(5, 1)),
        change("update", "expense", 2, 1, json!({ "note": "x" })),
        change("delete", "expense", 2, 1, Value::Null),
        create("member", 5, json!({ "name": "Grace" })),
        change("update", "member", own_id, own["version"].clone(), json!({ "name": "Vera" })),
        change("update", "member", own_id, own["version"].clone(), json!({ "role": "owner" })),
    ];
    let role = "forbidden role_insufficient";
    let of_another = "forbidden not_your_expense";
    let of_viewer = viewer.sync(&home, &edits).await;
    let stale = "conflict";
    assert_eq!(fates(&of_viewer), [role, role, role, role, role, "applied", stale]);
    let of_member = member.sync(&home, &edits).await;
    assert_eq!(fates(&of_member), [role, "applied", of_another, of_another, role, role, role]);
    let eve = app.anonymous().sign_up("Eve").await;
    let body = json!({ "changes": edits });
    eve.post(&format!("{home}/sync"), body).await.expect_problem(404, "not_found");
    app.stop().await;
}

/// The same ids in two organizations are two rows, and a reference does not lead from one to another.
#[each_database]
async fn organizations_do_not_meet_in_a_sync(database: Database) {
    let app = App::start(&database).await;
    let (ada, ours) = app.owner_of("household").await;
    let (eve, theirs) = app.owner_of("household").await;
    ada.sync(&ours, &[create("category", 1, json!({ "name": "Food" }))]).await;
    let results = eve
        .sync(
            &theirs,
            &[
                create("expense", 2, lunch(5, 1)),
                change("update", "category", 1, 1, json!({ "name": "Mine" })),
                change("delete", "category", 1, 1, Value::Null),
                create("category", 1, json!({ "name": "Mine" })),
            ],
        )
        .await;
    let missing = "not_found not_found";
    assert_eq!(fates(&results), ["invalid invalid", missing, missing, "applied"]);
    let food = ada.read(&format!("{ours}/categories/{}", Uuid::from_u128(1))).await;
    assert_eq!((&food["name"], &food["version"]), (&json!("Food"), &json!(1)));
    app.stop().await;
}

#[each_database]
async fn a_sync_has_1_to_500_well_formed_changes(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/sync");
    let some = |count: u128| -> Vec<Value> {
        let new = |id| create("category", id, json!({ "name": format!("c{id}") }));
        (1..=count).map(new).collect()
    };
    for (changes, pointer) in [
        (json!([]), "/changes"),
        (json!(some(501)), "/changes"),
        (json!([some(1)[0], { "entity": "category", "op": "create" }]), "/changes/1/id"),
        (json!([some(1)[0], { "x": 1 }]), "/changes/1/x"),
        (json!([{ "entity": "category", "op": "create", "id": "x" }]), "/changes/0/id"),
        (
            json!([{ "entity": "category", "op": "create", "id": Uuid::nil(), "data": 1 }]),
            "/changes/0/data",
        ),
    ] {
        let refused = ada.post(&path, json!({ "changes": changes })).await;
        assert_eq!(refused.expect_violations(), [pointer]);
    }
    assert!(ada.all(&format!("{home}/categories"), "").await.is_empty());
    let results = ada.sync(&home, &some(500)).await;
    assert!(fates(&results).iter().all(|fate| fate == "applied"));
    assert_eq!(ada.all(&format!("{home}/categories"), "?limit=500").await.len(), 500);
    app.stop().await;
}
