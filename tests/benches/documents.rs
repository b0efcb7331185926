//! Documents: steward's against hand-written JSON columns, in this process on the same database; and, where
//! `TEST_POUCHDB_SERVER` names one, steward over HTTP against pouchdb-server. Turn about, on the same documents.

// A benchmark that cannot be set up has failed: there is nothing better to do than to panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/by_hand.rs"]
mod by_hand;
mod support;

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use api::config::Settings;
use by_hand::Table;
use reqwest::Method;
use serde_json::{Value, json};
use service::{
    Actor, Store,
    document::{
        collection::Collection,
        document::{self, DocumentBulkResult, DocumentQuery},
        search::{self, QueryResult},
    },
    event::AtQuery,
    idempotency::WriteOnce,
    input::{Create, DeferredExact, FromBody, TransitionBody},
    resource,
    store::{Options, versioned::Expected},
};
use support::{Contestant, Database, Turn, compete, wanted};
use tests::{App, Client, PouchDbServer};

const ROUNDS: usize = 21;
const TIME: Duration = Duration::from_millis(100);
const DOCUMENTS: usize = 20_000;
/// How many documents have the same number.
const ALIKE: usize = 10;
const CLIENTS: [usize; 2] = [1, 16];
const MOST_CLIENTS: usize = 16;
const OPERATIONS: [&str; 4] = ["get", "put", "query", "page"];

fn main() {
    support::run(async {
        let documents: Arc<[_]> =
            (0..DOCUMENTS).map(|number| (key(number), body(number, 0))).collect();
        println!("Operations a second, and steward's rate over the other's\n");
        println!("| database | operation | clients | steward | other | ratio |");
        println!("|---|---|---:|---:|---:|---:|");
        for (name, database) in Database::all().await {
            let store = database.store(Options::default()).await;
            if OPERATIONS.iter().any(|operation| wanted(&[name, operation, "sqlx", "pouchdb"])) {
                measure(name, &store, &database.url, &documents).await;
            }
            database.end(store).await;
        }
    });
}

async fn measure(name: &str, store: &Store, url: &str, documents: &Arc<[(String, Value)]>) {
    if OPERATIONS.iter().any(|operation| wanted(&[name, operation, "sqlx"])) {
        let actor = support::household(store).await;
        fill(store, &actor, documents).await;
        let table = Table::beside(store, url, documents).await;
        support::analyze(store).await;
        let ours = Ours { store: store.clone(), actor, places: Places::new() };
        let theirs = ByHand { table, places: Places::new() };
        compare(&ours, &theirs).await;
        race((name, "sqlx"), ours, theirs).await;
    }
    if OPERATIONS.iter().any(|operation| wanted(&[name, operation, "pouchdb"])) {
        let Some(pouchdb) = PouchDbServer::start().await else { return };
        let theirs = OverHttp::pouchdb(&pouchdb, documents).await;
        let app = App::over(store.clone(), Settings::default());
        let ours = OverHttp::steward(&app, documents).await;
        support::analyze(store).await;
        race((name, "pouchdb"), ours, theirs).await;
    }
}

fn key(number: usize) -> String {
    // Scattered, so that documents of one number are no neighbours.
    format!("{:05}", number.wrapping_mul(7919) % DOCUMENTS)
}

fn body(number: usize, turn: usize) -> Value {
    json!({
        "n": number / ALIKE,
        "title": format!("Document {number}, written {turn} times"),
        "tags": ["kitchen", "bread", "sunday"],
        "address": { "city": "Bern", "street": "Main street 1" },
        "text": "What one writes about a recipe, or an agent, of a length that is usual. ".repeat(3),
    })
}

