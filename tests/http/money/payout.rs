//! Paying members back: what the saga does, and what is decided about it.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicU32, Ordering},
    },
};

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use service::clock::Clock;
use tests::{App, AppOptions, Client, Database, at, each_database, id};

/// Answers every request with one status, and counts them.
#[derive(Clone, Default)]
struct Receiver {
    status: Arc<AtomicU16>,
    count: Arc<AtomicU32>,
    last: Arc<Mutex<String>>,
}

impl Receiver {
    fn start(status: u16) -> (Self, String) {
        let receiver = Self { status: Arc::new(AtomicU16::new(status)), ..Self::default() };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
        let own = receiver.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut request = vec![0; 8192];
                let mut length = 0;
                while !String::from_utf8_lossy(&request[..length]).ends_with('}') {
                    match stream.read(&mut request[length..]) {
                        Ok(more) if more > 0 => length += more,
                        _ => break,
                    }
                }
                *own.last.lock().unwrap() = String::from_utf8_lossy(&request[..length]).into();
                own.count.fetch_add(1, Ordering::SeqCst);
                let status = own.status.load(Ordering::SeqCst);
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                );
            }
        });
        (receiver, url)
    }
}

/// A household whose payouts go to `url`, in an app whose clock goes a minute with each look.
struct Story {
    app: App,
    ada: Client,
    home: String,
}

impl Story {
    async fn begin(database: &Database, url: &str, flags: &[(&str, i64)]) -> Self {
        let mut options = AppOptions::default();
        options.settings.outbound_allow = "127.0.0.1".parse().unwrap();
        for (flag, seconds) in flags {
            assert_eq!(*flag, "timeout");
            options.settings.saga_timeouts.step = TimeDelta::seconds(*seconds);
        }
        let start = "2026-11-21T08:00:00Z".parse().unwrap();
        options.store.clock = Clock::stepping(start, TimeDelta::milliseconds(100));
        let app = App::start_with(database, options).await;
        let (ada, home) = app.owner_of("household").await;
        ada.patch(&home, json!({ "version": 1, "payout_url": url })).await.expect(200);
        Self { app, ada, home }
    }

    async fn expense(&self) -> String {
        let expenses = format!("{}/expenses", self.home);
        let new = json!({ "spent_on": "2026-11-01", "amount_minor": 990, "currency": "CHF" });
        at(&expenses, &self.ada.make(&expenses, new).await)
    }

    /// Begins to pay it back, and gives the path of the saga.
    async fn pay(&self, expense: &str) -> String {
        let version = self.ada.read(expense).await["version"].clone();
        let pay = format!("{expense}/pay");
        let held = self.ada.post(&pay, json!({ "version": version })).await.expect(200);
        format!("{}/sagas/{}", self.home, held["payout_saga_id"].as_str().unwrap())
    }

    async fn decide(&self, saga: &str, verb: &str) -> tests::Answer {
        let version = self.ada.read(saga).await["version"].clone();
        self.ada.post(&format!("{saga}/{verb}"), json!({ "version": version })).await
    }

    async fn balance(&self, name: &str) -> Option<i64> {
        let rows = self.ada.all(&format!("{}/balances", self.home), "").await;
        rows.iter().find(|row| row["name"] == name).and_then(|row| row["balance_minor"].as_i64())
    }
}

