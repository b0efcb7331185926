//! steward's expenses against hand-written sqlx: the same pool, the same process, the same data,
//! turn about. On SQLite, hand-written writes have a connection of their own to the same file,
//! made with the same settings: the writer lends its own to nobody.

// A benchmark that cannot be set up has failed: there is nothing better to do than to panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/hand_written.rs"]
mod hand_written;
mod support;

use std::{future::Future, sync::atomic::Ordering, time::Duration};

use hand_written::{Hand, New};
use serde_json::json;
use service::{
    Actor, Store,
    idempotency::WriteOnce,
    input::{Change, Create, FromBody},
    money::expense::{self, Expense, ExpenseInput, ExpenseQuery},
    resource::{self, Readable},
    store::{Options, versioned::Expected},
};
use support::{Contestant, Database, Rows, Turn, compete};
use uuid::Uuid;

const ROUNDS: usize = 21;
const TIME: Duration = Duration::from_millis(100);
const EXPENSES: usize = 20_000;
const CLIENTS: [usize; 2] = [1, 16];

fn main() {
    support::run(async {
        println!("Operations a second, and steward's rate over that of hand-written sqlx\n");
        println!("| database | operation | clients | steward | sqlx | ratio |");
        println!("|---|---|---:|---:|---:|---:|");
        for (name, database) in Database::all().await {
            let store = database.store(Options::default()).await;
            if wanted_engine(name) {
                let stage = Stage::new(name, store.clone(), &database.url).await;
                stage.get().await;
                stage.list().await;
                stage.update().await;
                stage.create().await;
            }
            database.end(store).await;
        }
    });
}

fn wanted_engine(name: &str) -> bool {
    let engines = ["sqlite", "postgresql"];
    let asked: Vec<_> = std::env::args().filter(|a| engines.contains(&a.as_str())).collect();
    asked.is_empty() || asked.contains(&name.to_lowercase())
}

struct Stage {
    name: &'static str,
    store: Store,
    hand: Hand,
    actor: Actor,
    categories: Vec<Uuid>,
    ids: Vec<Uuid>,
}

impl Stage {
    async fn new(name: &'static str, store: Store, url: &str) -> Self {
        let actor = support::household(&store).await;
        let categories = support::categories(&store, &actor, 20).await;
        let ids = support::expenses(&store, &actor, &categories, EXPENSES).await;
        support::analyze(&store).await;
        let hand = Hand::beside(&store, url).await;
        Self { name, store, hand, actor, categories, ids }
    }

    async fn get(&self) {
        let (store, actor, hand) = (self.store.clone(), self.actor.clone(), self.hand.clone());
        let id = self.ids[7];
        let ours = Expense::get(&store, &actor, id).await.unwrap();
        same(&ours, &hand.get(actor.organization_id, id).await);

        let rows = Rows::of(&self.ids, 16);
        let steward = {
            let rows = rows.clone();
            contestant((store, actor.clone()), move |(store, actor), turn| {
                let id = rows.at(turn).0;
                async move { drop(Expense::get(&store, &actor, id).await.unwrap()) }
            })
        };
        let by_hand = contestant(hand, move |hand, turn| {
            let id = rows.at(turn).0;
            async move { drop(hand.get(actor.organization_id, id).await) }
        });
        self.table("get", &[("", &by_hand)], &steward).await;
    }

    async fn list(&self) {
        let (store, actor, hand) = (self.store.clone(), self.actor.clone(), self.hand.clone());
        let ours = Expense::list(&store, &actor, &ExpenseQuery::default()).await.unwrap();
        let theirs = hand.list(actor.organization_id).await;
        assert_eq!(ours.items.len(), theirs.len());
        ours.items.iter().zip(&theirs).for_each(|(ours, theirs)| same(ours, theirs));

        let organization_id = actor.organization_id;
        let steward = contestant((store, actor), |(store, actor), _| async move {
            drop(Expense::list(&store, &actor, &ExpenseQuery::default()).await.unwrap());
        });
        let by_hand = contestant(hand, move |hand, _| async move {
            drop(hand.list(organization_id).await);
        });
        self.table("list of 50", &[("", &by_hand)], &steward).await;
    }

