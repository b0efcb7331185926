//! `_changes` of CouchDB's protocol: in pages, for who waits, and as a feed that goes on.

use serde_json::{Value, json};
use tests::{Database, each_database};

use super::couch::{Replica, running};

/// Each document is told once, where it has changed last, in pages as in one.
#[each_database]
async fn changes_are_told_in_pages(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    for round in 0..2 {
        for id in ["a", "b", "c"] {
            let path: &[&str] = if round == 0 { &["r"] } else { &["s", "r"] };
            replica.replicate(id, path, json!({ "round": round })).await;
        }
    }
    replica.replicate("a", &["t", "s", "r"], json!({})).await;
    let ids = |changes: &Value| -> Vec<String> {
        let results = changes["results"].as_array().unwrap().iter();
        results.map(|change| change["id"].as_str().unwrap().to_owned()).collect()
    };
    // How many were told, whatever the page, before the position of the log.
    let counts = |changes: &Value| -> Vec<u64> {
        let told = changes["results"].as_array().unwrap().iter().map(|change| &change["seq"]);
        let told = told.chain([&changes["last_seq"]]);
        told.map(|seq| seq.as_str().unwrap().split_once('-').unwrap().0.parse().unwrap()).collect()
    };
    let all = replica.changes("").await;
    assert_eq!(
        (ids(&all), counts(&all)),
        (vec!["b".into(), "c".into(), "a".into()], vec![1, 2, 3, 3])
    );
    let info = replica.get("/").await.expect(200);
    assert_eq!(info["update_seq"], all["last_seq"]);
    let first = replica.changes("&limit=2").await;
    assert_eq!(ids(&first), ["b", "c"]);
    let rest = replica.changes(&format!("&limit=2&since={}", first["last_seq"])).await;
    assert_eq!((ids(&rest), counts(&rest)), (vec!["a".into()], vec![3, 3]));
    let none = replica.changes(&format!("&since={}", rest["last_seq"])).await;
    assert_eq!(none["results"], json!([]));
    assert_eq!(none["last_seq"], rest["last_seq"]);
    let last = replica.changes("&descending=true").await;
    assert_eq!(
        (ids(&last), counts(&last)),
        (vec!["a".into(), "c".into(), "b".into()], vec![3, 2, 1, 3])
    );
    assert_eq!(ids(&replica.changes("&descending=true&limit=1").await), ["a"]);
    // A position alone is a place as well, from where on is counted.
    let position = first["last_seq"].as_str().unwrap().split_once('-').unwrap().1;
    let on = replica.changes(&format!("&since={position}")).await;
    assert_eq!((ids(&on), counts(&on)), (vec!["a".into()], vec![1, 1]));
    let some = json!({ "doc_ids": ["c"] });
    let some = replica.post("/_changes?filter=_doc_ids&include_docs=true", some).await.expect(200);
    assert_eq!(some["results"][0]["doc"]["round"], 1);
    let ahead = replica.get("/_changes?since=1000000").await;
    assert_eq!((ahead.status.as_u16(), &ahead.json["error"]), (400, &json!("bad_request")));
    for wrong in ["-1", "1-", "9-1", "x"] {
        assert_eq!(replica.get(&format!("/_changes?since={wrong}")).await.status, 400, "{wrong}");
    }
    app.stop().await;
}

#[each_database]
async fn who_waits_for_changes_hears_of_the_next(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let end = replica.get("/").await.expect(200)["update_seq"].clone();
    let query = format!("/_changes?feed=longpoll&since={end}&timeout=20000");
    // Whether it waits by then or not: what is told is the same.
    let (heard, written) = tokio::join!(replica.get(&query), replica.put("/a", json!({})));
    written.expect(201);
    assert_eq!(heard.expect(200)["results"][0]["id"], "a");
    let end = replica.get("/").await.expect(200)["update_seq"].clone();
    let query = format!("/_changes?feed=longpoll&since={end}&timeout=10");
    assert_eq!(replica.get(&query).await.expect(200)["results"], json!([]));
    app.stop().await;
}

#[each_database]
async fn a_continuous_feed_tells_one_change_a_line(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    for id in ["a", "b", "c"] {
        replica.put(&format!("/{id}"), json!({})).await.expect(201);
    }
    let lines = async |query: &str| -> Vec<Value> {
        let answer = replica.get(&format!("/_changes?feed=continuous{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let lines = answer.text.lines().filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let told = lines("&limit=2&heartbeat=1000").await;
    let ids: Vec<&Value> = told.iter().map(|line| &line["id"]).collect();
    assert_eq!(ids, [&json!("a"), &json!("b"), &Value::Null]);
    assert_eq!(told[2]["last_seq"], told[1]["seq"]);
    // What is written while it is open is told, too; and it ends when nothing happens.
    let query = format!("&since={}&timeout=5000&include_docs=true", told[1]["seq"]);
    let (told, written) = tokio::join!(lines(&query), replica.put("/d", json!({ "n": 1 })));
    written.expect(201);
    assert_eq!((&told[0]["id"], &told[1]["doc"]["n"]), (&json!("c"), &json!(1)), "{told:?}");
    assert_eq!(told.len(), 3);
    let (stranger, _) = app.owner_of("household").await;
    let path = format!("{}/_changes?feed=continuous", replica.database);
    assert_eq!(stranger.get(&path).await.status, 404);
    app.stop().await;
}
