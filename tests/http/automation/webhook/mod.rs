//! Webhooks: who is sent what, and signed how.

mod delivery;
mod refusal;

use serde_json::{Value, json};
use tests::{App, AppOptions, Client, Database, Message, Receiver, at, each_database};

/// A steward that may send to this machine, and tries three times at once.
pub(crate) fn options() -> AppOptions {
    let mut options = AppOptions::default();
    options.settings.outbound_allow = "127.0.0.1".parse().unwrap();
    options.settings.webhooks.retries = "0,0,0".parse().unwrap();
    options
}

/// An organization with a webhook, as it was answered.
pub(crate) async fn subscribe(app: &App, receiver: &Receiver, kinds: &[&str]) -> Subscribed {
    let (ada, home) = app.owner_of("company").await;
    let webhooks = format!("{home}/webhooks");
    let new = json!({ "url": receiver.url, "kinds": kinds });
    let issued = ada.make(&webhooks, new).await;
    let secret = issued["secret"].as_str().unwrap().to_owned();
    Subscribed { ada, path: at(&webhooks, &issued), home, secret }
}

pub(crate) struct Subscribed {
    pub(crate) ada: Client,
    pub(crate) home: String,
    pub(crate) path: String,
    pub(crate) secret: String,
}

impl Subscribed {
    pub(crate) async fn expense(&self) -> Value {
        let new = json!({ "spent_on": "2026-11-21", "amount_minor": 5 });
        self.ada.make(&format!("{}/expenses", self.home), new).await
    }

    pub(crate) async fn deliveries(&self) -> Vec<Value> {
        self.ada.all(&format!("{}/deliveries", self.path), "").await
    }

    pub(crate) async fn delivery(&self, row: &Value) -> Value {
        self.ada.read(&at(&format!("{}/deliveries", self.home), row)).await
    }

    pub(crate) async fn resend(&self, row: &Value) -> Value {
        let path = format!("{}/resend", at(&format!("{}/deliveries", self.home), row));
        self.ada.post(&path, json!({})).await.expect(200)
    }

    pub(crate) async fn webhook(&self) -> Value {
        self.ada.read(&self.path).await
    }
}

pub(crate) fn kinds(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(Message::kind).collect()
}

#[each_database]
async fn what_happens_is_sent_and_signed(database: Database) {
    let app = App::start_with(&database, options()).await;
    let receiver = Receiver::answering(204);
    let hook = subscribe(&app, &receiver, &["expense.*"]).await;
    let expense = hook.expense().await;
    hook.ada.make(&format!("{}/categories", hook.home), json!({ "name": "Food" })).await;
    app.run_until_idle().await;
    let messages = receiver.messages();
    assert_eq!(kinds(&messages), ["expense.created"], "and not the category");
    let message = &messages[0];
    assert!(message.is_signed_by(&hook.secret));
    let mut forged = message.clone();
    forged.body.push(b' ');
    assert!(!forged.is_signed_by(&hook.secret));
    let data = &message.json["data"];
    assert_eq!(data["data"], expense);
    assert_eq!((&data["entity"], &data["version"]), (&json!("expense"), &json!(1)));
    assert_eq!(data["id"], message.id);
    assert_eq!(message.headers["content-type"], "application/json");
    let rows = hook.deliveries().await;
    assert_eq!((rows.len(), &rows[0]["state"]), (1, &json!("delivered")));
    assert_eq!(rows[0]["event_id"], message.id);
    let attempt = &hook.delivery(&rows[0]).await["attempts"][0];
    assert_eq!((&attempt["status"], &attempt["error"]), (&json!(204), &Value::Null));
    app.stop().await;
}

