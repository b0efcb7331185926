//! The real PouchDB, of npm: two clients that edit offline, with steward in the middle.

use std::{collections::BTreeMap, env, process::Command};

use serde::Deserialize;
use serde_json::json;
use tests::{App, AppOptions, Database, each_database};

/// A document as all three have it.
#[derive(Debug, Deserialize)]
struct Converged {
    text: String,
    files: BTreeMap<String, String>,
    losers: BTreeMap<String, Loser>,
}

/// One that has lost.
#[derive(Debug, Deserialize)]
struct Loser {
    files: BTreeMap<String, String>,
}

/// Runs `pouchdb.mjs` with the PouchDB of `TEST_POUCHDB`, or nothing without it.
async fn converge(url: String, seed: u32) -> Option<BTreeMap<String, Converged>> {
    if env::var_os("TEST_POUCHDB").is_none() {
        eprintln!("skipped: TEST_POUCHDB is not set");
        return None;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/http/document/pouchdb.mjs");
    let run = move || Command::new("node").args([script, &url, &seed.to_string(), "30"]).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().expect("Node.js is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "seed {seed}: {said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[each_database]
async fn clients_that_edit_offline_converge(database: Database) {
    let options = AppOptions { background: true, ..AppOptions::default() };
    let app = App::start_with(&database, options).await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "name": "laptop", "role": "member" });
    let key = ada.post(&format!("{home}/api-keys"), new).await.expect(201);
    let organization = home.rsplit('/').next().unwrap();
    let host = app.base.strip_prefix("http://").unwrap();
    let (mut conflicts, mut files) = (0, 0);
    for seed in 1..=3 {
        let name = format!("notes-{seed}");
        ada.make(&format!("{home}/collections"), json!({ "name": name })).await;
        let key = key["token"].as_str().unwrap();
        let url = format!("http://any:{key}@{host}/couch/{organization}~{name}");
        let Some(converged) = converge(url, seed).await else { break };
        let documents = format!("{home}/collections/{name}/documents");
        let own = ada.read(&documents).await;
        let own: BTreeMap<&str, &str> = own["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["id"].as_str().unwrap(), it["body"]["text"].as_str().unwrap()))
            .collect();
        let theirs: BTreeMap<&str, &str> =
            converged.iter().map(|(id, document)| (&**id, &*document.text)).collect();
        assert_eq!(own, theirs, "seed {seed}");
        conflicts += converged.values().map(|document| document.losers.len()).sum::<usize>();
        let losers = converged.values().flat_map(|document| document.losers.values());
        let attached = losers.map(|loser| loser.files.len());
        let attached = attached.chain(converged.values().map(|document| document.files.len()));
        files += attached.sum::<usize>();
    }
    if env::var_os("TEST_POUCHDB").is_some() {
        assert!(conflicts > 0 && files > 0, "there was nothing to converge");
    }
    app.stop().await;
}