    async fn update(&self) {
        let (store, actor, hand) = (self.store.clone(), self.actor.clone(), self.hand.clone());
        // Rows of its own for each, so that every version is the one that it left.
        let [mine, theirs, others] = [0, 1, 2].map(|part| {
            let share = EXPENSES / 3;
            Rows::of(&self.ids[part * share..(part + 1) * share], 16)
        });
        let organization_id = actor.organization_id;
        let steward = contestant((store, actor), move |(store, actor), turn| {
            let rows = mine.clone();
            async move {
                let (id, version) = rows.at(turn);
                let expected = Expected::Version(version.load(Ordering::Relaxed));
                let body = json!({ "note": format!("Changed at {}", turn.number) });
                let change = Change::<ExpenseInput>::from_body(body).unwrap();
                let now: service::money::expense::Expense =
                    resource::change(&store, &actor, *id, expected, change).await.unwrap();
                version.store(now.version, Ordering::Relaxed);
            }
        });
        let by_hand = |rows: std::sync::Arc<Rows>, alone| {
            let clock = self.store.clone();
            contestant(hand.clone(), move |hand, turn| {
                let (rows, now) = (rows.clone(), clock.now());
                async move {
                    let (id, version) = rows.at(turn);
                    let expected = version.load(Ordering::Relaxed);
                    let note = format!("Changed at {}", turn.number);
                    let next = hand.update(alone, organization_id, *id, expected, &note, now).await;
                    version.store(next.version, Ordering::Relaxed);
                }
            })
        };
        let (whole, alone) = (by_hand(theirs, false), by_hand(others, true));
        self.table("versioned update", &[("", &whole), (" (one statement)", &alone)], &steward)
            .await;
    }

    async fn create(&self) {
        let (store, actor, hand) = (self.store.clone(), self.actor.clone(), self.hand.clone());
        let new = {
            let (actor, categories, store) =
                (actor.clone(), self.categories.clone(), store.clone());
            move |turn: Turn| {
                let now = store.now();
                New {
                    organization_id: actor.organization_id,
                    id: store.random().id(now),
                    now,
                    member_id: actor.member_id.unwrap(),
                    category_id: categories[turn.number % categories.len()],
                    spent_on: support::FIRST_DAY,
                    amount_minor: 100 + turn.number as i64,
                    currency: "EUR",
                    merchant: format!("Merchant {}", turn.number % 211),
                    note: "New".into(),
                }
            }
        };
        let steward = {
            let new = new.clone();
            contestant((store, actor), move |(store, actor), turn| {
                let new = new(turn);
                async move {
                    let input = ExpenseInput {
                        kind: expense::Kind::Purchase,
                        member_id: None,
                        category_id: Some(new.category_id),
                        project_id: None,
                        spent_on: new.spent_on,
                        amount_minor: new.amount_minor,
                        currency: None,
                        merchant: Some(new.merchant),
                        payment_method: None,
                        note: Some(new.note),
                        place: None,
                        latitude: None,
                        longitude: None,
                        details: None,
                        items: Vec::new(),
                        tags: Vec::new(),
                    };
                    let write = WriteOnce::<Expense>::new(&store);
                    let made = resource::create(write, &actor, Create::from(input)).await.unwrap();
                    drop(made);
                }
            })
        };
        let by_hand = |alone| {
            let new = new.clone();
            contestant(hand.clone(), move |hand, turn| {
                let new = new(turn);
                async move { drop(hand.create(alone, new).await) }
            })
        };
        let (whole, alone) = (by_hand(false), by_hand(true));
        self.table("create", &[("", &whole), (" (one statement)", &alone)], &steward).await;
    }

    async fn table(&self, operation: &str, others: &[(&str, &Contestant)], steward: &Contestant) {
        if !wanted_operation(operation) {
            return;
        }
        let contestants: Vec<_> =
            [steward].into_iter().chain(others.iter().map(|other| other.1)).collect();
        for clients in CLIENTS {
            let (rates, ratios) = compete(&contestants, clients, ROUNDS, TIME).await;
            for (index, (remark, _)) in others.iter().enumerate() {
                println!(
                    "| {} | {operation}{remark} | {clients} | {:.0} | {:.0} | {:.2} |",
                    self.name,
                    rates[0],
                    rates[index + 1],
                    ratios[index + 1]
                );
            }
        }
    }
}

fn wanted_operation(operation: &str) -> bool {
    let words = ["get", "list", "update", "create"];
    let asked: Vec<_> = std::env::args().filter(|a| words.contains(&a.as_str())).collect();
    asked.is_empty() || asked.iter().any(|word| operation.contains(word.as_str()))
}

/// An operation that needs these things, each time.
fn contestant<T, F, O>(things: T, operation: F) -> Contestant
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T, Turn) -> O + Clone + Send + Sync + 'static,
    O: Future<Output = ()> + Send + 'static,
{
    Contestant::new(move |turn| operation(things.clone(), turn))
}

/// Both sides give the same answer, or there is nothing to compare.
fn same(ours: &Expense, theirs: &Expense) {
    let json = |expense| serde_json::to_value::<&Expense>(expense).unwrap();
    assert_eq!(json(ours), json(theirs));
}
