//! The tree of categories.

use futures_util::future::join;
use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database};

/// A category, below another or at the top.
async fn category(client: &Client, home: &str, name: &str, parent: Option<&Value>) -> Value {
    let new = json!({ "name": name, "parent_id": parent.map(|parent| &parent["id"]) });
    client.make(&format!("{home}/categories"), new).await
}

#[each_database]
async fn siblings_have_different_names_in_any_case(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let categories = format!("{home}/categories");
    let food = category(&ada, &home, "Özü Food", None).await;
    for taken in ["Özü Food", "ÖZÜ FOOD", " özü food "] {
        let problem = ada.post(&categories, json!({ "name": taken })).await;
        let problem = problem.expect_problem(409, "duplicate");
        assert_eq!(problem["violations"][0]["pointer"], "/name", "{taken:?}");
    }
    let below = category(&ada, &home, "özü food", Some(&food)).await;
    let up = json!({ "version": 1, "parent_id": null });
    ada.patch(&at(&categories, &below), up).await.expect_problem(409, "duplicate");
    let renamed = json!({ "version": 1, "parent_id": null, "name": "Other" });
    ada.patch(&at(&categories, &below), renamed).await.expect(200);
    let shout = json!({ "version": 1, "name": "ÖZÜ FOOD" });
    assert_eq!(ada.patch(&at(&categories, &food), shout).await.expect(200)["version"], 2);
    let names: Vec<_> = ada.all(&categories, "?limit=1").await;
    let names: Vec<_> = names.iter().map(|category| category["name"].as_str()).collect();
    assert_eq!(names, [Some("Other"), Some("ÖZÜ FOOD")], "by name");
    app.stop().await;
}

#[each_database]
async fn a_category_is_named_and_below_a_category_of_its_own_organization(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (eve, elsewhere) = app.owner_of("household").await;
    let foreign = category(&eve, &elsewhere, "Theirs", None).await;
    let categories = format!("{home}/categories");
    for name in ["", "   ", &"x".repeat(101)] {
        let refused = ada.post(&categories, json!({ "name": name })).await;
        assert_eq!(refused.expect_violations(), ["/name"], "{name:?}");
    }
    let own = category(&ada, &home, &"ß".repeat(100), None).await;
    assert_eq!(own["kind"], "expense");
    let below = json!({ "name": "x", "parent_id": foreign["id"] });
    assert_eq!(ada.post(&categories, below).await.expect_violations(), ["/parent_id"]);
    let moved = json!({ "version": 1, "parent_id": foreign["id"] });
    let refused = ada.patch(&at(&categories, &own), moved).await;
    assert_eq!(refused.expect_violations(), ["/parent_id"]);
    app.stop().await;
}

#[each_database]
async fn a_move_makes_no_cycle(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let mut chain = vec![category(&ada, &home, "0", None).await];
    for depth in 1..6 {
        let below = category(&ada, &home, &depth.to_string(), chain.last()).await;
        chain.push(below);
    }
    let top = at(&format!("{home}/categories"), &chain[0]);
    for below in &chain {
        let into = json!({ "version": 1, "parent_id": below["id"] });
        assert_eq!(ada.patch(&top, into).await.expect_violations(), ["/parent_id"]);
    }
    let last = at(&format!("{home}/categories"), &chain[5]);
    let up = json!({ "version": 1, "parent_id": chain[1]["id"] });
    ada.patch(&last, up).await.expect(200);
    app.stop().await;
}

/// A below B and B below A: each move alone is fine, and together they would make a cycle.
#[each_database]
async fn two_moves_at_once_make_no_cycle(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let categories = format!("{home}/categories");
    for round in 0..20 {
        let a = category(&ada, &home, &format!("a{round}"), None).await;
        let b = category(&ada, &home, &format!("b{round}"), None).await;
        let below_a = category(&ada, &home, "x", Some(&a)).await;
        let (path_a, path_b) = (at(&categories, &a), at(&categories, &b));
        let into_b = json!({ "version": 1, "parent_id": b["id"] });
        let into_a = json!({ "version": 1, "parent_id": below_a["id"] });
        let (first, second) = join(ada.patch(&path_a, into_b), ada.patch(&path_b, into_a)).await;
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "round {round}: {} {}", first.text, second.text);
    }
    app.stop().await;
}

#[each_database]
async fn a_category_in_use_stays(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let categories = format!("{home}/categories");
    let parent = category(&ada, &home, "parent", None).await;
    let child = category(&ada, &home, "child", Some(&parent)).await;
    let of_expense = category(&ada, &home, "of an expense", None).await;
    let of_line = category(&ada, &home, "of a line", None).await;
    let of_budget = category(&ada, &home, "of a budget", None).await;
    let line = json!({ "name": "x", "amount_minor": 5, "category_id": of_line["id"] });
    let expense = json!({ "spent_on": "2026-11-01", "amount_minor": 5,
        "category_id": of_expense["id"], "items": [line] });
    let expense = ada.make(&format!("{home}/expenses"), expense).await;
    let budget = json!({ "name": "x", "category_id": of_budget["id"], "period": "month",
        "amount_minor": 5, "starts_on": "2026-01-01" });
    ada.make(&format!("{home}/budgets"), budget).await;
    let remove =
        async |row: &Value| ada.delete(&format!("{}?version=1", at(&categories, row))).await;
    for used in [&parent, &of_expense, &of_line, &of_budget] {
        remove(used).await.expect_problem(409, "in_use");
    }
    remove(&child).await.expect(204);
    remove(&parent).await.expect(204);
    let path = at(&format!("{home}/expenses"), &expense);
    ada.delete(&format!("{path}?version=1")).await.expect(204);
    for free in [&of_expense, &of_line] {
        remove(free).await.expect(204);
    }
    app.stop().await;
}
