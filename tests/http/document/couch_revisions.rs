//! When trees of revisions are kept: from the first write of an offline client on, with the names that they had before.

use entity::{collection_removal, document_leaf, document_revision};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use tests::{App, Client, Database, each_database, log::wait_until};

use super::couch::{Replica, running};

/// How many leaves and revisions are kept of whatever collection.
async fn kept(app: &App) -> (u64, u64) {
    let leaves = document_leaf::Entity::find().count(app.store.read()).await.unwrap();
    let revisions = document_revision::Entity::find().count(app.store.read()).await.unwrap();
    (leaves, revisions)
}

/// Makes a document that was written twice, and one that is gone.
async fn write_some(client: &Client, documents: &str) {
    for id in ["a", "b"] {
        client.make(documents, json!({ "id": id, "body": { "n": 1 } })).await;
        let path = format!("{documents}/{id}");
        client.patch(&path, json!({ "version": 1, "body": { "n": 2 } })).await.expect(200);
    }
    client.delete(&format!("{documents}/b?version=2")).await.expect(204);
}

/// What a client knows: the path of each document's revisions, also of one that is gone.
async fn paths(replica: &Replica) -> Vec<Value> {
    let mut paths = Vec::new();
    for change in replica.changes("").await["results"].as_array().unwrap() {
        let id = change["id"].as_str().unwrap();
        let leaves = replica.get(&format!("/{id}?open_revs=all&revs=true")).await.expect(200);
        let leaf = &leaves[0]["ok"];
        assert_eq!(change["changes"][0]["rev"], leaf["_rev"], "{change}");
        assert_eq!(change["deleted"], leaf["_deleted"], "{change}");
        paths.push(json!([id, leaf["_rev"], leaf["_revisions"]]));
    }
    paths
}

#[each_database]
async fn trees_that_begin_later_have_the_names_of_before(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let (client, documents) = (&replica.client, &replica.documents);
    write_some(client, documents).await;
    let before = paths(&replica).await;
    assert_eq!(before.len(), 2, "{before:?}");
    let generations: Vec<&Value> = before.iter().map(|path| &path[2]["start"]).collect();
    assert_eq!(generations, [&json!(2), &json!(3)], "a revision for each version");
    let revision = |place: usize| before[place][1].as_str().unwrap().to_owned();
    let known = json!({ "a": [revision(0), "2-x"], "b": [revision(1)] });
    let diff = replica.post("/_revs_diff", known).await.expect(200);
    assert_eq!(diff, json!({ "a": { "missing": ["2-x"] } }));
    let first = before[0][2]["ids"][1].as_str().unwrap();
    assert_eq!(replica.get(&format!("/a?rev=1-{first}")).await.expect(200)["n"], 1);
    let checkpoint = replica.put("/_local/me", json!({ "last_seq": 1 })).await;
    checkpoint.expect(201);
    assert_eq!(kept(&app).await, (0, 0), "reading keeps nothing");
    // A write of a client lets trees begin, each when its document is written.
    replica.put("/c", json!({})).await.expect(201);
    assert_eq!(kept(&app).await, (1, 1));
    let after = paths(&replica).await;
    assert_eq!(after[..2], before[..]);
    let change = json!({ "version": 2, "body": { "n": 3 } });
    client.patch(&format!("{documents}/a"), change).await.expect(200);
    assert_eq!(kept(&app).await, (2, 4));
    let read = replica.get("/a?revs=true").await.expect(200);
    assert_eq!(read["_revisions"]["start"], 3);
    assert_eq!(read["_revisions"]["ids"][1], before[0][2]["ids"][0]);
    assert_eq!(read["_revisions"]["ids"][2], before[0][2]["ids"][1]);
    // One that is gone goes on from its deletion.
    client.make(documents, json!({ "id": "b", "body": {} })).await;
    let again = replica.get("/b?revs=true").await.expect(200);
    assert_eq!(again["_revisions"]["start"], 4);
    assert_eq!(again["_revisions"]["ids"][1], before[1][2]["ids"][0]);
    app.stop().await;
}

/// Both make revisions of the same version of a document whose tree is not kept: none is lost, whoever is first.
#[each_database]
async fn a_write_beside_the_first_of_a_client_is_none_that_it_misses(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let (client, documents) = (&replica.client, &replica.documents);
    for round in 0..8 {
        let name = format!("notes-{round}");
        let collections = documents.split("/notes").next().unwrap();
        client.make(collections, json!({ "name": name })).await;
        let documents = format!("{collections}/{name}/documents");
        let base = replica.database.split('~').next().unwrap();
        let database = format!("{base}~{name}");
        client.make(&documents, json!({ "id": "a", "body": { "n": 0 } })).await;
        let path = format!("{database}/a");
        let first = client.get(&path).await.expect(200)["_rev"].as_str().unwrap().to_owned();
        let edit = json!({
            "docs": [{
                "_id": "a", "_rev": "2-0", "n": "client",
                "_revisions": { "start": 2, "ids": ["0", first.split_once('-').unwrap().1] },
            }],
            "new_edits": false,
        });
        let of_client = format!("{database}/_bulk_docs");
        let change = json!({ "version": 1, "body": { "n": "api" } });
        let own = format!("{documents}/a");
        let (merged, changed) =
            tokio::join!(client.post(&of_client, edit), client.patch(&own, change));
        assert_eq!(merged.expect(201), json!([]));
        let leaves = client.get(&format!("{path}?open_revs=all&revs=true")).await.expect(200);
        let leaves = leaves.as_array().unwrap();
        let own = client.read(&own).await;
        let winner = client.get(&path).await.expect(200);
        assert_eq!(own["body"]["n"], winner["n"], "{leaves:?}");
        let of_client = leaves.iter().find(|leaf| leaf["ok"]["n"] == "client");
        assert_eq!(of_client.unwrap()["ok"]["_revisions"]["ids"][1], first[2..]);
        // The other was made of version 1, or too late.
        match changed.status.as_u16() {
            200 => {
                assert_eq!(leaves.len(), 2, "{leaves:?}");
                assert!(leaves.iter().any(|leaf| leaf["ok"]["n"] == "api"), "{leaves:?}");
            }
            409 => assert_eq!(leaves.len(), 1, "{leaves:?}"),
            other => panic!("{other}: {}", changed.text),
        }
    }
    app.stop().await;
}

#[each_database]
async fn what_a_collection_leaves_is_removed_in_the_background(database: Database) {
    let app = running(&database).await;
    let replica = Replica::of(&app).await;
    let docs: Vec<Value> = (0..250).map(|n| json!({ "_id": format!("{n}"), "n": n })).collect();
    replica.post("/_bulk_docs", json!({ "docs": docs })).await.expect(201);
    replica.put("/_local/me", json!({})).await.expect(201);
    assert_eq!(kept(&app).await, (250, 250));
    let removed = replica.client.send(reqwest::Method::DELETE, &replica.database, None).await;
    removed.expect(200);
    let is_empty = async || {
        let waiting = collection_removal::Entity::find().count(app.store.read()).await.unwrap();
        kept(&app).await == (0, 0) && waiting == 0
    };
    wait_until("nothing is left", is_empty).await;
    let checkpoints = entity::document_checkpoint::Entity::find()
        .filter(entity::document_checkpoint::Column::Key.eq("me"))
        .count(app.store.read());
    assert_eq!(checkpoints.await.unwrap(), 0);
    app.stop().await;
}