#[each_database]
async fn while_a_payout_is_under_way_nothing_else_is_done_to_the_expense(database: Database) {
    let (receiver, url) = Receiver::start(200);
    let story = Story::begin(&database, &url, &[]).await;
    let (ada, expense) = (&story.ada, story.expense().await);
    let saga = story.pay(&expense).await;
    for (method, verb) in [("PATCH", ""), ("POST", "/reimburse"), ("POST", "/pay")] {
        let body = json!({ "version": 2 });
        let path = format!("{expense}{verb}");
        let answer = match method {
            "PATCH" => ada.patch(&path, body).await,
            _ => ada.post(&path, body).await,
        };
        answer.expect_problem(409, "payout_under_way");
    }
    let removed = ada.delete(&format!("{expense}?version=2")).await;
    removed.expect_problem(409, "payout_under_way");

    story.app.run_until_idle().await;
    let paid = ada.read(&expense).await;
    assert_eq!((&paid["status"], &paid["payout_error"]), (&json!("reimbursed"), &Value::Null));
    let ended = ada.read(&saga).await;
    assert_eq!(ended["state"], "completed");
    let steps = ended["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["state"] == "done" && step["attempts"] == 1));
    assert_eq!(receiver.count.load(Ordering::SeqCst), 1);
    let request = receiver.last.lock().unwrap().clone();
    assert!(request.starts_with("POST /secret-path HTTP/1.1"), "{request}");
    assert!(request.contains(&format!("idempotency-key: {}", id(&ended))), "{request}");
    assert!(request.contains(r#""amount_minor":990"#) && request.contains("CHF"), "{request}");
    assert_eq!(story.balance("Payouts in flight").await, Some(0));
    assert_eq!(story.balance("Payout account").await, Some(-990));
    for verb in ["retry", "compensate", "mark-paid"] {
        story.decide(&saga, verb).await.expect_problem(409, "saga_ended");
    }
    story.app.stop().await;
}

#[each_database]
async fn a_payout_of_which_nobody_knows_is_decided_by_an_admin(database: Database) {
    let (receiver, url) = Receiver::start(500);
    // A timeout of zero: after the first attempt somebody is asked.
    let story = Story::begin(&database, &url, &[("timeout", 0)]).await;
    let ada = &story.ada;
    let sagas = format!("{}/sagas", story.home);
    for (verb, status, state) in [
        ("mark-paid", "reimbursed", "completed"),
        ("compensate", "approved", "compensated"),
        ("retry", "approved", "failed"),
    ] {
        let expense = story.expense().await;
        let saga = story.pay(&expense).await;
        story.app.run_until_idle().await;
        let failed = ada.read(&saga).await;
        assert_eq!(failed["state"], "failed", "{failed}");
        assert_eq!(failed["reason"], "the payout was answered with 500");
        assert_eq!(ada.read(&expense).await["payout_saga_id"], failed["id"]);
        let before = receiver.count.load(Ordering::SeqCst);
        story.decide(&saga, verb).await.expect(200);
        story.app.run_until_idle().await;
        assert_eq!(ada.read(&saga).await["state"], state, "{verb}");
        assert_eq!(ada.read(&expense).await["status"], status, "{verb}");
        let calls = receiver.count.load(Ordering::SeqCst) - before;
        assert_eq!(calls, u32::from(verb == "retry"), "{verb}");
    }
    // The receiver is well again, and the same saga goes on.
    receiver.status.store(204, Ordering::SeqCst);
    let failed = ada.all(&sagas, "?state=failed").await;
    assert_eq!(failed.len(), 1);
    story.decide(&at(&sagas, &failed[0]), "retry").await.expect(200);
    story.app.run_until_idle().await;
    assert_eq!(ada.all(&sagas, "?state=completed").await.len(), 2);
    assert_eq!(story.balance("Payouts in flight").await, Some(0));
    story.app.stop().await;
}

#[each_database]
async fn an_address_that_may_not_be_called_refuses_the_payout_at_once(database: Database) {
    let story = Story::begin(&database, "http://10.1.2.3/", &[]).await;
    let (ada, expense) = (&story.ada, story.expense().await);
    let saga = story.pay(&expense).await;
    story.app.run_until_idle().await;
    assert_eq!(ada.read(&saga).await["state"], "compensated");
    let back = ada.read(&expense).await;
    assert_eq!((&back["status"], &back["payout_saga_id"]), (&json!("approved"), &Value::Null));
    assert!(back["payout_error"].as_str().unwrap().contains("address"), "{back}");
    // And it can be paid by hand.
    let version = json!({ "version": back["version"] });
    ada.post(&format!("{expense}/reimburse"), version).await.expect(200);
    story.app.stop().await;
}

#[each_database]
async fn where_payouts_go_is_shown_to_few(database: Database) {
    let story = Story::begin(&database, "https://pay.example.org/token", &[]).await;
    let Story { app, ada, home } = &story;
    assert_eq!(ada.read(home).await["payout_url"], "https://pay.example.org/token");
    let viewer = ada.invite(home, "manager").await;
    assert_eq!(viewer.read(home).await["payout_url"], Value::Null);
    for client in [ada, &viewer] {
        let listed = client.all("/v1/organizations", "").await;
        assert!(listed.iter().all(|one| one["payout_url"].is_null()), "{listed:?}");
    }
    for bad in ["ftp://example.org", "https://user:word@example.org", "nowhere"] {
        let change = json!({ "version": 2, "payout_url": bad });
        assert_eq!(ada.patch(home, change).await.expect_violations(), ["/payout_url"]);
    }
    let none = json!({ "version": 2, "payout_url": null });
    ada.patch(home, none).await.expect(200);
    let expense = story.expense().await;
    let refused = ada.post(&format!("{expense}/pay"), json!({ "version": 1 })).await;
    refused.expect_problem(409, "payout_not_configured");
    let removed = ada.delete(&format!("{expense}?version=1")).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    app.run_until_idle().await;
}
