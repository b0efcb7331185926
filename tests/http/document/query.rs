//! Queries and aggregation over documents: the same answers with and without an index, at a cost in proportion.

use proptest::{collection::vec, prelude::*, sample::select};
use sea_orm::ConnectionTrait;
use serde_json::{Map, Value, json};
use service::{
    document::query::{Selector, Subject},
    store::Engine,
};
use tests::{App, Client, Database, each_database, for_all};

/// A collection with indexes, and its path.
pub(super) async fn collection(
    client: &Client,
    home: &str,
    name: &str,
    indexes: &[&str],
) -> String {
    let new = json!({ "name": name, "indexes": indexes });
    client.make(&format!("{home}/collections"), new).await;
    format!("{home}/collections/{name}")
}

pub(super) async fn put(client: &Client, collection: &str, id: &str, body: Value) -> Value {
    client.make(&format!("{collection}/documents"), json!({ "id": id, "body": body })).await
}

pub(super) async fn query(client: &Client, collection: &str, query: Value) -> Value {
    client.post(&format!("{collection}/query"), query).await.expect(200)
}

pub(super) fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("items").iter();
    items.map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

/// The ids of all pages of a query, in their order.
pub(super) async fn all_pages(
    client: &Client,
    collection: &str,
    mut request: Value,
) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        let page = query(client, collection, request.clone()).await;
        found.extend(ids(&page));
        if page["next_cursor"].is_null() {
            return found;
        }
        request["cursor"] = page["next_cursor"].clone();
    }
}

#[each_database]
async fn a_query_returns_what_its_selector_takes(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for (name, indexes) in [("plain", &[][..]), ("indexed", &["/price", "/tags", "/shop/town"])] {
        let shop = collection(&ada, &home, name, indexes).await;
        for (id, body) in [
            ("apple", json!({ "price": 1, "tags": ["fruit", "red"], "shop": { "town": "Bern" } })),
            ("bread", json!({ "price": 4.5, "tags": ["baked"], "shop": { "town": "Chur" } })),
            ("cake", json!({ "price": 30, "tags": "baked" })),
            ("date", json!({ "price": null, "tags": [] })),
            ("egg", json!({})),
        ] {
            put(&ada, &shop, id, body).await;
        }
        for (selector, expected) in [
            (json!({}), &["apple", "bread", "cake", "date", "egg"][..]),
            (json!({ "price": { "$lt": 30 } }), &["date", "apple", "bread"]),
            (json!({ "price": { "$gte": 4.5, "$lte": 30 } }), &["bread", "cake"]),
            (json!({ "price": 1.0 }), &["apple"]),
            (json!({ "price": { "$exists": false } }), &["egg"]),
            (json!({ "tags": { "$in": ["baked", "red"] } }), &["apple", "bread", "cake"]),
            (json!({ "tags": { "$all": ["fruit", "red"] } }), &["apple"]),
            (json!({ "tags": { "$elemMatch": { "$eq": "baked" } } }), &["bread"]),
            (json!({ "shop.town": { "$regex": "^B" } }), &["apple"]),
            (json!({ "_id": { "$gt": "bread", "$lt": "egg" } }), &["cake", "date"]),
            (json!({ "_id": { "$in": ["egg", "apple", "none"] } }), &["apple", "egg"]),
        ] {
            let found = ids(&query(&ada, &shop, json!({ "selector": selector })).await);
            let mut expected: Vec<_> = expected.iter().map(|id| (*id).to_owned()).collect();
            // Without an index, and without a sort, in the order of ids.
            if indexes.is_empty() {
                expected.sort();
            }
            assert_eq!(found, expected, "{name}: {selector}");
        }
        let sorted = json!({ "sort": [{ "price": "desc" }], "fields": ["price", "shop.town"] });
        let page = query(&ada, &shop, sorted).await;
        assert_eq!(ids(&page), ["cake", "bread", "apple", "date", "egg"]);
        assert_eq!(page["items"][1]["body"], json!({ "price": 4.5, "shop": { "town": "Chur" } }));
        assert_eq!(
            (&page["items"][4]["body"], &page["items"][4]["version"]),
            (&json!({}), &json!(1))
        );
    }
    app.stop().await;
}