/// The documents in a collection `notes` whose numbers are indexed.
async fn fill(store: &Store, actor: &Actor, documents: &[(String, Value)]) {
    let new = json!({ "name": "notes", "indexes": ["/n"] });
    let write = WriteOnce::<Collection>::new(store);
    resource::create(write, actor, Create::from_body(new).unwrap()).await.unwrap();
    for documents in documents.chunks(1_000) {
        let bulk = DeferredExact::from_body(bulk(documents)).unwrap();
        let write = WriteOnce::<DocumentBulkResult>::new(store);
        document::write_many(write, actor, "notes", bulk).await.unwrap();
    }
}

fn bulk(documents: &[(String, Value)]) -> Value {
    let items =
        documents.iter().map(|(id, body)| json!({ "op": "create", "id": id, "body": body }));
    json!({ "items": items.collect::<Vec<_>>(), "atomic": true })
}

/// Where each client is: the versions of the documents that it alone writes, and the next page of its list.
struct Places {
    versions: Vec<AtomicI64>,
    revisions: Vec<Mutex<String>>,
    next: Vec<Mutex<Option<String>>>,
}

impl Places {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            versions: (0..DOCUMENTS).map(|_| AtomicI64::new(1)).collect(),
            revisions: (0..DOCUMENTS).map(|_| Mutex::default()).collect(),
            next: (0..MOST_CLIENTS).map(|_| Mutex::default()).collect(),
        })
    }

    /// The number of a document that nobody else writes.
    fn own(&self, turn: Turn) -> usize {
        let share = DOCUMENTS / MOST_CLIENTS;
        turn.client * share + turn.number % share
    }

    fn next(&self, turn: Turn) -> Option<String> {
        self.next[turn.client].lock().unwrap().clone()
    }

    fn set_next(&self, turn: Turn, next: Option<String>) {
        *self.next[turn.client].lock().unwrap() = next;
    }
}

/// Somebody who keeps documents.
trait Keeper: Clone + Send + Sync + 'static {
    fn get(&self, turn: Turn) -> impl Future<Output = Value> + Send;
    fn put(&self, turn: Turn) -> impl Future<Output = ()> + Send;
    fn query(&self, turn: Turn) -> impl Future<Output = Vec<Value>> + Send;
    /// The page after the one before; the first after the last.
    fn page(&self, turn: Turn) -> impl Future<Output = Vec<Value>> + Send;

    fn contestant(&self, operation: &'static str) -> Contestant {
        let keeper = self.clone();
        Contestant::new(move |turn| {
            let keeper = keeper.clone();
            async move {
                match operation {
                    "get" => drop(keeper.get(turn).await),
                    "put" => keeper.put(turn).await,
                    "query" => assert_eq!(keeper.query(turn).await.len(), ALIKE),
                    _ => drop(keeper.page(turn).await),
                }
            }
        })
    }
}

fn number_of(turn: Turn) -> usize {
    turn.number % (DOCUMENTS / ALIKE)
}

/// steward, in this process.
#[derive(Clone)]
struct Ours {
    store: Store,
    actor: Actor,
    places: Arc<Places>,
}

impl Keeper for Ours {
    async fn get(&self, turn: Turn) -> Value {
        let key = key(self.places.own(turn));
        let found = document::get_at(&self.store, &self.actor, ("notes", &key), AtQuery::default());
        serde_json::to_value(found.await.unwrap()).unwrap()
    }

    async fn put(&self, turn: Turn) {
        let number = self.places.own(turn);
        let version = &self.places.versions[number];
        let expected = Expected::Version(version.load(Ordering::Relaxed));
        let body = json!({ "body": body(number, turn.number) });
        let (key, body) = (key(number), TransitionBody::from_body(body).unwrap());
        let put = document::put(&self.store, &self.actor, ("notes", &key), (expected, false), body);
        version.store(put.await.unwrap().document.version, Ordering::Relaxed);
    }

