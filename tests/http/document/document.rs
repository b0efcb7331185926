//! Documents: any JSON under any key, kept to the letter, version by version.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, each_database, id};

const JSON: &str = "application/json";

async fn documents(app: &App) -> (Client, String, String) {
    let (ada, home) = app.owner_of("household").await;
    ada.make(&format!("{home}/collections"), json!({ "name": "notes" })).await;
    let documents = format!("{home}/collections/notes/documents");
    (ada, home, documents)
}

async fn put(client: &Client, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
    let bytes = Some(body.as_bytes().to_vec());
    client.send_bytes(Method::PUT, path, JSON, bytes, headers).await
}

#[each_database]
async fn a_body_is_kept_to_the_letter_wherever_it_is_shown(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, documents) = documents(&app).await;
    let long = "9".repeat(1000);
    let body = format!(
        r#"{{"z":1.00,"a":[9007199254740993.0,-0,0.000001,1e+400,2e-9999,{long}],"ä":{{"b":null,"":"\"\\"}}}}"#
    );
    let path = format!("{documents}/exact");
    let made = put(&ada, &path, &format!(r#"{{"body": {body}}}"#), &[]).await;
    assert_eq!((made.status.as_u16(), made.text.contains(&body)), (201, true), "{}", made.text);
    let instant = made.json["updated_at"].as_str().unwrap().to_owned();
    // Another member changes; the others stay as they are.
    let patched = ada.patch(&path, json!({ "version": 1, "body": { "ä": { "c": 1 } } })).await;
    let merged = body.replace(r#"\\"}}"#, r#"\\","c":1}}"#);
    assert!(patched.text.contains(&merged), "{}", patched.text);
    app.run_until_idle().await;
    let changes = format!("{home}/changes?entities=document");
    let shown = [(path.clone(), &merged), (documents.clone(), &merged), (changes, &merged)];
    let then = [
        (format!("{path}?as_of={instant}"), &body),
        (format!("{path}/history"), &body),
        (format!("{home}/events?kinds=document.created"), &body),
    ];
    for (path, body) in shown.iter().chain(&then) {
        let text = ada.get(path).await.text;
        assert!(text.contains(*body), "{path}: {text}");
    }
    let back = json!({ "version": 2, "to_version": 1 });
    let back = ada.post(&format!("{path}/revert"), back).await;
    assert!(back.text.contains(&body), "{}", back.text);
    app.stop().await;
}

#[each_database]
async fn an_offline_edit_keeps_a_body_to_the_letter(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, documents) = documents(&app).await;
    let made = ada.make(&documents, json!({ "id": "a", "body": {} })).await;
    app.run_until_idle().await;
    let known = ada.read(&format!("{home}/changes?entities=document")).await["items"][0].clone();
    assert_eq!(known["data"], made);
    let body = r#"{"z":1.00,"a":9007199254740993.0}"#;
    let edit = format!(
        r#"{{"changes":[{{"entity":"document","op":"update","id":{},"version":1,
            "data":{{"body":{body}}}}}]}}"#,
        known["id"]
    );
    let path = format!("{home}/sync");
    let report = ada.send_bytes(Method::POST, &path, JSON, Some(edit.into_bytes()), &[]).await;
    assert!(report.text.contains(body), "{}", report.text);
    assert!(ada.get(&format!("{documents}/a")).await.text.contains(body));
    // It can be made again by its UUID, and by no other.
    ada.delete(&format!("{documents}/a?version=2")).await.expect(204);
    let data = json!({ "collection": "notes", "id": "a", "body": { "n": 1 } });
    let create = |id: &Value| json!({ "changes": [{ "entity": "document", "op": "create", "id": id, "data": data }] });
    let other = json!("019a8b20-4c00-7a10-8000-000000000001");
    let refused = ada.post(&path, create(&other)).await.expect(200)["results"][0].clone();
    assert_eq!(refused["status"], "invalid", "{refused}");
    let made = ada.post(&path, create(&known["id"])).await.expect(200)["results"][0].clone();
    assert_eq!((&made["status"], &made["version"]), (&json!("applied"), &json!(4)), "{made}");
    // A number elsewhere is what it was.
    let edit = r#"{"changes":[{"entity":"expense","op":"create","id":1e400,"data":{}}]}"#;
    let refused = ada.send_bytes(Method::POST, &path, JSON, Some(edit.into()), &[]).await;
    assert_eq!(refused.expect_violations(), ["/changes/0/id"]);
    app.stop().await;
}