#[each_database]
async fn an_index_follows_every_write(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let notes = collection(&ada, &home, "notes", &["/n"]).await;
    let path = format!("{notes}/documents/a");
    let with = async |n: Value| ids(&query(&ada, &notes, json!({ "selector": { "n": n } })).await);
    put(&ada, &notes, "a", json!({ "n": 1 })).await;
    assert_eq!(with(json!(1)).await, ["a"]);
    ada.patch(&path, json!({ "version": 1, "body": { "n": [2, 3] } })).await.expect(200);
    assert_eq!(with(json!(1)).await, [""; 0]);
    assert_eq!(with(json!({ "$in": [3] })).await, ["a"]);
    ada.patch(&path, json!({ "version": 2, "body": { "other": true } })).await.expect(200);
    assert_eq!(with(json!([2, 3])).await, ["a"]);
    let back = json!({ "version": 3, "to_version": 1 });
    ada.post(&format!("{path}/revert"), back).await.expect(200);
    assert_eq!(with(json!(1)).await, ["a"]);
    ada.delete(&format!("{path}?version=4")).await.expect(204);
    assert_eq!(with(json!(1)).await, [""; 0]);
    put(&ada, &notes, "a", json!({ "n": 7 })).await;
    assert_eq!(with(json!({ "$gt": 6 })).await, ["a"]);
    app.stop().await;
}

#[each_database]
async fn what_is_wrong_with_a_query_is_pointed_at(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let notes = collection(&ada, &home, "notes", &[]).await;
    for (request, pointer) in [
        (json!({ "selector": { "a": { "$x": 1 } } }), "/selector/a/$x"),
        (json!({ "selector": { "a": { "$regex": "(" } } }), "/selector/a/$regex"),
        (json!({ "selector": [] }), "/selector"),
        (json!({ "sort": ["a..b"] }), "/sort/0"),
        (json!({ "sort": ["a", "b", "c", "d"] }), "/sort"),
        (json!({ "fields": ["a", ""] }), "/fields/1"),
        (json!({ "limit": 0 }), "/limit"),
        (json!({ "limit": 501 }), "/limit"),
        (json!({ "cursor": "x" }), "/cursor"),
        (json!({ "skip": 1 }), "/skip"),
    ] {
        for action in ["query", "explain"] {
            // What is not read is not refused.
            if action == "explain" && pointer == "/cursor" {
                continue;
            }
            let refused = ada.post(&format!("{notes}/{action}"), request.clone()).await;
            assert_eq!(refused.expect_violations(), [pointer], "{action} {request}");
        }
    }
    let aggregate = format!("{notes}/aggregate");
    for (request, pointer) in [
        (json!({}), "/measures"),
        (json!({ "measures": { "x": { "median": "a" } } }), "/measures/x/median"),
        (json!({ "group_by": [{ "path": "a", "unit": "year" }] }), "/group_by/0/unit"),
        (json!({ "group_by": ["a"], "selector": { "$gt": 1 } }), "/selector/$gt"),
    ] {
        assert_eq!(ada.post(&aggregate, request).await.expect_violations(), [pointer]);
    }
    app.stop().await;
}

#[each_database]
async fn a_cursor_belongs_to_its_query(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let notes = collection(&ada, &home, "notes", &["/n"]).await;
    for (id, n) in [("a", 1), ("b", 2), ("c", 2)] {
        put(&ada, &notes, id, json!({ "n": n })).await;
    }
    let first = json!({ "selector": { "n": { "$gt": 0 } }, "sort": ["n"], "limit": 2 });
    let page = query(&ada, &notes, first.clone()).await;
    assert_eq!(ids(&page), ["a", "b"]);
    let with = |mut request: Value| {
        request["cursor"] = page["next_cursor"].clone();
        request
    };
    assert_eq!(ids(&query(&ada, &notes, with(first.clone())).await), ["c"]);
    let mut other = first.clone();
    other["selector"] = json!({ "n": { "$gt": 1 } });
    let mut down = first;
    down["sort"] = json!([{ "n": "desc" }]);
    for request in [other, down] {
        let refused = ada.post(&format!("{notes}/query"), with(request)).await;
        assert_eq!(refused.expect_violations(), ["/cursor"]);
    }
    app.stop().await;
}

#[each_database]
async fn only_those_who_may_read_a_collection_query_it(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "name": "pay", "read_role": "manager", "write_role": "admin" });
    ada.make(&format!("{home}/collections"), new).await;
    let pay = format!("{home}/collections/pay");
    put(&ada, &pay, "grace", json!({ "canary": 1 })).await;
    let member = ada.invite(&home, "member").await;
    let manager = ada.invite(&home, "manager").await;
    for (action, request) in [
        ("query", json!({})),
        ("explain", json!({})),
        ("aggregate", json!({ "group_by": ["canary"] })),
    ] {
        let path = format!("{pay}/{action}");
        member.post(&path, request.clone()).await.expect_problem(404, "not_found");
        manager.post(&path, request).await.expect(200);
    }
    app.stop().await;
}

