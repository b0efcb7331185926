//! Whatever two clients do while they are offline: in the end both have what the server has, and each
//! of their edits was made, or its client was told that it was not.

use std::collections::BTreeMap;

use entity::event;
use proptest::prelude::*;
use sea_orm::{EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::{
    App, Client, Database, Replica, each_database, for_all, id,
    replica::{Key, key},
};
use uuid::Uuid;

const KINDS: [(&str, &str); 3] =
    [("category", "categories"), ("budget", "budgets"), ("expense", "expenses")];

/// Something that a person does: what, with which of the rows that there are, and a value for it.
#[derive(Debug, Clone)]
struct Step {
    kind: usize,
    op: u8,
    row: usize,
    value: usize,
}

/// Both do something offline, and then go online, one first. The answer of one's sync may get lost.
#[derive(Debug, Clone)]
struct Round {
    steps: [Vec<Step>; 2],
    lost: [bool; 2],
    second_first: bool,
    settled: bool,
    limit: u64,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let step = (0..KINDS.len(), 0..10_u8, 0..100_usize, 0..100_usize)
        .prop_map(|(kind, op, row, value)| Step { kind, op, row, value });
    let steps = prop::collection::vec(step, 0..7);
    let lost = prop::bool::weighted(0.25);
    let round = ([steps.clone(), steps], [lost, lost], any::<bool>(), any::<bool>(), 1..9_u64);
    let round = round.prop_map(|(steps, lost, second_first, settled, limit)| Round {
        steps,
        lost,
        second_first,
        settled,
        limit,
    });
    prop::collection::vec(round, 1..6)
}

/// What has become of an edit.
#[derive(Debug, Clone, PartialEq)]
enum Fate {
    /// It is that version of its row.
    Made(i64),
    /// It was not made, and the client knows why.
    Told(String),
}

/// A client that works offline. What it knows of the server comes from the feed alone.
struct Offline {
    client: Client,
    /// Its own ids begin here.
    first_id: u128,
    home: String,
    known: Replica,
    /// What was not answered yet, in order: the number of the edit, and the change.
    pending: Vec<(usize, Value)>,
    /// Every edit, as it was made first.
    edits: Vec<Value>,
    fates: BTreeMap<usize, Fate>,
}

impl Offline {
    fn new(client: Client, home: &str, first_id: u128) -> Self {
        Self {
            client,
            first_id,
            home: home.to_owned(),
            known: Replica::default(),
            pending: vec![],
            edits: vec![],
            fates: BTreeMap::new(),
        }
    }

    /// The rows of a kind as the client sees them: what it knows, and what it has made.
    fn rows(&self, entity: &str) -> Vec<Key> {
        let known = self.known.rows.keys().cloned();
        let made = self.pending.iter().filter(|(_, change)| change["op"] == "create");
        let keys = known.chain(made.map(|(_, change)| key(change)));
        keys.filter(|(kind, _)| kind == entity).collect()
    }

    /// The version that a row has once all that is pending is made.
    fn version(&self, row: &Key) -> i64 {
        let mut own = self.pending.iter().filter(|(_, change)| key(change) == *row);
        match own.next_back() {
            Some((_, last)) => last["version"].as_i64().unwrap_or(0) + 1,
            None => self.known.rows[row]["version"].as_i64().expect("a version"),
        }
    }

    fn edit(&mut self, step: &Step) {
        let (entity, _) = KINDS[step.kind];
        let number = self.edits.len();
        let rows = self.rows(entity);
        let data = self.data(step, number);
        let edit = match rows.get(step.row % rows.len().max(1)) {
            Some(row) if step.op > 7 => {
                json!({ "op": "delete", "id": row.1, "version": self.version(row) })
            }
            Some(row) if step.op > 3 => {
                let patch = patch(step, data);
                json!({ "op": "update", "id": row.1, "version": self.version(row), "data": patch })
            }
            _ => {
                let id = Uuid::from_u128(self.first_id + number as u128);
                json!({ "op": "create", "id": id, "data": data })
            }
        };
        let mut edit = edit;
        edit["entity"] = json!(entity);
        self.edits.push(edit.clone());
        self.pending.push((number, edit));
    }

    /// A whole new row: mostly good, sometimes with a name that is taken or an amount of nothing.
    fn data(&self, step: &Step, number: usize) -> Value {
        let categories = self.rows("category");
        let category = categories.get(step.value % (categories.len() + 1)).map(|row| &row.1);
        let name =
            if step.value.is_multiple_of(5) { "Shared".into() } else { format!("edit {number}") };
        let amount = if step.value.is_multiple_of(13) { 0 } else { 100 + step.value };
        match KINDS[step.kind].0 {
            "category" => json!({ "name": name, "parent_id": category }),
            "budget" => json!({ "name": name, "category_id": category, "period": "month",
                "amount_minor": amount, "starts_on": "2026-01-01" }),
            _ => {
                let line = |name: &str, amount: usize| {
                    json!({ "name": name, "amount_minor": amount, "category_id": category,
                        "quantity_milli": null, "unit": null, "project_id": null })
                };
                let items = [line("a", amount), line("b", step.row + 1)];
                json!({ "spent_on": "2026-11-01", "amount_minor": amount + step.row + 1,
                    "note": name, "category_id": category, "items": items })
            }
        }
    }

    /// Sends what is pending until all of it is answered; or once, and the answer gets lost.
    async fn push(&mut self, lost: bool) {
        let mut tries = 0;
        while !self.pending.is_empty() {
            tries += 1;
            assert!(tries < 100, "this does not end: {:#?}", self.pending);
            let changes: Vec<_> = self.pending.iter().map(|(_, change)| change.clone()).collect();
            let results = self.client.sync(&self.home, &changes).await;
            if lost {
                return;
            }
            let sent = std::mem::take(&mut self.pending);
            for ((number, change), result) in sent.into_iter().zip(&results) {
                self.answered(number, change, result);
            }
        }
    }

    /// An own change of what somebody has changed meanwhile is made anew, of what is there now; an own
    /// removal is given up.
    fn answered(&mut self, number: usize, mut change: Value, result: &Value) {
        let status = result["status"].as_str().expect("a status");
        let fate = match (status, change["op"].as_str().expect("an op")) {
            ("applied", _) => Fate::Made(result["version"].as_i64().expect("a version")),
            // Made already: the id is this client's own.
            ("conflict", "create") if !result["current"].is_null() => Fate::Made(1),
            ("conflict", "update") if !result["current"].is_null() => {
                change["version"] = result["current_version"].clone();
                self.pending.push((number, change));
                return;
            }
            ("conflict", _) => Fate::Told(status.to_owned()),
            ("invalid" | "not_found", _) => {
                Fate::Told(result["code"].as_str().expect("a code").to_owned())
            }
            _ => panic!("nobody is refused for their role: {result}"),
        };
        assert_eq!(self.fates.insert(number, fate), None, "an edit has one fate");
    }
}

/// Some of the fields.
fn patch(step: &Step, mut data: Value) -> Value {
    let keep: &[&str] = match (KINDS[step.kind].0, step.value % 3) {
        ("category", 0) => &["parent_id"],
        ("category", _) => &["name"],
        ("budget", 0) => &["category_id", "amount_minor"],
        ("budget", _) => &["name"],
        (_, 0) => &["note"],
        (_, 1) => &["category_id"],
        _ => &["items", "amount_minor"],
    };
    data.as_object_mut().expect("fields").retain(|name, _| keep.contains(&&**name));
    data
}

/// What the log says of a row: whether it was there, and how.
type Log = BTreeMap<(Key, i64), (bool, Value)>;

async fn log(app: &App, home: &str) -> Log {
    let organization = home.rsplit('/').next().and_then(|id| Uuid::try_parse(id).ok());
    let organization = organization.expect("an organization's path ends with its id");
    let events = event::Entity::find().filter(event::COLUMN.organization_id.eq(organization));
    let events = events.all(app.store.read()).await.expect("the log");
    let of_row = |event: event::Model| {
        let row = (event.entity, event.entity_id.to_string());
        let state = (event.effect == "written", event.data.expect("data"));
        ((row, event.entity_version), state)
    };
    // What only tells something about a row is no state of it.
    events.into_iter().filter(|event| event.effect != "none").map(of_row).collect()
}

/// Whether a state is one that the change could have made.
fn is_made_by((written, state): &(bool, Value), change: &Value) -> bool {
    match change["data"].as_object() {
        None => !written,
        Some(data) => *written && data.iter().all(|(name, value)| state[name] == *value),
    }
}

fn assert_nothing_is_lost(log: &Log, clients: &[Offline; 2]) {
    for client in clients {
        for (number, change) in client.edits.iter().enumerate() {
            let fate = client.fates.get(&number);
            match fate.unwrap_or_else(|| panic!("nobody knows of {change}")) {
                Fate::Told(_) => {}
                Fate::Made(version) => {
                    let state = log.get(&(key(change), *version));
                    let state = state.unwrap_or_else(|| panic!("{change} has left no event"));
                    assert!(is_made_by(state, change), "{change} made {state:?}");
                }
            }
        }
    }
    let edits = || clients.iter().flat_map(|client| &client.edits);
    for ((row, version), state) in log.iter().filter(|((row, _), _)| is_synced(row)) {
        let made = edits().any(|edit| key(edit) == *row && is_made_by(state, edit));
        assert!(made, "nobody has asked for version {version} of {row:?}: {state:?}");
    }
}

fn is_synced((entity, _): &Key) -> bool {
    KINDS.iter().any(|(kind, _)| kind == entity)
}

/// The rows as the server lists them.
async fn listed(client: &Client, home: &str) -> BTreeMap<Key, Value> {
    let mut rows = BTreeMap::new();
    for (entity, collection) in KINDS {
        let page = client.all(&format!("{home}/{collection}"), "?limit=500").await;
        rows.extend(page.into_iter().map(|row| ((entity.to_owned(), id(&row).to_owned()), row)));
    }
    rows
}

async fn run(app: &App, ada: &Client, rounds: &[Round]) -> [Offline; 2] {
    let home = ada.found("household").await;
    let other = ada.with_key(&home, "manager").await;
    let mut clients = [Offline::new(ada.clone(), &home, 1_000), Offline::new(other, &home, 2_000)];
    for round in rounds {
        let order = if round.second_first { [1, 0] } else { [0, 1] };
        for at in order {
            round.steps[at].iter().for_each(|step| clients[at].edit(step));
        }
        for at in order {
            clients[at].push(round.lost[at]).await;
            if round.settled {
                app.run_until_idle().await;
            }
            let Offline { client, home, known, .. } = &mut clients[at];
            known.pull(client, home, round.limit).await;
        }
    }
    for client in &mut clients {
        client.push(false).await;
    }
    app.run_until_idle().await;
    let there = listed(ada, &home).await;
    for Offline { client, home, known, .. } in &mut clients {
        known.pull(client, home, 4).await;
        known.rows.retain(|row, _| is_synced(row));
        assert_eq!(known.rows, there, "a replica is what the server has");
    }
    let mut anew = Replica::default();
    anew.pull(ada, &home, 500).await;
    anew.rows.retain(|row, _| is_synced(row));
    assert_eq!(anew.rows, there, "and so is one from the beginning");
    assert_nothing_is_lost(&log(app, &home).await, &clients);
    clients
}

#[each_database(flavor = "multi_thread")]
async fn two_clients_that_were_offline_converge_and_no_edit_is_lost_silently(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let fates = std::sync::Mutex::new(BTreeMap::<String, u32>::new());
    let kinds = ["made", "conflict", "invalid", "duplicate", "not_found"];
    let missing = || {
        let fates = fates.lock().unwrap();
        kinds.into_iter().find(|kind| !fates.contains_key(*kind))
    };
    // The edits are random: where one kind has not come up, there are more of them.
    for _ in 0..5 {
        for_all(30, &rounds(), async |rounds: Vec<Round>| {
            for client in run(&app, &ada, &rounds).await {
                for fate in client.fates.into_values() {
                    let word = match fate {
                        Fate::Made(_) => "made".to_owned(),
                        Fate::Told(why) => why,
                    };
                    *fates.lock().unwrap().entry(word).or_default() += 1;
                }
            }
        });
        if missing().is_none() {
            break;
        }
    }
    eprintln!("what has become of the edits: {:?}", fates.lock().unwrap());
    assert_eq!(missing(), None, "no edit was that: this has tested too little");
    app.stop().await;
}
