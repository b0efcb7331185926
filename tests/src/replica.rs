//! What a client keeps of an organization while it is offline.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use crate::client::Client;

/// A kind and an id.
pub type Key = (String, String);

/// The rows that `GET …/changes` has told of, and how far.
#[derive(Debug, Clone, Default)]
pub struct Replica {
    /// The rows that are there, by kind and id.
    pub rows: BTreeMap<Key, Value>,
    /// The last cursor.
    pub cursor: Option<String>,
}

impl Replica {
    /// Reads all changes there are, in pages of so many, and gives them. For a log in which nothing
    /// happens meanwhile.
    ///
    /// # Panics
    /// If a row comes twice, or positions do not ascend.
    pub async fn pull(&mut self, client: &Client, organization: &str, limit: u64) -> Vec<Value> {
        let (mut items, mut met) = (Vec::<Value>::new(), HashSet::new());
        loop {
            let since = self.cursor.iter().map(|cursor| format!("&since={cursor}"));
            let query = format!("limit={limit}{}", since.collect::<String>());
            let page = client.read(&format!("{organization}/changes?{query}")).await;
            for item in page["items"].as_array().expect("a page has items") {
                let before = items.last().and_then(|item| item["position"].as_i64());
                assert!(item["position"].as_i64() > before, "positions ascend: {page}");
                assert!(met.insert(key(item)), "a row comes twice: {item}");
                self.learn(item);
                items.push(item.clone());
            }
            self.cursor = page["cursor"].as_str().map(str::to_owned);
            if page["more"] == false {
                return items;
            }
        }
    }

    fn learn(&mut self, item: &Value) {
        if item["deleted"] == true {
            assert_eq!(item["data"], Value::Null, "what is gone shows nothing");
            self.rows.remove(&key(item));
        } else {
            assert_eq!(item["data"]["version"], item["version"]);
            assert_eq!(item["data"]["id"], item["id"]);
            self.rows.insert(key(item), item["data"].clone());
        }
    }

    /// The rows of a kind.
    pub fn of(&self, entity: &str) -> Vec<&Value> {
        let rows = self.rows.iter().filter(|((kind, _), _)| kind == entity);
        rows.map(|(_, row)| row).collect()
    }
}

/// The kind and the id of an item of the feed, of a change or of a result.
///
/// # Panics
/// If there are none.
pub fn key(item: &Value) -> Key {
    let text = |name: &str| item[name].as_str().expect("a kind and an id").to_owned();
    (text("entity"), text("id"))
}

impl Client {
    /// Sends changes and gives their results.
    ///
    /// # Panics
    /// If they are not taken.
    pub async fn sync(&self, organization: &str, changes: &[Value]) -> Vec<Value> {
        let body = json!({ "changes": changes });
        let report = self.post(&format!("{organization}/sync"), body).await.expect(200);
        let results = report["results"].as_array().expect("results").clone();
        let keys = |items: &[Value]| items.iter().map(key).collect::<Vec<_>>();
        assert_eq!(keys(&results), keys(changes), "one result for each, in order");
        results
    }
}