#[each_database]
async fn documents_are_grouped_in_the_time_zone(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let bills = collection(&ada, &home, "bills", &["/paid_at"]).await;
    for (id, body) in [
        ("a", json!({ "paid_at": "2026-11-30T23:30:00Z", "amount": 0.1, "shop": "x" })),
        ("b", json!({ "paid_at": "2026-11-02T08:00:00Z", "amount": 0.2, "shop": "x" })),
        ("c", json!({ "paid_at": "2026-12-24T08:00:00Z", "amount": 9, "shop": "y" })),
        ("d", json!({ "amount": 100 })),
    ] {
        put(&ada, &bills, id, body).await;
    }
    let request = |zone: &str| {
        json!({
            "selector": { "paid_at": { "$gt": null } },
            "group_by": [{ "path": "paid_at", "unit": "month", "time_zone": zone, "as": "month" }],
            "measures": {
                "total": { "sum": "amount" }, "mean": { "avg": "amount" }, "bills": { "count": "_id" },
                "shops": { "count_distinct": "shop" },
            },
            "sort": [{ "month": "desc" }],
        })
    };
    let groups = |answer: Value| answer["items"].to_string();
    let path = format!("{bills}/aggregate");
    let utc = ada.post(&path, request("UTC")).await.expect(200);
    assert_eq!(
        (&utc["visited"], &utc["total"], &utc["index"]),
        (&json!(3), &json!(2), &json!("/paid_at"))
    );
    let december = r#"{"month":"2026-12","total":9,"mean":9,"bills":1,"shops":1}"#;
    let november = r#"{"month":"2026-11","total":0.3,"mean":0.15,"bills":2,"shops":1}"#;
    assert_eq!(groups(utc), format!("[{december},{november}]"));
    let zurich = ada.post(&path, request("Europe/Zurich")).await.expect(200);
    let december = r#"{"month":"2026-12","total":9.1,"mean":4.55,"bills":2,"shops":2}"#;
    let november = r#"{"month":"2026-11","total":0.2,"mean":0.2,"bills":1,"shops":1}"#;
    assert_eq!(groups(zurich), format!("[{december},{november}]"));
    app.stop().await;
}

/// Copies a document so many times, with its number as `n` and, one in a hundred, `rare`.
pub(super) async fn copy(app: &App, count: u32) {
    let engine = app.store.engine();
    let id = match engine {
        Engine::Sqlite => "randomblob(16)",
        Engine::Postgres => "gen_random_uuid()",
    };
    let copy = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
        INSERT INTO document (organization_id, id, version, created_at, updated_at, collection_id, key, body)
        SELECT d.organization_id, {id}, d.version, d.created_at, d.updated_at, d.collection_id, 'copy ' || n.i,
            '{{\"n\":' || n.i || CASE WHEN n.i % 100 = 0 THEN ',\"rare\":true}}' ELSE '}}' END
        FROM document d CROSS JOIN n"
    );
    let copied = app.store.write(async move |tx| {
        tx.execute_unprepared(&copy).await?;
        tx.execute_unprepared("ANALYZE").await?;
        Ok(())
    });
    copied.await.unwrap();
}

#[each_database]
async fn a_scan_is_bounded_and_goes_on(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let notes = collection(&ada, &home, "notes", &[]).await;
    put(&ada, &notes, "0", json!({ "n": 0 })).await;
    copy(&app, 10_050).await;
    let none = json!({ "selector": { "n": -1 } });
    let explained = ada.post(&format!("{notes}/explain"), none.clone()).await.expect(200);
    assert_eq!(
        (&explained["read"]["scans"], &explained["max_documents"]),
        (&json!(true), &json!(10_000))
    );
    let page = query(&ada, &notes, none.clone()).await;
    assert_eq!((ids(&page).len(), &page["visited"]), (0, &json!(10_000)));
    let rest = json!({ "selector": { "n": -1 }, "cursor": page["next_cursor"] });
    let rest = query(&ada, &notes, rest).await;
    assert_eq!((&rest["visited"], &rest["next_cursor"]), (&json!(51), &Value::Null));
    // All would have to be read to be sorted.
    let refused = ada.post(&format!("{notes}/query"), json!({ "sort": ["n"] })).await;
    let problem = refused.expect_problem(422, "invalid");
    assert_eq!(problem["violations"][0]["code"], "not_indexed");
    let rare = json!({ "selector": { "rare": true }, "limit": 7 });
    assert_eq!(all_pages(&ada, &notes, rare).await.len(), 100);
    let sum = json!({ "measures": { "sum": { "sum": "n" }, "rare": { "count": "rare" } } });
    let sum = ada.post(&format!("{notes}/aggregate"), sum).await.expect(200);
    assert_eq!(sum["items"], json!([{ "sum": 10_050 * 10_051 / 2, "rare": 100 }]));
    app.stop().await;
}