    async fn query(&self, turn: Turn) -> Vec<Value> {
        let query = json!({ "selector": { "n": number_of(turn) } });
        let query = DeferredExact::from_body(query).unwrap();
        let write = WriteOnce::<QueryResult>::new(&self.store);
        let found = search::query(write, &self.actor, "notes", query).await.unwrap();
        found.items.iter().map(|document| serde_json::to_value(document).unwrap()).collect()
    }

    async fn page(&self, turn: Turn) -> Vec<Value> {
        let query = DocumentQuery { cursor: self.places.next(turn), ..DocumentQuery::default() };
        let page = document::list(&self.store, &self.actor, "notes", &query).await.unwrap();
        self.places.set_next(turn, page.next_cursor);
        page.items.iter().map(|document| serde_json::to_value(document).unwrap()).collect()
    }
}

/// A table with a column of JSON.
#[derive(Clone)]
struct ByHand {
    table: Table,
    places: Arc<Places>,
}

fn shown((id, version, body): by_hand::Found) -> Value {
    json!({ "id": id, "version": version, "body": body })
}

impl Keeper for ByHand {
    async fn get(&self, turn: Turn) -> Value {
        shown(self.table.get(&key(self.places.own(turn))).await)
    }

    async fn put(&self, turn: Turn) {
        let number = self.places.own(turn);
        let version = self.places.versions[number].fetch_add(1, Ordering::Relaxed);
        self.table.put(&key(number), version, &body(number, turn.number)).await;
    }

    async fn query(&self, turn: Turn) -> Vec<Value> {
        let number = i64::try_from(number_of(turn)).unwrap();
        self.table.query(number).await.into_iter().map(shown).collect()
    }

    async fn page(&self, turn: Turn) -> Vec<Value> {
        let page = self.table.page(&self.places.next(turn).unwrap_or_default()).await;
        self.places
            .set_next(turn, page.last().map(|last| last.0.clone()).filter(|_| page.len() == 50));
        page.into_iter().map(shown).collect()
    }
}

/// Both give the same answers, or there is nothing to compare.
async fn compare(ours: &Ours, theirs: &ByHand) {
    let of = |document: &Value| {
        let mut parts = ["id", "version", "body"].map(|name| document[name].clone());
        // jsonb sorts the names.
        parts[2].sort_all_objects();
        parts
    };
    let all = |documents: Vec<Value>| documents.iter().map(of).collect::<Vec<_>>();
    let turn = Turn { client: 0, number: 7 };
    assert_eq!(of(&ours.get(turn).await), of(&theirs.get(turn).await));
    assert_eq!(all(ours.query(turn).await), all(theirs.query(turn).await));
    for _ in 0..2 {
        assert_eq!(all(ours.page(turn).await), all(theirs.page(turn).await));
    }
}

/// A server of documents.
#[derive(Clone)]
struct OverHttp {
    client: Client,
    /// Of the database, or of the collection.
    path: String,
    is_pouchdb: bool,
    places: Arc<Places>,
}

impl OverHttp {
    async fn steward(app: &App, documents: &[(String, Value)]) -> Self {
        let client = app.anonymous().sign_up("Ada").await;
        let home = client.found("household").await;
        let new = json!({ "name": "notes", "indexes": ["/n"] });
        client.make(&format!("{home}/collections"), new).await;
        let path = format!("{home}/collections/notes");
        for documents in documents.chunks(500) {
            client.post(&format!("{path}/bulk"), bulk(documents)).await.expect(200);
        }
        Self { client, path, is_pouchdb: false, places: Places::new() }
    }

