//! Payouts, while the process ends at every place between two of their steps.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{Client, Database, at, each_lasting_database, id};

use crate::support::{Process, steward};

/// Who pays out: once for each key, as such a receiver must.
#[derive(Clone)]
struct Receiver {
    url: String,
    /// By key: how often it came, and what was asked.
    payouts: Arc<Mutex<BTreeMap<String, (u32, Value)>>>,
    /// What is answered.
    status: Arc<AtomicU16>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/payouts", listener.local_addr().expect("an address"));
        let receiver = Self { url, payouts: Arc::default(), status: Arc::new(AtomicU16::new(200)) };
        let own = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A sender that is gone gets no answer, and has been heard all the same.
                let _ = own.hear(stream);
            }
        });
        receiver
    }

    fn hear(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut key, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? <= 2 {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or_default();
            match &*name.to_lowercase() {
                "idempotency-key" => key = value.trim().to_owned(),
                "content-length" => length = value.trim().parse().unwrap_or(0),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body: Value = serde_json::from_slice(&body)?;
        let mut payouts = self.payouts.lock().expect("nobody panics");
        let (times, known) = payouts.entry(key).or_insert((0, body.clone()));
        *times += 1;
        assert_eq!(*known, body, "the same key asks for the same");
        drop(payouts);
        let status = self.status.load(Ordering::SeqCst);
        let answer = r#"{"reason":"no such bank account"}"#;
        write!(
            stream,
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{answer}",
            answer.len()
        )
    }
}

/// Every place of the way there.
const FORWARDS: &[&str] = &[
    "reimbursement.reserve.begun",
    "reimbursement.reserve.inside",
    "reimbursement.reserve.noted",
    "reimbursement.payout.begun",
    "reimbursement.payout.inside",
    "reimbursement.payout.noted",
    "reimbursement.payout.called",
    "reimbursement.payout.answered",
    "reimbursement.settle.begun",
    "reimbursement.settle.inside",
    "reimbursement.settle.noted",
];

/// Every place of the way back, from a payout that was refused.
const BACKWARDS: &[&str] = &[
    "reimbursement.payout.called",
    "reimbursement.payout.answered",
    "reimbursement.reserve.undo.begun",
    "reimbursement.reserve.undo.inside",
    "reimbursement.reserve.undo.noted",
    "reimbursement.hold.undo.begun",
    "reimbursement.hold.undo.inside",
    "reimbursement.hold.undo.noted",
];

const FLAGS: &[&str] = &["--outbound-allow", "127.0.0.1", "--payout-timeout", "1"];

/// Waits for something, but not for ever.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} takes too long");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What stands in the books: by account, debits and credits.
async fn balances(ada: &Client, home: &str) -> BTreeMap<String, (i64, i64)> {
    let rows = ada.all(&format!("{home}/balances"), "").await;
    let number = |row: &Value, name: &str| row[name].as_i64().expect("a number");
    let of = |row: &Value| (number(row, "debits_minor"), number(row, "credits_minor"));
    rows.iter().map(|row| (row["name"].as_str().expect("a name").to_owned(), of(row))).collect()
}

fn sums(parts: &[(&str, (i64, i64))]) -> BTreeMap<String, (i64, i64)> {
    parts.iter().map(|(name, sums)| ((*name).to_owned(), *sums)).collect()
}

/// An organization that has payouts, with a process that ends at a place.
struct Story {
    database: Database,
    receiver: Receiver,
    ada: Client,
    home: String,
}

impl Story {
    async fn begin(database: &Database) -> Self {
        let receiver = Receiver::start();
        let process = Process::start(database);
        let ada = Client::new(&process.base).sign_up("Ada").await;
        let home = ada.found("household").await;
        let url = json!({ "version": 1, "payout_url": receiver.url });
        ada.patch(&home, url).await.expect(200);
        Self { database: database.clone(), receiver, ada, home }
    }

    /// Has an expense paid by a process that ends at `place`, and by another after that; gives the
    /// saga and the expense in the end.
    async fn pay_while_the_process_ends_at(&self, place: &str) -> (Value, Value) {
        let mut process =
            Process::start_with(&self.database, FLAGS, &[("STEWARD_CRASH_AT", place)]);
        let ada = self.ada.at(&process.base);
        let expenses = format!("{}/expenses", self.home);
        let new = json!({ "spent_on": "2026-11-01", "amount_minor": 1250 });
        let expense = at(&expenses, &ada.make(&expenses, new).await);
        // The answer may not come: the process may have ended before.
        ada.try_post(&format!("{expense}/pay"), json!({ "version": 1 })).await;
        until(place, async || process.ended()).await;

        let process = Process::start_with(&self.database, FLAGS, &[]);
        let ada = self.ada.at(&process.base);
        let sagas = ada.all(&format!("{}/sagas", self.home), "").await;
        let of_this = |saga: &&Value| expense.ends_with(saga["subject_id"].as_str().expect("one"));
        let saga = sagas.iter().find(of_this).unwrap_or_else(|| panic!("{place}: no saga"));
        let path = at(&format!("{}/sagas", self.home), saga);
        let ended = until(place, async || {
            let saga = ada.read(&path).await;
            let ended = ["completed", "compensated", "failed"].map(|state| saga["state"] == state);
            ended.contains(&true).then_some(saga)
        });
        let ended = ended.await;
        (ended, ada.read(&expense).await)
    }

    /// What the receiver was asked for this saga, which was asked under one key.
    fn payouts_of(&self, saga: &Value) -> u32 {
        let payouts = self.receiver.payouts.lock().expect("nobody panics");
        let about = payouts.iter().filter(|(_, (_, body))| body["saga_id"] == saga["id"]);
        let about: Vec<_> = about.collect();
        assert!(about.len() <= 1, "one key for each saga: {about:?}");
        about
            .iter()
            .map(|(key, (times, body))| {
                assert_eq!((key.as_str(), &body["amount_minor"]), (id(saga), &json!(1250)));
                *times
            })
            .sum()
    }

    async fn assert_sound(&self, accounts: &[(&str, (i64, i64))], entries: usize) {
        let process = Process::start(&self.database);
        let ada = self.ada.at(&process.base);
        assert_eq!(balances(&ada, &self.home).await, sums(accounts));
        let rows = ada.all(&format!("{}/journal-entries", self.home), "").await;
        assert_eq!(rows.len(), entries, "each entry is there once");
        // Once all events have their positions.
        until("verify", async || {
            let verified = steward(&self.database).arg("verify").output().expect("steward runs");
            let text = String::from_utf8_lossy(&verified.stdout).into_owned();
            (verified.status.success() && text.contains("ledger of")).then_some(())
        })
        .await;
    }
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_payout_is_made_once_wherever_the_process_ends(database: Database) {
    let story = Story::begin(&database).await;
    for place in FORWARDS {
        let (saga, expense) = story.pay_while_the_process_ends_at(place).await;
        assert_eq!(saga["state"], "completed", "{place}: {saga}");
        assert_eq!(expense["status"], "reimbursed", "{place}: {expense}");
        assert_eq!(expense["payout_saga_id"], Value::Null, "{place}");
        let times = story.payouts_of(&saga);
        assert!((1..=2).contains(&times), "{place}: asked {times} times");
    }
    let count = FORWARDS.len();
    let sum = 1250 * i64::try_from(count).expect("a small number");
    let accounts = [
        ("Payout account", (0, sum)),
        ("Payouts in flight", (sum, sum)),
        ("Reimbursements", (sum, 0)),
    ];
    story.assert_sound(&accounts, 2 * count).await;
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_refused_payout_is_undone_wherever_the_process_ends(database: Database) {
    let story = Story::begin(&database).await;
    story.receiver.status.store(409, Ordering::SeqCst);
    for place in BACKWARDS {
        let (saga, expense) = story.pay_while_the_process_ends_at(place).await;
        assert_eq!(saga["state"], "compensated", "{place}: {saga}");
        assert_eq!(expense["status"], "approved", "{place}: {expense}");
        let why = "the payout was answered with 409: no such bank account";
        assert_eq!(expense["payout_error"], why, "{place}");
        assert_eq!(expense["payout_saga_id"], Value::Null, "{place}");
        let times = story.payouts_of(&saga);
        assert!((1..=2).contains(&times), "{place}: asked {times} times");
    }
    let count = BACKWARDS.len();
    let sum = 1250 * i64::try_from(count).expect("a small number");
    let accounts = [("Payouts in flight", (sum, sum)), ("Reimbursements", (sum, sum))];
    story.assert_sound(&accounts, 2 * count).await;
}