#[each_database]
async fn what_cannot_be_kept_is_refused_where_it_stands(database: Database) {
    let app = App::start(&database).await;
    let (ada, _, documents) = documents(&app).await;
    let refused = [
        (format!(r#"{{"body":{{"a":[{}]}}}}"#, "1".repeat(1001)), "/body/a/0"),
        (r#"{"body":{"a":1e10000}}"#.to_owned(), "/body/a"),
        (r#"{"body":{"a":"\u0000"}}"#.to_owned(), "/body/a"),
        (r#"{"body":{"\u0000":1}}"#.to_owned(), "/body"),
        (r#"{"body":[]}"#.to_owned(), "/body"),
        ("{}".to_owned(), "/body"),
    ];
    for (body, at) in refused {
        let answer = put(&ada, &format!("{documents}/a"), &body, &[]).await;
        assert_eq!(answer.expect_violations(), [at], "{body}");
    }
    ada.get(&format!("{documents}/a")).await.expect_problem(404, "not_found");
    app.stop().await;
}

/// A key as it stands in a path.
fn encoded(key: &str) -> String {
    key.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[each_database]
async fn a_key_is_any_text(database: Database) {
    let app = App::start(&database).await;
    let (ada, _, documents) = documents(&app).await;
    let longest = "ä".repeat(256);
    let keys = ["a/b", "/", "%", "%2F", "a b", "?x=1#y", "👩‍🚀", "...", "{id}", "history", &longest];
    for key in keys {
        let made = ada.post(&documents, json!({ "id": key, "body": { "key": key } })).await;
        let location = made.headers["location"].to_str().unwrap().to_owned();
        let made = made.expect(201);
        for path in [location, format!("{documents}/{}", encoded(key))] {
            assert_eq!(ada.read(&path).await, made, "{key}");
            assert_eq!(ada.all(&format!("{path}/history"), "").await[0]["data"], made, "{key}");
        }
        let path = format!("{documents}/{}", encoded(key));
        let replaced = put(&ada, &path, r#"{"version":1,"body":{}}"#, &[]).await.expect(200);
        assert_eq!((id(&replaced), &replaced["version"]), (key, &json!(2)));
    }
    for key in ["", ".", "..", "a\nb", "\u{7f}", &"x".repeat(513), &"ä".repeat(257)] {
        let refused = ada.post(&documents, json!({ "id": key, "body": {} })).await;
        assert!(refused.expect_violations().iter().all(|at| at == "/id"), "{key:?}");
    }
    put(&ada, &format!("{documents}/a%0Ab"), r#"{"body":{}}"#, &[]).await.expect_violations();
    ada.get(&format!("{documents}/%FF")).await.expect_problem(404, "not_found");
    let given = ada.make(&documents, json!({ "body": {} })).await;
    assert_eq!(id(&given).len(), 36, "{given}");
    app.stop().await;
}

#[each_database]
async fn a_put_creates_or_replaces_under_its_preconditions(database: Database) {
    let app = App::start(&database).await;
    let (ada, _, documents) = documents(&app).await;
    let path = format!("{documents}/a");
    let one = r#"{"body":{"n":1}}"#;
    let any = [("if-none-match", "*")];
    put(&ada, &path, one, &[("if-match", "\"1\"")]).await.expect_problem(404, "not_found");
    let made = put(&ada, &path, one, &any).await;
    assert_eq!(made.headers["etag"], "\"1\"");
    made.expect(201);
    let there = put(&ada, &path, one, &any).await.expect_problem(412, "precondition_failed");
    assert_eq!(there["current"]["body"], json!({ "n": 1 }));
    put(&ada, &path, one, &[]).await.expect_problem(428, "version_required");
    let both = [any[0], ("if-match", "\"1\"")];
    put(&ada, &path, one, &both).await.expect_problem(400, "versions_differ");
    let stale = [("if-match", "\"2\"")];
    put(&ada, &path, one, &stale).await.expect_problem(412, "precondition_failed");
    let two = r#"{"body":{"n":2}}"#;
    let changed = put(&ada, &path, two, &[("if-match", "\"1\"")]).await.expect(200);
    assert_eq!((&changed["version"], &changed["body"]), (&json!(2), &json!({ "n": 2 })));
    put(&ada, &path, r#"{"version":1,"body":{}}"#, &[])
        .await
        .expect_problem(409, "version_conflict");
    put(&ada, &format!("{documents}/b"), one, &[]).await.expect(201);
    let twice = ada.post(&documents, json!({ "id": "a", "body": {} })).await;
    let twice = twice.expect_problem(409, "duplicate");
    assert_eq!(twice["violations"][0]["pointer"], "/id");
    let moved = json!({ "version": 2, "id": "c", "collection": "others" });
    assert_eq!(ada.patch(&path, moved).await.expect_violations(), ["/id", "/collection"]);
    app.stop().await;
}

fn told(events: &[Value]) -> Vec<(&str, i64)> {
    let each = events.iter().map(|it| (it["kind"].as_str(), it["version"].as_i64()));
    each.map(|(kind, version)| (kind.unwrap(), version.unwrap())).collect()
}

#[each_database]
async fn what_is_created_again_has_one_history(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, documents) = documents(&app).await;
    let path = format!("{documents}/a");
    let first = ada.make(&documents, json!({ "id": "a", "body": { "n": 1 } })).await;
    ada.delete(&format!("{path}?version=1")).await.expect(204);
    ada.get(&path).await.expect_problem(404, "not_found");
    let again = put(&ada, &path, r#"{"body":{"n":2}}"#, &[]).await.expect(201);
    assert_eq!(again["version"], 3);
    ada.delete(&format!("{path}?version=3")).await.expect(204);
    let last = ada.make(&documents, json!({ "id": "a", "body": { "n": 3 } })).await;
    assert_eq!(last["version"], 5);
    let history = ada.all(&format!("{path}/history"), "?limit=2").await;
    let kinds = ["created", "deleted", "created", "deleted", "created"];
    let kinds = kinds.map(|verb| format!("document.{verb}"));
    let expected: Vec<_> = kinds.iter().map(String::as_str).zip((1..=5).rev()).collect();
    assert_eq!(told(&history), expected);
    let then = format!("{path}?as_of={}", first["created_at"].as_str().unwrap());
    assert_eq!(ada.read(&then).await, first);
    let back = ada.post(&format!("{path}/revert"), json!({ "version": 5, "to_version": 1 })).await;
    assert_eq!(back.expect(200)["body"], json!({ "n": 1 }));
    // An edit that is based on the first is told what there is now.
    let edit = json!({ "entity": "document", "op": "delete", "id": history[0]["entity_id"],
        "version": 1 });
    let report = ada.post(&format!("{home}/sync"), json!({ "changes": [edit] })).await.expect(200);
    assert_eq!(report["results"][0]["status"], "conflict", "{report}");
    app.stop().await;
}

#[each_database]
async fn of_many_who_create_the_same_one_does(database: Database) {
    let app = App::start(&database).await;
    let (ada, _, documents) = documents(&app).await;
    let path = format!("{documents}/a");
    for round in 0..5 {
        let puts = (0..8).map(|_| put(&ada, &path, r#"{"body":{}}"#, &[("if-none-match", "*")]));
        let answers = futures_util::future::join_all(puts).await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|it| [201, 412].contains(&it.status.as_u16())), "{answers:?}");
        let version = 1 + 2 * round;
        assert_eq!(made[0].json["version"], version);
        ada.delete(&format!("{path}?version={version}")).await.expect(204);
    }
    let history = ada.all(&format!("{path}/history"), "").await;
    let versions: Vec<_> = history.iter().filter_map(|event| event["version"].as_i64()).collect();
    assert_eq!(versions, (1..=10).rev().collect::<Vec<_>>());
    app.stop().await;
}

#[each_database]
async fn a_list_is_in_the_order_of_the_bytes_of_the_keys(database: Database) {
    let app = App::start(&database).await;
    let (ada, _, documents) = documents(&app).await;
    let keys = ["", "!", "A", "Z", "a", "a/b", "aa", "b", "z", "Ä", "ä", "ﬀ", "😀"];
    for key in keys.iter().rev().filter(|key| !key.is_empty()) {
        ada.make(&documents, json!({ "id": key, "body": {} })).await;
    }
    let ids = |listed: &[Value]| listed.iter().map(|it| id(it).to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&ada.all(&documents, "?limit=2").await), keys[1..]);
    assert_eq!(ids(&ada.all(&documents, "?limit=1&prefix=a").await), ["a", "a/b", "aa"]);
    assert_eq!(ids(&ada.all(&documents, "?prefix=%F0%9F%98%80").await), ["😀"]);
    assert_eq!(ids(&ada.all(&documents, "?prefix=zz").await), [""; 0]);
    app.stop().await;
}

#[each_database]
async fn the_changes_of_a_collection_tell_each_document_once_as_it_is(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, documents) = documents(&app).await;
    ada.make(&format!("{home}/collections"), json!({ "name": "others" })).await;
    let others = format!("{home}/collections/others/documents");
    for key in ["a", "b", "c"] {
        ada.make(&documents, json!({ "id": key, "body": {} })).await;
        ada.make(&others, json!({ "id": key, "body": {} })).await;
    }
    let change = json!({ "version": 1, "body": { "n": 1 } });
    let latest = ada.patch(&format!("{documents}/a"), change).await.expect(200);
    ada.delete(&format!("{documents}/b?version=1")).await.expect(204);
    app.run_until_idle().await;
    let changes = format!("{home}/collections/notes/changes");
    let (mut told, mut after) = (Vec::new(), 0);
    loop {
        let page = ada.read(&format!("{changes}?limit=1&after={after}")).await;
        told.extend(page["items"].as_array().unwrap().clone());
        after = page["next_after"].as_i64().unwrap();
        if page["more"] == false {
            break;
        }
    }
    let each: Vec<_> = told.iter().map(|it| (id(it), &it["version"], &it["deleted"])).collect();
    let expected = [("c", 1, false), ("a", 2, false), ("b", 2, true)];
    let expected = expected.map(|(id, version, gone)| (id, json!(version), json!(gone)));
    assert_eq!(each, expected.iter().map(|(id, v, gone)| (*id, v, gone)).collect::<Vec<_>>());
    assert_eq!((&told[1]["document"], &told[2]["document"]), (&latest, &Value::Null));
    let end = ada.read(&format!("{changes}?after={after}")).await;
    assert_eq!((&end["items"], &end["next_after"]), (&json!([]), &json!(after)));
    let beyond = ada.get(&format!("{changes}?after={}", after + 1)).await;
    assert_eq!(beyond.expect_violations(), ["?after"]);
    app.stop().await;
}