    async fn pouchdb(server: &PouchDbServer, documents: &[(String, Value)]) -> Self {
        let url = server.url("notes").replace("couchdb://", "http://");
        let client = Client::new(url.strip_suffix("/notes").unwrap());
        client.send(Method::PUT, "/notes", None).await.expect(201);
        let index = json!({ "index": { "fields": ["n"] } });
        client.post("/notes/_index", index).await.expect(200);
        let places = Places::new();
        for (at, documents) in documents.chunks(500).enumerate() {
            let docs = documents.iter().map(|(id, body)| with(body.clone(), "_id", id));
            let written = json!({ "docs": docs.collect::<Vec<_>>() });
            let written = client.post("/notes/_bulk_docs", written).await.expect(201);
            for (offset, written) in written.as_array().unwrap().iter().enumerate() {
                let revision = written["rev"].as_str().unwrap().to_owned();
                *places.revisions[at * 500 + offset].lock().unwrap() = revision;
            }
        }
        Self { client, path: "/notes".to_owned(), is_pouchdb: true, places }
    }

    fn document(&self, number: usize) -> String {
        let part = if self.is_pouchdb { "" } else { "/documents" };
        format!("{}{part}/{}", self.path, key(number))
    }
}

fn with(mut body: Value, name: &str, value: &str) -> Value {
    body[name] = json!(value);
    body
}

fn items(answer: &mut Value, name: &str) -> Vec<Value> {
    answer[name].as_array_mut().map(std::mem::take).unwrap_or_default()
}

impl Keeper for OverHttp {
    async fn get(&self, turn: Turn) -> Value {
        self.client.get(&self.document(self.places.own(turn))).await.expect(200)
    }

    async fn put(&self, turn: Turn) {
        let number = self.places.own(turn);
        let (path, body) = (self.document(number), body(number, turn.number));
        if self.is_pouchdb {
            let revision = self.places.revisions[number].lock().unwrap().clone();
            let sent = Some(with(body, "_rev", &revision));
            let answer = self.client.send(Method::PUT, &path, sent).await.expect(201);
            let revision = answer["rev"].as_str().unwrap().to_owned();
            *self.places.revisions[number].lock().unwrap() = revision;
        } else {
            let version = self.places.versions[number].fetch_add(1, Ordering::Relaxed);
            let sent = json!({ "version": version, "body": body });
            self.client.send(Method::PUT, &path, Some(sent)).await.expect(200);
        }
    }

    async fn query(&self, turn: Turn) -> Vec<Value> {
        let query = json!({ "selector": { "n": number_of(turn) }, "limit": 50 });
        let (part, name) = if self.is_pouchdb { ("_find", "docs") } else { ("query", "items") };
        let path = format!("{}/{part}", self.path);
        items(&mut self.client.post(&path, query).await.expect(200), name)
    }

    async fn page(&self, turn: Turn) -> Vec<Value> {
        let next = self.places.next(turn);
        if self.is_pouchdb {
            let from =
                next.map(|last| format!("&skip=1&startkey=%22{last}%22")).unwrap_or_default();
            let path = format!("{}/_all_docs?include_docs=true&limit=50{from}", self.path);
            let rows = items(&mut self.client.get(&path).await.expect(200), "rows");
            let last = rows.last().filter(|_| rows.len() == 50).map(|last| last["id"].as_str());
            self.places.set_next(turn, last.flatten().map(str::to_owned));
            return rows;
        }
        let cursor = next.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let path = format!("{}/documents?limit=50{cursor}", self.path);
        let mut page = self.client.get(&path).await.expect(200);
        self.places.set_next(turn, page["next_cursor"].as_str().map(str::to_owned));
        items(&mut page, "items")
    }
}

async fn race((name, other): (&str, &str), ours: impl Keeper, theirs: impl Keeper) {
    for operation in OPERATIONS.into_iter().filter(|it| wanted(&[name, it, other])) {
        let contestants = [ours.contestant(operation), theirs.contestant(operation)];
        for clients in CLIENTS {
            let [one, two] = &contestants;
            let (rates, ratios) = compete(&[one, two], clients, ROUNDS, TIME).await;
            let (steward, rate, ratio) = (rates[0], rates[1], ratios[1]);
            println!(
                "| {name} | {operation}, {other} | {clients} | {steward:.0} | {rate:.0} | {ratio:.2} |"
            );
        }
    }
}
