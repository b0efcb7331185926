//! The requests themselves, as a server receives them.

use std::{
    io::{Read, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::json;
use uuid::Uuid;

use super::{super::Precondition, *};

/// The paths and bodies of requests, in their order.
type Heard = Arc<Mutex<Vec<(String, Value)>>>;

/// A server that answers with these, one after the other. It ends after the last.
fn server(answers: Vec<(u16, Value)>) -> (Firestore, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("firestore://p/s?emulator={}", listener.local_addr().expect("an address"));
    let heard = Heard::default();
    let hears = heard.clone();
    thread::spawn(move || {
        for (status, answer) in answers {
            let (mut connection, _) = listener.accept().expect("a connection");
            hears.lock().expect("nobody panics").push(request(&mut connection));
            let body = answer.to_string();
            let head = format!("HTTP/1.1 {status} -\r\nconnection: close\r\n");
            let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
            connection.write_all(answer.as_bytes()).expect("it is read");
        }
    });
    (Firestore::new(&url, TIMEOUT).expect("a URL"), heard)
}

/// A request: its path, and its body.
fn request(connection: &mut TcpStream) -> (String, Value) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = connection.read(&mut buffer).expect("a request");
        assert!(read > 0, "a whole request");
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.to_lowercase().contains("authorization: bearer owner"), "{head}");
        let path = head.split(' ').nth(1).expect("a path").to_owned();
        if let Ok(body) = serde_json::from_str(body) {
            return (path, body);
        }
    }
}

const ROOT: &str = "projects/p/databases/(default)/documents";

fn collection() -> CollectionId {
    CollectionId { organization_id: Uuid::from_u128(1), collection_id: Uuid::from_u128(2) }
}

fn head() -> String {
    format!("{ROOT}/s/{:032x}-{:032x}", 1, 2)
}

fn named(name: &str) -> String {
    format!("{}/documents/{name}", head())
}

fn put(precondition: Precondition) -> Put {
    Put {
        precondition,
        body: r#"{"a":1.00}"#.to_owned(),
        entries: vec![super::super::Entry { path: "/a".to_owned(), value: vec![1, 255] }],
        write_id: Uuid::from_u128(3),
        at: chrono::DateTime::from_timestamp_micros(1_780_000_000_000_001).expect("an instant"),
    }
}

/// What the document `k` has, as `put` leaves it.
fn fields(version: &str, position: &str) -> Value {
    let index = super::super::path_name("/a");
    json!({
        "key": { "stringValue": "k" },
        "version": { "integerValue": version },
        "created_at": { "integerValue": "1780000000000001" },
        "updated_at": { "integerValue": "1780000000000001" },
        "write_id": { "stringValue": "00000000-0000-0000-0000-000000000003" },
        "present": { "booleanValue": true },
        "position": { "integerValue": position },
        "parts": { "integerValue": "0" },
        "index": { "mapValue": { "fields": { index: { "bytesValue": "Af8=" } } } },
        "body": { "stringValue": "{\"a\":1.00}" },
    })
}

/// A document of another write, and the head of its collection.
fn found(version: &str, position: &str) -> Value {
    let mut fields = fields(version, position);
    fields["write_id"] = json!({ "stringValue": "00000000-0000-0000-0000-000000000009" });
    fields["updated_at"] = json!({ "integerValue": "1770000000000000" });
    fields["created_at"] = json!({ "integerValue": "1770000000000000" });
    json!([
        { "found": { "name": named("d6b"), "fields": fields, "updateTime": "T1" } },
        { "found": { "name": head(), "fields": { "position": { "integerValue": "41" } },
            "updateTime": "T2" } },
    ])
}

#[tokio::test]
async fn a_creation_demands_that_there_is_neither_the_document_nor_a_change() {
    let missing = json!([{ "missing": named("d6b") }, { "missing": head() }]);
    let (engine, heard) = server(vec![(200, missing), (200, json!({}))]);
    let outcome =
        engine.put(collection(), "k", &put(Precondition::Absent)).await.expect("an answer");
    assert!(matches!(outcome, Outcome::Written(stored) if stored.version == 1));
    let heard = heard.lock().expect("nobody panics").clone();
    let read = json!({ "documents": [named("d6b"), head()] });
    let commit = json!({ "writes": [
        { "update": { "name": named("d6b"), "fields": fields("1", "1") },
            "currentDocument": { "exists": false } },
        { "update": { "name": head(), "fields": { "position": { "integerValue": "1" } } },
            "currentDocument": { "exists": false } },
    ] });
    assert_eq!(
        heard,
        [(format!("/v1/{ROOT}:batchGet"), read), (format!("/v1/{ROOT}:commit"), commit)]
    );
}

#[tokio::test]
async fn an_update_demands_that_both_are_as_they_were_read() {
    let (engine, heard) = server(vec![(200, found("7", "40")), (200, json!({}))]);
    let outcome = engine.put(collection(), "k", &put(Precondition::Version(7))).await;
    assert!(matches!(outcome, Ok(Outcome::Written(stored)) if stored.version == 8));
    let (_, commit) = heard.lock().expect("nobody panics")[1].clone();
    let mut expected = fields("8", "42");
    expected["created_at"] = json!({ "integerValue": "1770000000000000" });
    assert_eq!(commit["writes"][0]["update"]["fields"], expected);
    assert_eq!(commit["writes"][0]["currentDocument"], json!({ "updateTime": "T1" }));
    let head = json!({
        "update": { "name": head(), "fields": { "position": { "integerValue": "42" } } },
        "currentDocument": { "updateTime": "T2" },
    });
    assert_eq!(commit["writes"][1], head);
}

