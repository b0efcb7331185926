//! The log of an organization in the order in which it is told.

use serde_json::{Value, json};
use service::store::Engine;
use tests::{App, Client, Database, at, each_database};

fn told(page: &Value) -> Vec<(i64, &str)> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|it| (it["position"].as_i64().unwrap(), it["kind"].as_str().unwrap())).collect()
}

/// Everything after a position, as a client that follows reads it.
async fn follow(client: &Client, path: &str, mut after: i64, limit: u64) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let glue = if path.contains('?') { '&' } else { '?' };
        let page = client.read(&format!("{path}{glue}after={after}&limit={limit}")).await;
        let next = page["next_after"].as_i64().unwrap();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() as u64 <= limit && next >= after);
        events.extend(items.iter().cloned());
        if next == after {
            return events;
        }
        after = next;
    }
}

#[each_database]
async fn events_are_told_in_order_once_they_have_a_position(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let events = format!("{home}/events");
    if app.store.engine() == Engine::Postgres {
        assert_eq!(ada.read(&events).await, json!({ "items": [], "next_after": 0 }));
    }
    let food = ada.make(&format!("{home}/categories"), json!({ "name": "Food" })).await;
    let expense = json!({ "spent_on": "2026-11-01", "amount_minor": 7 });
    let first = ada.make(&format!("{home}/expenses"), expense.clone()).await;
    ada.make(&format!("{home}/expenses"), expense).await;
    let path = at(&format!("{home}/expenses"), &first);
    ada.patch(&path, json!({ "note": "x", "version": 1 })).await.expect(200);
    app.run_until_idle().await;
    let all = ada.read(&events).await;
    let kinds = [
        (1, "organization.created"),
        (2, "member.created"),
        (3, "category.created"),
        (4, "expense.created"),
        (5, "expense.created"),
        (6, "expense.updated"),
    ];
    assert_eq!(told(&all), kinds);
    assert_eq!((&all["next_after"], &all["items"][2]["data"]), (&json!(6), &food));
    let rest = ada.read(&format!("{events}?after=6")).await;
    assert_eq!(rest, json!({ "items": [], "next_after": 6 }));
    for beyond in [7, i64::MAX] {
        let beyond = ada.get(&format!("{events}?after={beyond}")).await;
        let problem = beyond.expect_problem(422, "invalid");
        let violation = &problem["violations"][0];
        assert_eq!(
            (&violation["pointer"], &violation["code"]),
            (&json!("?after"), &json!("cursor"))
        );
    }
    assert_eq!(follow(&ada, &events, 0, 1).await.len(), 6);
    let one = format!("expense/{}", first["id"].as_str().unwrap());
    for (query, positions) in [
        ("kinds=expense.updated".to_owned(), vec![6]),
        ("kinds=expense.created,member.*".to_owned(), vec![2, 4, 5]),
        ("entity=expense".to_owned(), vec![4, 5, 6]),
        (format!("entity={one}"), vec![4, 6]),
        (format!("entity={one}&kinds=expense.updated"), vec![6]),
        ("entity=category&kinds=expense.*".to_owned(), vec![]),
    ] {
        let found = follow(&ada, &format!("{events}?{query}"), 0, 2).await;
        let found: Vec<_> = found.iter().map(|it| it["position"].as_i64().unwrap()).collect();
        assert_eq!(found, positions, "{query}");
    }
    app.stop().await;
}

#[each_database]
async fn a_role_is_told_what_it_may_read_and_no_more(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let viewer = ada.invite(&home, "viewer").await;
    ada.with_key(&home, "viewer").await;
    app.run_until_idle().await;
    let events = format!("{home}/events");
    let all = follow(&ada, &events, 0, 3).await;
    let of = |events: &[Value]| -> Vec<String> {
        events.iter().map(|it| it["entity"].as_str().unwrap().to_owned()).collect()
    };
    for hidden in ["api_key", "invitation"] {
        assert!(of(&all).contains(&hidden.to_owned()));
    }
    let seen = follow(&viewer, &events, 0, 3).await;
    assert!(!seen.is_empty());
    assert!(of(&seen).iter().all(|it| ["organization", "member"].contains(&&**it)));
    let keys = viewer.read(&format!("{events}?kinds=api_key.*")).await;
    assert_eq!(keys["items"], json!([]));
    app.stop().await;
}

#[each_database]
async fn what_no_event_can_be_is_refused(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for (query, at) in [
        ("kinds=expense", "?kinds"),
        ("kinds=expense.nonsense", "?kinds"),
        ("kinds=expense.created,", "?kinds"),
        ("kinds=nonsense.*", "?kinds"),
        ("kinds=*", "?kinds"),
        ("entity=nonsense", "?entity"),
        ("entity=expense/1", "?entity"),
        ("after=-1", "?after"),
        ("after=x", "?after"),
    ] {
        for path in [format!("{home}/events"), format!("{home}/events/stream")] {
            let refused = ada.get(&format!("{path}?{query}")).await;
            assert_eq!(refused.expect_violations(), [at], "{query}");
        }
    }
    let refused = ada.get(&format!("{home}/events?limit=501")).await;
    assert_eq!(refused.expect_violations(), ["?limit"]);
    app.stop().await;
}

#[each_database]
async fn a_part_of_a_feed_that_the_client_has_is_not_sent_again(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for feed in ["events", "changes"] {
        app.run_until_idle().await;
        let path = format!("{home}/{feed}");
        let first = ada.get(&path).await;
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        assert!(tag.starts_with("W/\""), "{feed}: {tag}");
        let again = async || {
            let known = [("if-none-match", &*tag)];
            ada.send_bytes(reqwest::Method::GET, &path, "", None, &known).await
        };
        let unchanged = again().await;
        assert_eq!((unchanged.status.as_u16(), &*unchanged.text), (304, ""), "{feed}");
        assert_eq!(unchanged.headers["etag"], tag, "{feed}");
        ada.make(&format!("{home}/categories"), json!({ "name": feed })).await;
        app.run_until_idle().await;
        let more = again().await.expect(200);
        let items = |page: &Value| page["items"].as_array().map(Vec::len);
        assert_eq!(items(&more), items(&first.expect(200)).map(|items| items + 1), "{feed}");
    }
    app.stop().await;
}
