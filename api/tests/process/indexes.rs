//! Indexes of a collection, while the process that builds and removes them ends at every place of its steps, and
//! documents are written in between.

use serde_json::{Value, json};
use service::{Store, store::Options};
use tests::{Client, Database, at, each_lasting_database, indexes::indexes_and_values};

use crate::{offboarding::until, support::Process};

/// Every place of the work.
const PLACES: &[&str] = &[
    "begun",
    "building.inside",
    "building.noted",
    "built.inside",
    "built.noted",
    "dropping.inside",
    "dropping.noted",
    "dropped.inside",
    "dropped.noted",
];

/// Some slices, both to build and to remove.
const DOCUMENTS: usize = 1_050;

fn key(number: usize) -> String {
    format!("d{number:04}")
}

/// A collection of documents, and what it ought to have.
struct Numbers {
    client: Client,
    home: String,
    /// What each document has as `a`, and as `b`.
    numbers: Vec<i64>,
}

impl Numbers {
    async fn make(process: &Process) -> Self {
        let client = Client::new(&process.base).sign_up("Ada").await;
        let home = client.found("household").await;
        let new = json!({ "name": "numbers", "indexes": ["/a"] });
        client.make(&format!("{home}/collections"), new).await;
        let numbers: Vec<i64> = (0..).take(DOCUMENTS).collect();
        let made = Self { client, home, numbers };
        let items = made.numbers.iter().enumerate().map(|(index, number)| {
            json!({ "op": "create", "id": key(index), "body": { "a": number, "b": number } })
        });
        let items: Vec<_> = items.collect();
        for items in items.chunks(150) {
            let bulk = json!({ "items": items, "atomic": true });
            made.client.post(&made.path("bulk"), bulk).await.expect(200);
        }
        made
    }

    fn path(&self, part: &str) -> String {
        format!("{}/collections/numbers/{part}", self.home)
    }

    /// Declares one path in the place of another, at a process that ends at a place. The answer may not come.
    async fn declare_until(&self, database: &Database, place: &str, pointer: &str) {
        let place = format!("index.{place}");
        let mut process = Process::start_with(database, &[], &[("STEWARD_CRASH_AT", &place)]);
        let client = self.client.at(&process.base);
        let collections = format!("{}/collections", self.home);
        let collection = client.read(&collections).await["items"][0].clone();
        let change = json!({ "version": collection["version"], "indexes": [pointer] });
        let path = at(&collections, &collection);
        let sent = tokio::spawn(async move { client.try_patch(&path, change).await });
        until(&place, async || process.ended()).await;
        sent.await.expect("it was sent");
    }

    /// Writes documents from the beginning, from the end and in between.
    async fn write(&mut self, process: &Process, round: usize) {
        let client = self.client.at(&process.base);
        for index in [round, DOCUMENTS / 2 + round, DOCUMENTS - 1 - round] {
            let number = -self.numbers[index] - 1;
            let path = self.path(&format!("documents/{}", key(index)));
            let version = client.read(&path).await["version"].clone();
            let change = json!({ "version": version, "body": { "a": number, "b": number } });
            client.patch(&path, change).await.expect(200);
            self.numbers[index] = number;
        }
    }

    /// Whether queries say the truth, by whatever they use; and which index that is.
    async fn check(&self, process: &Process, name: &str) -> Value {
        let client = self.client.at(&process.base);
        let mut query = json!({ "selector": { name: { "$lt": 0 } }, "sort": [name], "limit": 500 });
        let explained = client.post(&self.path("explain"), query.clone()).await.expect(200);
        let mut found = Vec::new();
        loop {
            let page = client.post(&self.path("query"), query.clone()).await.expect(200);
            let items = page["items"].as_array().expect("items").iter();
            found.extend(items.map(|item| item["body"][name].as_i64().expect("a number")));
            query["cursor"] = page["next_cursor"].clone();
            if query["cursor"].is_null() {
                break;
            }
        }
        let mut expected: Vec<_> =
            self.numbers.iter().copied().filter(|number| *number < 0).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
        explained["read"]["index"].clone()
    }
}

async fn idle(store: &Store) -> Option<()> {
    let documents = u64::try_from(DOCUMENTS).expect("few");
    (indexes_and_values(store).await == (1, documents)).then_some(())
}

#[each_lasting_database(flavor = "multi_thread")]
async fn an_index_is_whole_wherever_the_process_ends(database: Database) {
    let mut numbers = Numbers::make(&Process::start(&database)).await;
    for (round, place) in PLACES.iter().enumerate() {
        let name = if round % 2 == 0 { "b" } else { "a" };
        let pointer = format!("/{name}");
        numbers.declare_until(&database, place, &pointer).await;
        let process = Process::start(&database);
        numbers.write(&process, round).await;
        let used = async || (numbers.check(&process, name).await == pointer).then_some(());
        until("an index that is built", used).await;
        let store = database.store(Options::default()).await;
        until("values that are removed", async || idle(&store).await).await;
        store.close().await.expect("closed");
        numbers.check(&process, name).await;
    }
}
