//! Random programs of writes and queries, beside a model: whatever was written how, and however it is indexed by then.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};
use reqwest::Method;
use serde_json::{Map, Value, json};
use service::document::query::{Selector, Subject};
use tests::{App, Client, Database, at, each_database, for_all};

use super::query::{all_pages, body, collection, selector, sort};

const KEYS: &[&str] = &["a", "b", "ä"];
const INDEXES: &[&[&str]] = &[&[], &["/a"], &["/b", "/a/b"], &["/a", "/b", "/c"]];

/// Which version a write names.
#[derive(Debug, Clone, Copy)]
enum Named {
    None,
    Current,
    Before,
}

#[derive(Debug, Clone)]
enum Step {
    Put { key: &'static str, named: Named, body: Value },
    Patch { key: &'static str, named: Named, patch: Value },
    Delete { key: &'static str, named: Named },
    Query { selector: Value, sort: Option<Value> },
    Declare { indexes: &'static [&'static str], built: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let key = || select(KEYS.to_vec());
    let named = || select(vec![Named::Current, Named::Current, Named::Before]);
    let with_none = select(vec![Named::None, Named::None, Named::Current, Named::Before]);
    prop_oneof![
        4 => (key(), with_none, body()).prop_map(|(key, named, body)| Step::Put { key, named, body }),
        3 => (key(), named(), body()).prop_map(|(key, named, patch)| Step::Patch { key, named, patch }),
        1 => (key(), named()).prop_map(|(key, named)| Step::Delete { key, named }),
        3 => (selector(), sort()).prop_map(|(selector, sort)| Step::Query { selector, sort }),
        1 => (select(INDEXES.to_vec()), any::<bool>())
            .prop_map(|(indexes, built)| Step::Declare { indexes, built }),
    ]
}

/// RFC 7396, section 2.
fn merged(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut merged = target.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if value.is_null() {
            merged.shift_remove(name);
        } else {
            let before = merged.get(name).cloned().unwrap_or_default();
            merged.insert(name.clone(), self::merged(&before, value));
        }
    }
    Value::Object(merged)
}

/// What a collection is to have: the version of each key, and its body unless it is deleted.
struct Model {
    client: Client,
    home: String,
    path: String,
    documents: BTreeMap<&'static str, (i64, Option<Value>)>,
}

impl Model {
    async fn of(client: &Client) -> Self {
        let home = client.found("household").await;
        let path = collection(client, &home, "notes", &["/b"]).await;
        Self { client: client.clone(), home, path, documents: BTreeMap::new() }
    }

    fn document(&self, key: &str) -> String {
        format!("{}/documents/{}", self.path, key.replace('ä', "%C3%A4"))
    }

    fn present(&self, key: &str) -> Option<(i64, &Value)> {
        let (version, body) = self.documents.get(key)?;
        Some((*version, body.as_ref()?))
    }

    fn version(&self, key: &str, named: Named) -> Option<i64> {
        let current = self.documents.get(key).map_or(1, |(version, _)| *version);
        match named {
            Named::None => None,
            Named::Current => Some(current),
            Named::Before => Some(current + 1),
        }
    }

    /// The status of a change against a version.
    fn status(&self, key: &str, version: i64) -> u16 {
        match self.present(key) {
            None => 404,
            Some((current, _)) if current == version => 200,
            Some(_) => 409,
        }
    }

    fn keep(&mut self, key: &'static str, answer: &Value, body: Value) {
        let version = self.documents.get(key).map_or(1, |(version, before)| {
            // A deletion counts, and so does what comes after it.
            version + if before.is_some() { 1 } else { 2 }
        });
        assert_eq!((&answer["version"], &answer["body"]), (&json!(version), &body));
        self.documents.insert(key, (version, Some(body)));
    }

    async fn put(&mut self, key: &'static str, named: Named, body: &Value) {
        let version = self.version(key, named);
        let status = match version {
            Some(version) => self.status(key, version),
            None if self.present(key).is_some() => 428,
            None => 201,
        };
        let mut sent = json!({ "body": body });
        if let Some(version) = version {
            sent["version"] = json!(version);
        }
        let answer = self.client.send(Method::PUT, &self.document(key), Some(sent)).await;
        let answer = answer.expect(status);
        if status < 300 {
            self.keep(key, &answer, body.clone());
        }
    }

    async fn patch(&mut self, key: &'static str, version: i64, patch: &Value) {
        let status = self.status(key, version);
        let sent = json!({ "version": version, "body": patch });
        let answer = self.client.patch(&self.document(key), sent).await.expect(status);
        if status == 200 {
            let (_, before) = self.present(key).expect("a document");
            let body = merged(before, patch);
            self.keep(key, &answer, body);
        }
    }

    async fn delete(&mut self, key: &'static str, version: i64) {
        let status = match self.status(key, version) {
            200 => 204,
            status => status,
        };
        let path = format!("{}?version={version}", self.document(key));
        self.client.delete(&path).await.expect(status);
        if status == 204 {
            self.documents.insert(key, (version, None));
        }
    }

    async fn query(&self, selector: &Value, sort: Option<&Value>) {
        let taken = Selector::parse(selector.as_object().expect("an object"), "").expect("one");
        let present = KEYS.iter().filter_map(|key| Some((*key, self.present(key)?.1)));
        let none = Map::new();
        let taken = present.filter(|(key, body)| {
            taken.matches(&Subject::new(key, body.as_object().unwrap_or(&none)))
        });
        let taken: Vec<_> = taken.map(|(key, _)| key).collect();
        let request = json!({ "selector": selector, "sort": sort, "limit": 2 });
        let mut found = all_pages(&self.client, &self.path, request).await;
        if sort == Some(&json!([{ "_id": "desc" }])) {
            found.reverse();
        } else {
            found.sort();
        }
        assert_eq!(found, taken, "{selector} {sort:?}");
    }

    async fn declare(&self, indexes: &[&str]) {
        let collections = format!("{}/collections", self.home);
        let made = self.client.read(&collections).await["items"][0].clone();
        let change = json!({ "version": made["version"], "indexes": indexes });
        self.client.patch(&at(&collections, &made), change).await.expect(200);
    }

    /// Whether lists and documents are what they are to be.
    async fn check(&self) {
        let listed = self.client.all(&format!("{}/documents", self.path), "?limit=2").await;
        let listed = listed
            .iter()
            .map(|item| (item["id"].clone(), item["version"].clone(), item["body"].clone()));
        let present = self.documents.keys().filter_map(|key| Some((key, self.present(key)?)));
        let present =
            present.map(|(key, (version, body))| (json!(key), json!(version), body.clone()));
        assert_eq!(listed.collect::<Vec<_>>(), present.collect::<Vec<_>>());
        for key in KEYS {
            let answer = self.client.get(&self.document(key)).await;
            assert_eq!(answer.status == 200, self.present(key).is_some(), "{key}: {}", answer.text);
        }
    }
}

#[each_database(flavor = "multi_thread")]
async fn a_program_does_what_the_model_does(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    for_all(12, &vec(step(), 1..30), async |program| {
        let mut model = Model::of(&ada).await;
        for step in program {
            match step {
                Step::Put { key, named, body } => model.put(key, named, &body).await,
                Step::Patch { key, named, patch } => {
                    let version = model.version(key, named).expect("a version");
                    model.patch(key, version, &patch).await;
                }
                Step::Delete { key, named } => {
                    let version = model.version(key, named).expect("a version");
                    model.delete(key, version).await;
                }
                Step::Query { selector, sort } => model.query(&selector, sort.as_ref()).await,
                Step::Declare { indexes, built } => {
                    model.declare(indexes).await;
                    if built {
                        app.run_until_idle().await;
                    }
                }
            }
        }
        model.check().await;
    });
    app.stop().await;
}
