//! Webhooks while the process that sends them is killed, again and again.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    time::Duration,
};

use serde_json::{Value, json};
use service::{random::Random, seal::Keyring};
use tests::{Client, Database, Message, Receiver, at, each_lasting_database};

use crate::support::Process;

/// How many events there are, and how many a batch makes.
const EVENTS: usize = 2000;
const BATCH_SIZE: usize = 500;
/// How often the sender is killed.
const KILLS: usize = 10;
/// How long the whole may take after the last kill.
const TIMEOUT: Duration = Duration::from_secs(90);

/// Serves with a retry schedule in which, of forty attempts that fail three times in ten, one
/// succeeds.
fn start(database: &Database, key: &str) -> Process {
    let retries = format!("0{}", ",0.05".repeat(39));
    let variables = [
        ("STEWARD_ENCRYPTION_KEYS", key),
        ("STEWARD_OUTBOUND_ALLOW", "127.0.0.1"),
        ("STEWARD_WEBHOOK_RETRIES", &retries),
        ("STEWARD_WEBHOOK_TIMEOUT", "1"),
    ];
    Process::start_with(database, &[], &variables)
}

/// Three in ten fail, another three each time the same message comes.
fn fails(message: &Message) -> bool {
    BuildHasherDefault::<DefaultHasher>::default().hash_one((&message.id, message.before)) % 10 < 3
}

async fn events(client: &Client, home: &str) -> BTreeSet<String> {
    let expense = json!({ "spent_on": "2026-11-21", "amount_minor": 5 });
    let mut made = BTreeSet::new();
    for _ in 0..EVENTS / BATCH_SIZE {
        let batch = json!({ "items": vec![&expense; BATCH_SIZE] });
        let answer = client.make(&format!("{home}/expenses/batch"), batch).await;
        let ids = answer["items"].as_array().expect("items").iter().map(tests::id);
        made.extend(ids.map(str::to_owned));
    }
    made
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_sender_that_is_killed_loses_no_event_and_sends_no_second_message_of_one(
    database: Database,
) {
    let key = Keyring::new_key("test", &Random::system());
    let receiver = Receiver::start(|it| if fails(it) { 500 } else { 200 }.into());
    let mut process = start(&database, &key);
    let mut ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let webhooks = format!("{home}/webhooks");
    let new = json!({ "url": receiver.url, "kinds": ["expense.created"] });
    let issued = ada.make(&webhooks, new).await;
    let secret = text(&issued["secret"]);
    let expected = events(&ada, &home).await;
    assert_eq!(expected.len(), EVENTS);
    for kill in 1..=KILLS {
        let some = kill * EVENTS / (KILLS + 2);
        receiver.until(TIMEOUT, |messages| messages.len() >= some).await;
        drop(process);
        process = start(&database, &key);
    }
    ada = ada.at(&process.base);
    let accepted = |messages: &[Message]| {
        let accepted = messages.iter().filter(|message| message.answered == 200);
        accepted.map(|message| message.id.clone()).collect::<BTreeSet<_>>().len()
    };
    receiver.until(TIMEOUT, |messages| accepted(messages) >= EVENTS).await;
    let messages = receiver.messages();
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for message in &messages {
        let about = text(&message.json["data"]["entity_id"]);
        ids.entry(about).or_default().insert(message.id.clone());
    }
    assert_eq!(ids.keys().cloned().collect::<BTreeSet<_>>(), expected, "none is missing");
    assert!(ids.values().all(|ids| ids.len() == 1), "a duplicate has the same webhook-id");
    assert!(messages.iter().all(|message| message.is_signed_by(&secret)));
    let failed = messages.iter().filter(|message| message.answered != 200).count();
    let twice = messages.len() - failed - EVENTS;
    println!("{} messages, {failed} refused, {twice} accepted twice", messages.len());
    assert!(failed * 4 > messages.len(), "{failed} of {} were refused", messages.len());
    let deliveries = format!("{}/deliveries", at(&webhooks, &issued));
    let end = std::time::Instant::now() + TIMEOUT;
    while !ada.all(&deliveries, "?limit=500&state=pending").await.is_empty() {
        assert!(std::time::Instant::now() < end, "what was accepted is written down");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ada.all(&deliveries, "?limit=500&state=delivered").await.len(), EVENTS);
}
