//! What a script has made so far, and how it learns that from the answers.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;
use tests::{Answer, Client, Record};

use super::{choice::Choice, steps::Weights, sync};

/// The collections of which steward makes rows by itself.
const MADE: &[&str] = &["tasks", "timecards", "rates"];

/// A request on its way.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) content_type: &'static str,
    pub(super) body: Option<Vec<u8>>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Call {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        let content_type = "application/json";
        Self { method, path: path.into(), content_type, body: None, headers: vec![] }
    }

    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn post(path: impl Into<String>, body: &Value) -> Self {
        Self { body: Some(body.to_string().into_bytes()), ..Self::new(Method::POST, path) }
    }
}

/// A resource at the version that the script has seen last.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) path: String,
    pub(super) version: i64,
    /// How far its approval is, if it is an expense.
    pub(super) status: String,
}

impl Row {
    pub(super) fn at(path: impl Into<String>, version: i64) -> Self {
        Self { path: path.into(), version, status: String::new() }
    }

    pub(super) fn id(&self) -> String {
        self.path.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The collection that it is in: `expenses`.
    pub(super) fn collection(&self) -> &str {
        self.path.rsplit('/').nth(1).unwrap_or_default()
    }
}

/// Who calls: a person in one of their sessions, or a program.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    Person(usize),
    Key(Client),
}

/// An organization, as far as the script knows it.
#[derive(Debug, Clone)]
pub(super) struct Organization {
    pub(super) path: String,
    /// The owner first, then members and keys.
    pub(super) callers: Vec<Caller>,
    pub(super) rows: BTreeMap<String, Vec<Row>>,
    /// The next pages of lists.
    pub(super) links: Vec<String>,
    /// The tokens of invitations.
    pub(super) invitations: Vec<String>,
    /// Imports, to be made again.
    pub(super) imports: Vec<Call>,
    /// When something was as an answer said.
    pub(super) instants: Vec<String>,
    /// The paths of rows that are gone.
    pub(super) gone: Vec<String>,
    /// How far changes were read.
    pub(super) cursors: Vec<String>,
    /// Syncs, to be sent again.
    pub(super) syncs: Vec<Call>,
}

impl Organization {
    pub(super) fn new(path: String, owner: usize) -> Self {
        let mut organization = Self {
            path: path.clone(),
            callers: vec![Caller::Person(owner)],
            rows: BTreeMap::new(),
            links: vec![],
            invitations: vec![],
            imports: vec![],
            instants: vec![],
            gone: vec![],
            cursors: vec![],
            syncs: vec![],
        };
        organization.add(path);
        organization
    }

    pub(super) fn of(&self, collection: &str) -> &[Row] {
        self.rows.get(collection).map_or(&[], Vec::as_slice)
    }

    fn row(&mut self, id: &str) -> Option<&mut Row> {
        self.rows.values_mut().flatten().find(|row| row.id() == id)
    }

    fn learn(&mut self, call: &Call, answer: &Answer, anonymous: &Client) {
        let path = call.path.split('?').next().unwrap_or_default();
        let collection = path.rsplit('/').next().unwrap_or_default().to_owned();
        if answer.status == 204 && call.method == Method::DELETE {
            self.rows.values_mut().for_each(|rows| rows.retain(|row| row.path != path));
            self.gone.push(path.to_owned());
        }
        if let Some(there) = answer.headers.get("location") {
            self.add(there.to_str().unwrap().to_owned());
            let token = text(&answer.json["token"]);
            match &*collection {
                "invitations" => self.invitations.push(token),
                "api-keys" => self.callers.push(Caller::Key(anonymous.with_token(&token))),
                _ => {}
            }
        }
        if answer.status == 201 && answer.json["webhook_id"].is_string() {
            self.add(format!("{}/deliveries/{}", self.path, text(&answer.json["id"])));
        }
        for item in answer.json["items"].as_array().into_iter().flatten() {
            let known = self.row(&text(&item["id"])).is_some();
            // What steward makes by itself shows in lists.
            let listed = call.method == Method::GET && MADE.contains(&&*collection) && !known;
            if (answer.status == 201 || listed) && item["version"].is_i64() {
                let id = text(&item["id"]);
                match &*collection {
                    "attachments" => self.add(format!("{}/attachments/{id}", self.path)),
                    _ => self.add(format!("{}/{id}", path.trim_end_matches("/batch"))),
                }
            }
        }
        // What was is not what is.
        if call.path.contains("as_of=") {
            return;
        }
        self.instants.extend(answer.json["updated_at"].as_str().map(str::to_owned));
        let current =
            if answer.json["current"].is_object() { &answer.json["current"] } else { &answer.json };
        if let (Some(version), Some(row)) =
            (current["version"].as_i64(), self.row(&text(&current["id"])))
        {
            row.version = version;
            row.status = text(&current["status"]);
        }
        for result in answer.json["results"].as_array().into_iter().flatten() {
            self.learn_result(result);
        }
        if let Some(cursor) = answer.json["cursor"].as_str() {
            self.cursors.push(cursor.to_owned());
        }
        if let Some(saga) = current["payout_saga_id"].as_str()
            && self.row(saga).is_none()
        {
            self.add(format!("{}/sagas/{saga}", self.path));
        }
        if current["kind"] == "offboarding" && self.row(&text(&current["id"])).is_none() {
            self.add(format!("{}/sagas/{}", self.path, text(&current["id"])));
        }
        if let Some(link) = answer.headers.get("link") {
            let link = link.to_str().unwrap().trim_start_matches('<');
            self.links.push(link.split('>').next().unwrap_or_default().to_owned());
        }
    }