fn value() -> impl Strategy<Value = Value> {
    let number = select(vec!["0", "1", "1.0", "-2", "0.5", "1e3"]);
    let number = number.prop_map(|text| serde_json::from_str(text).expect("a number"));
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        select(vec!["", "a", "b", "ä"]).prop_map(Value::from),
    ];
    scalar.prop_recursive(2, 6, 3, |inner| {
        let member = (select(vec!["a", "b"]).prop_map(str::to_owned), inner.clone());
        prop_oneof![
            vec(inner, 0..3).prop_map(Value::from),
            vec(member, 0..3).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

pub(super) fn body() -> impl Strategy<Value = Value> {
    let member = (select(vec!["a", "b", "c"]).prop_map(str::to_owned), value());
    vec(member, 0..4).prop_map(|members| Value::Object(Map::from_iter(members)))
}

pub(super) fn selector() -> impl Strategy<Value = Value> {
    let path = || select(vec!["a", "b", "a.b", "a.0", "_id"]);
    let compared = select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]);
    let listing = select(vec!["$in", "$nin", "$all"]);
    let types = select(vec!["null", "number", "string", "array", "object"]);
    let test = prop_oneof![
        4 => (compared, value()).prop_map(|(operator, value)| json!({ operator: value })),
        2 => (listing, vec(value(), 0..3)).prop_map(|(operator, values)| json!({ operator: values })),
        1 => any::<bool>().prop_map(|there| json!({ "$exists": there })),
        1 => types.prop_map(|named| json!({ "$type": named })),
        1 => value().prop_map(|value| json!({ "$elemMatch": { "$eq": value } })),
    ];
    let one = (path(), test).prop_map(|(path, test)| json!({ path: test }));
    one.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|parts| json!({ "$and": parts })),
            vec(inner.clone(), 0..3).prop_map(|parts| json!({ "$or": parts })),
            inner.prop_map(|part| json!({ "$not": part })),
        ]
    })
}

pub(super) fn sort() -> impl Strategy<Value = Option<Value>> {
    let sorts = vec![
        json!([]),
        json!([{ "_id": "desc" }]),
        json!(["a"]),
        json!([{ "a": "desc" }]),
        json!(["c"]),
        json!([{ "b": "desc" }, "a"]),
    ];
    proptest::option::of(select(sorts))
}

/// What is found is what the selector takes, and the order the same with an index and without one.
#[each_database(flavor = "multi_thread")]
async fn an_index_changes_no_answer(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let queries = vec((selector(), sort()), 1..12);
    for_all(6, &(vec(body(), 0..12), queries), async |(bodies, queries)| {
        let home = ada.found("household").await;
        let plain = collection(&ada, &home, "plain", &[]).await;
        let indexed = collection(&ada, &home, "indexed", &["/a", "/b", "/a/b"]).await;
        for (number, body) in bodies.iter().enumerate() {
            for collection in [&plain, &indexed] {
                put(&ada, collection, &format!("d{number:02}"), body.clone()).await;
            }
        }
        for (selector, sort) in queries {
            let taken = Selector::parse(selector.as_object().unwrap(), "").unwrap();
            let taken = bodies.iter().enumerate().filter_map(|(number, body)| {
                let id = format!("d{number:02}");
                taken.matches(&Subject::new(&id, body.as_object().unwrap())).then_some(id)
            });
            let taken: Vec<_> = taken.collect();
            let request = json!({ "selector": selector, "sort": sort, "limit": 2 });
            let [without, with] = [
                all_pages(&ada, &plain, request.clone()).await,
                all_pages(&ada, &indexed, request).await,
            ];
            let sorted = |ids: &[String]| {
                let mut ids = ids.to_vec();
                ids.sort();
                ids
            };
            assert_eq!(sorted(&without), taken, "{selector}");
            assert_eq!(sorted(&with), taken, "with an index: {selector}");
            if sort.is_some() {
                assert_eq!(with, without, "{selector} {sort:?}");
            }
        }
    });
    app.stop().await;
}