#[tokio::test]
async fn a_deletion_keeps_the_version_and_nothing_else_to_be_found_by() {
    let (engine, heard) = server(vec![(200, found("7", "40")), (200, json!({}))]);
    let Put { write_id, at, .. } = put(Precondition::Absent);
    let deletion = Delete { version: 7, write_id, at };
    engine.delete(collection(), "k", &deletion).await.expect("an answer");
    let (_, commit) = heard.lock().expect("nobody panics")[1].clone();
    let fields = &commit["writes"][0]["update"]["fields"];
    assert_eq!(fields["version"], json!({ "integerValue": "8" }));
    assert_eq!(fields["present"], json!({ "booleanValue": false }));
    assert_eq!(fields["index"], json!({ "mapValue": { "fields": {} } }));
    assert_eq!(fields.get("body"), None);
    assert_eq!(commit["writes"][0]["currentDocument"], json!({ "updateTime": "T1" }));
}

#[tokio::test]
async fn a_version_that_is_not_the_current_one_is_a_conflict_and_nothing_is_sent() {
    let (engine, heard) = server(vec![(200, found("7", "40"))]);
    let outcome = engine.put(collection(), "k", &put(Precondition::Version(6))).await;
    assert!(matches!(outcome, Ok(Outcome::Conflict(Some(stored))) if stored.version == 7));
    assert_eq!(heard.lock().expect("nobody panics").len(), 1);
}

#[tokio::test]
async fn who_was_not_the_fastest_reads_again() {
    let failed = json!({ "error": { "code": 400, "status": "FAILED_PRECONDITION" } });
    let answers = vec![(200, found("7", "40")), (400, failed), (200, found("8", "42"))];
    let (engine, heard) = server(answers);
    let outcome = engine.put(collection(), "k", &put(Precondition::Version(7))).await;
    assert!(matches!(outcome, Ok(Outcome::Conflict(Some(stored))) if stored.version == 8));
    assert_eq!(heard.lock().expect("nobody panics").len(), 3);
}

#[tokio::test]
async fn a_large_body_is_sent_in_parts_and_those_before_are_removed() {
    let names = Client::new(
        Address::parse("firestore://p/s?emulator=h:1").expect("a URL"),
        TIMEOUT,
        Clock::system(),
    );
    let names = names.expect("a client").names(collection());
    let rows = found("7", "40");
    let mut current = Kept::of(&rows[0]["found"]).expect("a document");
    current.parts = 2;
    let mut stored = current.stored.clone();
    stored.write_id = Uuid::from_u128(3);
    stored.body = Some("x".repeat(1 << 20));
    let head = (41, "T2".to_owned());
    let change =
        Change { stored: &stored, entries: &[], current: Some(&current), head: Some(&head) };
    let request = commit::request(&names, &change);
    let writes = request["writes"].as_array().expect("writes");
    let names: Vec<_> = writes[2..]
        .iter()
        .map(|write| (write["update"]["name"].as_str(), write["delete"].as_str()))
        .collect();
    let part = |write: u128, number| format!("{}/bodies/{write:032x}-{number}", self::head());
    let (first, second) = (part(3, 0), part(3, 1));
    let (third, fourth) = (part(9, 0), part(9, 1));
    assert_eq!(
        names,
        [
            (Some(&*first), None),
            (Some(&*second), None),
            (None, Some(&*third)),
            (None, Some(&*fourth)),
        ]
    );
    assert_eq!(writes[0]["update"]["fields"].get("body"), None);
}

#[tokio::test]
async fn a_query_is_a_range_in_the_order_of_values_and_names() {
    let (engine, heard) = server(vec![(200, json!([{ "readTime": "T" }]))]);
    let query = Query {
        path: "/a".to_owned(),
        from: std::ops::Bound::Included(vec![1]),
        to: std::ops::Bound::Excluded(vec![2]),
        after: Some((vec![1], "k".to_owned())),
        limit: 10,
    };
    assert_eq!(engine.query(collection(), &query).await.expect("a page"), Page::default());
    let (path, request) = heard.lock().expect("nobody panics")[0].clone();
    assert_eq!(path, format!("/v1/{}:runQuery", head()));
    let field = document::field("/a");
    let order = |path: &str| json!({ "field": { "fieldPath": path }, "direction": "ASCENDING" });
    let filter = |operator: &str, value: &str| {
        json!({ "fieldFilter": { "field": { "fieldPath": field }, "op": operator,
            "value": { "bytesValue": value } } })
    };
    assert_eq!(
        request,
        json!({ "structuredQuery": {
            "from": [{ "collectionId": "documents" }],
            "orderBy": [order(&field), order("__name__")],
            "limit": 11,
            "where": { "compositeFilter": { "op": "AND", "filters": [
                filter("GREATER_THAN_OR_EQUAL", "AQ=="),
                filter("LESS_THAN", "Ag=="),
            ] } },
            "startAt": { "values": [{ "bytesValue": "AQ==" }, { "referenceValue": named("d6b") }],
                "before": false },
        } })
    );
}