    /// What a sync has made of a row.
    fn learn_result(&mut self, result: &Value) {
        let id = text(&result["id"]);
        let state = &result[if result["status"] == "conflict" { "current" } else { "data" }];
        if result["status"] == "applied" && state.is_null() {
            self.rows.values_mut().for_each(|rows| rows.retain(|row| row.id() != id));
        }
        let Some(version) = state["version"].as_i64() else { return };
        if self.row(&id).is_none() {
            let collection = sync::collection(&text(&result["entity"]));
            self.add(format!("{}/{collection}/{id}", self.path));
        }
        if let Some(row) = self.row(&id) {
            row.version = version;
            row.status = text(&state["status"]);
        }
    }

    pub(super) fn add(&mut self, path: String) {
        let row = Row::at(path, 1);
        self.rows.entry(row.collection().to_owned()).or_default().push(row);
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Someone who has registered.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) email: String,
    pub(super) version: i64,
    /// Logged in, perhaps more than once.
    pub(super) sessions: Vec<Client>,
}

/// A script: what it has made.
#[derive(Debug)]
pub(super) struct Script {
    record: Record,
    pub(super) weights: Weights,
    pub(super) choice: Choice,
    pub(super) anonymous: Client,
    pub(super) people: Vec<Person>,
    pub(super) organizations: Vec<Organization>,
}

impl Script {
    /// One whose calls and answers are put on record.
    pub(super) fn new(anonymous: &Client, record: Record, seed: u64, weights: Weights) -> Self {
        Self {
            choice: Choice::seeded(seed),
            anonymous: anonymous.recorded(&record),
            record,
            weights,
            people: vec![],
            organizations: vec![],
        }
    }

    /// Makes a call that belongs to no organization: some with a key, and of those some again.
    pub(super) async fn call(&mut self, client: &Client, mut call: Call) -> Answer {
        if call.method != Method::POST || !self.choice.chance(25) {
            return self.send(client, call).await;
        }
        call.headers.push(("idempotency-key", format!("key-{}", self.record.count())));
        let answer = self.send(client, call.clone()).await;
        for _ in 0..self.choice.below(3) {
            if self.choice.chance(20)
                && let Some(body) = &mut call.body
            {
                body.push(b'\n');
            }
            self.send(client, call.clone()).await;
        }
        answer
    }

    async fn send(&self, client: &Client, call: Call) -> Answer {
        let headers: Vec<_> = call.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        client.send_bytes(call.method, &call.path, call.content_type, call.body, &headers).await
    }

    /// Makes a call in an organization, and learns from the answer.
    pub(super) async fn call_in(&mut self, at: usize, client: &Client, call: Call) {
        let answer = self.call(client, call.clone()).await;
        let path = call.path.split('?').next().unwrap_or_default();
        if answer.status == 204 && self.organizations[at].path == path {
            self.organizations.remove(at);
        } else {
            self.organizations[at].learn(&call, &answer, &self.anonymous);
        }
    }

    /// The client of a caller.
    pub(super) fn client_of(&self, caller: &Caller) -> Client {
        match caller {
            Caller::Person(at) => self.people[*at].sessions[0].clone(),
            Caller::Key(client) => client.clone(),
        }
    }

    /// Founds an organization, and learns of it.
    pub(super) async fn found(&mut self, owner: usize, new: &Value) {
        let client = self.client_of(&Caller::Person(owner));
        let answer = self.call(&client, Call::post("/v1/organizations", new)).await;
        if answer.status == 201 {
            let path = format!("/v1/organizations/{}", text(&answer.json["id"]));
            self.organizations.push(Organization::new(path, owner));
        }
    }
}