#[each_database]
async fn a_webhook_begins_with_what_happens_after_it_was_made(database: Database) {
    let app = App::start_with(&database, options()).await;
    let receiver = Receiver::answering(200);
    let first = subscribe(&app, &receiver, &["*"]).await;
    first.expense().await;
    app.run_until_idle().await;
    let before = receiver.count();
    // What may have no position yet when the other is made has happened before it all the same.
    first.expense().await;
    let late = Receiver::answering(200);
    let new = json!({ "url": late.url, "kinds": ["expense.created"] });
    first.ada.make(&format!("{}/webhooks", first.home), new).await;
    let expense = first.expense().await;
    app.run_until_idle().await;
    assert_eq!(late.count(), 1);
    assert_eq!(late.messages()[0].json["data"]["entity_id"], expense["id"]);
    let all = receiver.messages();
    let told = ["expense.created", "webhook.created", "expense.created"];
    assert_eq!(kinds(&all[before..]), told);
    assert!(all.iter().all(|message| !message.json.to_string().contains("whsec_")));
    app.stop().await;
}

#[each_database]
async fn a_secret_is_shown_once_and_the_one_before_signs_too_for_a_while(database: Database) {
    let app = App::start_with(&database, options()).await;
    let receiver = Receiver::answering(200);
    let hook = subscribe(&app, &receiver, &["expense.created"]).await;
    assert!(hook.secret.starts_with("whsec_"));
    assert_eq!(hook.webhook().await.get("secret"), None);
    let rotate = async |version: i64, hours: i64| {
        let body = json!({ "version": version, "overlap_hours": hours });
        let rotated = hook.ada.post(&format!("{}/rotate-secret", hook.path), body).await;
        rotated.expect(200)["secret"].as_str().unwrap().to_owned()
    };
    let second = rotate(1, 24).await;
    hook.expense().await;
    app.run_until_idle().await;
    let third = rotate(2, 0).await;
    hook.expense().await;
    app.run_until_idle().await;
    let signed = |at: usize| {
        let message = receiver.messages().swap_remove(at);
        [&hook.secret, &second, &third].map(|secret| message.is_signed_by(secret))
    };
    assert_eq!(signed(0), [true, true, false]);
    assert_eq!(signed(1), [false, false, true]);
    app.stop().await;
}

#[each_database]
async fn a_test_is_sent_and_a_delivery_again_with_the_same_id(database: Database) {
    let app = App::start_with(&database, options()).await;
    let receiver = Receiver::answering(200);
    let hook = subscribe(&app, &receiver, &["expense.created"]).await;
    let sent = hook.ada.make(&format!("{}/test", hook.path), json!({})).await;
    assert_eq!((&sent["state"], &sent["kind"]), (&json!("pending"), &json!("webhook.test")));
    app.run_until_idle().await;
    let message = receiver.messages().swap_remove(0);
    assert_eq!((message.kind(), &json!(message.id)), ("webhook.test", &sent["id"]));
    assert!(message.is_signed_by(&hook.secret));
    let attempt = &hook.delivery(&sent).await["attempts"][0];
    assert_eq!((&attempt["status"], &attempt["response"]), (&json!(200), &json!("so it is")));
    assert_eq!(hook.resend(&sent).await["state"], "pending");
    app.run_until_idle().await;
    let again = receiver.messages().swap_remove(1);
    assert_eq!((again.id, again.body), (message.id, message.body));
    let delivery = hook.delivery(&sent).await;
    assert_eq!((&delivery["state"], &delivery["attempt_count"]), (&json!("delivered"), &json!(2)));
    app.stop().await;
}

#[each_database]
async fn nothing_is_sent_while_it_is_disabled_and_all_of_it_afterwards(database: Database) {
    let app = App::start_with(&database, options()).await;
    let receiver = Receiver::answering(200);
    let hook = subscribe(&app, &receiver, &["expense.created"]).await;
    let enable = async |version: i64, enabled: bool| {
        let change = json!({ "version": version, "enabled": enabled });
        hook.ada.patch(&hook.path, change).await.expect(200);
    };
    enable(1, false).await;
    for _ in 0..3 {
        hook.expense().await;
    }
    app.run_until_idle().await;
    let test = hook.ada.post(&format!("{}/test", hook.path), json!({})).await;
    test.expect_problem(409, "webhook_disabled");
    assert_eq!(receiver.count(), 0);
    enable(2, true).await;
    app.run_until_idle().await;
    assert_eq!(receiver.count(), 3);
    app.stop().await;
}
