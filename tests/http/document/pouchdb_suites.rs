//! PouchDB's own integration suites, with steward as their CouchDB. What they find is compared with
//! `pouchdb_suites.json`: how many cases pass, and which do not, with the reason of each.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    process::Command,
};

use serde::Deserialize;
use serde_json::json;
use tests::{App, AppOptions, Database, each_database};

/// What a suite finds: by its name in `tests/integration` of PouchDB's repository.
#[derive(Debug, Deserialize)]
struct Suite {
    passed: usize,
    /// Those that it leaves out itself.
    pending: usize,
    /// The cases that fail, and why.
    failed: BTreeMap<String, String>,
}

/// As mocha writes it.
#[derive(Debug, Deserialize)]
struct Found {
    passes: Vec<Case>,
    pending: Vec<Case>,
    failures: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    full_title: String,
    err: serde_json::Value,
}

/// How many seconds a suite takes at most.
const LONGEST: &str = "900";

/// Runs a suite of the folder of `TEST_POUCHDB_SUITES`, which has PouchDB's repository and what it depends on.
async fn run(folder: &str, suite: &str, host: &str) -> Found {
    let output = tempfile::tempdir().unwrap();
    let result = output.path().join("result.json");
    let path = |name: &str| format!("tests/integration/{name}.js");
    let mut command = Command::new("timeout");
    command.args([LONGEST, "node", "node_modules/.bin/mocha", "--exit", "--timeout", "60000"]);
    command.args(["--reporter", "json", "--reporter-option"]);
    command.arg(format!("output={}", result.display()));
    let adapter = concat!(env!("CARGO_MANIFEST_DIR"), "/http/document/pouchdb_suites.cjs");
    command.args(["--require", &path("node.setup"), "--require", adapter]);
    command.arg(path("test.setup_global_hooks"));
    command.arg(path(&format!("test.{suite}"))).current_dir(folder);
    command.env("COUCH_HOST", host).env("ADAPTERS", "memory").env("SEED", "1");
    let ended = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let said = ended.expect("Node.js is installed").stderr;
    let found = fs::read(&result).unwrap_or_else(|_| {
        panic!("{suite} has not ended in time: {}", String::from_utf8_lossy(&said))
    });
    serde_json::from_slice(&found).unwrap()
}

#[each_database]
async fn pouchdb_finds_in_steward_what_is_told(database: Database) {
    let Ok(folder) = env::var("TEST_POUCHDB_SUITES") else {
        eprintln!("skipped: TEST_POUCHDB_SUITES is not set");
        return;
    };
    let told = Path::new(env!("CARGO_MANIFEST_DIR")).join("http/document/pouchdb_suites.json");
    let told: BTreeMap<String, Suite> =
        serde_json::from_slice(&fs::read(told).unwrap()).expect("suites");
    let mut options = AppOptions { background: true, ..AppOptions::default() };
    options.settings.limits.body_bytes = 32 * 1024 * 1024;
    let app = App::start_with(&database, options).await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "name": "suites", "role": "owner" });
    let key = ada.post(&format!("{home}/api-keys"), new).await.expect(201);
    let (key, organization) = (key["token"].as_str().unwrap(), home.rsplit('/').next().unwrap());
    let host = app.base.strip_prefix("http://").unwrap();
    let host = format!("http://any:{key}@{host}/couch/{organization}~");
    for (name, suite) in &told {
        let found = run(&folder, name, &host).await;
        let failed: BTreeMap<&str, &serde_json::Value> =
            found.failures.iter().map(|case| (&*case.full_title, &case.err["message"])).collect();
        let expected: BTreeSet<&str> = suite.failed.keys().map(String::as_str).collect();
        assert_eq!(
            failed.keys().copied().collect::<BTreeSet<_>>(),
            expected,
            "{name}: {failed:#?}"
        );
        assert!(suite.failed.values().all(|reason| !reason.is_empty()), "{name} says why");
        let counted = (found.passes.len(), found.pending.len());
        assert_eq!(counted, (suite.passed, suite.pending), "{name}: passed and pending");
    }
    app.stop().await;
}
