//! SIGTERM under load: who was let in gets a whole answer.
#![cfg(unix)]

use std::{
    io,
    os::unix::net::UnixDatagram,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{Client, Database, each_lasting_database};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::Process;

const CLIENTS: usize = 32;
const STOPS: usize = 4;
/// After how many stops, at most, so many answers as there are clients were the last of theirs.
const MOST_STOPS: usize = 40;

/// What clients met until nobody was there any more.
#[derive(Default)]
struct Met {
    answered: usize,
    closing: usize,
    unavailable: usize,
    created: Vec<Value>,
    broken: Vec<String>,
}

/// A client that keeps its connection for as long as the server lets it.
struct KeepAlive {
    address: String,
    stream: Option<TcpStream>,
}

struct Reply {
    status: u16,
    closes: bool,
    body: Value,
}

impl KeepAlive {
    /// Nothing once nobody takes connections any more.
    async fn send(&mut self, request: &str) -> Option<io::Result<Reply>> {
        if self.stream.is_none() {
            self.stream = Some(TcpStream::connect(&self.address).await.ok()?);
        }
        let stream = self.stream.as_mut()?;
        let reply = timeout(Duration::from_secs(20), exchange(stream, request)).await;
        let reply = reply.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        if reply.as_ref().map_or(true, |reply| reply.closes) {
            self.stream = None;
        }
        Some(reply)
    }
}

async fn exchange(stream: &mut TcpStream, request: &str) -> io::Result<Reply> {
    stream.write_all(request.as_bytes()).await?;
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|it| it.split('\r').next());
            let length: usize = length.and_then(|it| it.parse().ok()).unwrap_or_default();
            if body.len() >= length {
                return Ok(Reply {
                    status: head[9..12].parse().map_err(|_| io::ErrorKind::InvalidData)?,
                    closes: head.contains("connection: close"),
                    body: serde_json::from_str(body).unwrap_or_default(),
                });
            }
        }
        if stream.read_buf(&mut read).await? == 0 {
            let so_far = format!("closed after {} bytes", read.len());
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, so_far));
        }
    }
}

/// Asks and writes until nobody takes connections any more.
async fn load(address: String, read: String, write: String) -> Met {
    let mut client = KeepAlive { address, stream: None };
    let mut met = Met::default();
    for request in [&read, &write].into_iter().cycle() {
        match client.send(request).await {
            None => break,
            Some(Ok(Reply { status, closes, body })) => {
                met.answered += 1;
                met.closing += usize::from(closes);
                match status {
                    200 => {}
                    201 => met.created.push(body["id"].clone()),
                    503 => met.unavailable += 1,
                    other => met.broken.push(format!("{other}: {body}")),
                }
            }
            Some(Err(error)) => met.broken.push(error.to_string()),
        }
    }
    met
}

fn written(token: &str, method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: steward\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn ended(process: &mut Process) {
    let started = Instant::now();
    while process.ended().is_none() {
        assert!(started.elapsed() < Duration::from_secs(20), "it does not stop");
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(process.ended().and_then(|status| status.code()), Some(0));
}

async fn stop_under_load(database: &Database) -> (Vec<Met>, Vec<Value>) {
    let (mut all, mut before) = (Vec::new(), Vec::new());
    let mut process = Process::start(database);
    let ada = Client::new(&process.base);
    let token = {
        ada.sign_up_as("Ada", "ada@example.org").await;
        let session = ada.log_in("ada@example.org", tests::PASSWORD).await.expect(201);
        session["token"].as_str().expect("a token").to_owned()
    };
    let ada = ada.with_token(&token);
    let home = ada.found("household").await;
    let expense = json!({ "spent_on": "2026-11-01", "amount_minor": 10 }).to_string();
    let read = written(&token, "GET", "/v1/users/me", "");
    let write = written(&token, "POST", &format!("{home}/expenses"), &expense);
    let closing = |all: &[Met]| all.iter().map(|met| met.closing).sum::<usize>();
    while all.len() < STOPS * CLIENTS || closing(&all) < CLIENTS {
        assert!(all.len() < MOST_STOPS * CLIENTS, "nobody was there at any stop");
        let address = process.base.trim_start_matches("http://").to_owned();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| tokio::spawn(load(address.clone(), read.clone(), write.clone())))
            .collect();
        sleep(Duration::from_millis(500)).await;
        process.terminate();
        for client in clients {
            all.push(client.await.expect("a client ends"));
        }
        ended(&mut process).await;
        process = Process::start(database);
    }
    let ada = ada.at(&process.base);
    for expense in ada.all(&format!("{home}/expenses"), "?limit=500").await {
        before.push(expense["id"].clone());
    }
    (all, before)
}

#[each_lasting_database(flavor = "multi_thread")]
async fn nobody_meets_a_broken_connection_at_a_stop(database: Database) {
    let (all, stored) = stop_under_load(&database).await;
    let sum = |part: fn(&Met) -> usize| all.iter().map(part).sum::<usize>();
    let broken: Vec<_> = all.iter().flat_map(|met| &met.broken).collect();
    println!(
        "{} stops: {} answers, {} of them the last of their connection, {} told 503, {} broken",
        all.len() / CLIENTS,
        sum(|met| met.answered),
        sum(|met| met.closing),
        sum(|met| met.unavailable),
        broken.len()
    );
    assert_eq!(broken, Vec::<&String>::new());
    let stored: std::collections::HashSet<_> = stored.iter().collect();
    for id in all.iter().flat_map(|met| &met.created) {
        assert!(stored.contains(id), "{id} was acknowledged");
    }
}

/// Load balancers see it at once, and who comes all the same is still answered.
#[each_lasting_database(flavor = "multi_thread")]
async fn a_stop_is_seen_before_it_comes(database: Database) {
    let mut process = Process::start(&database);
    let client = Client::new(&process.base);
    client.read("/ready").await;
    process.terminate();
    let mut answer = client.get("/ready").await;
    while answer.status == 200 {
        answer = client.get("/ready").await;
    }
    assert_eq!((answer.status.as_u16(), &answer.json["status"]), (503, &json!("stopping")));
    let alive = client.get("/health").await;
    assert_eq!(
        (alive.status.as_u16(), &alive.headers["connection"]),
        (200, &"close".parse().expect("a value"))
    );
    // Asked again, it waits for nothing.
    process.terminate();
    ended(&mut process).await;
}

/// systemd starts and stops what depends on steward at the right time.
#[each_lasting_database(flavor = "multi_thread")]
async fn systemd_is_told_that_it_serves_and_that_it_stops(database: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a bound");
    let told = || {
        let mut message = [0; 256];
        let length = socket.recv(&mut message).expect("steward says something");
        String::from_utf8_lossy(&message[..length]).trim_end().to_owned()
    };
    let variables = [("NOTIFY_SOCKET", path.to_str().expect("text"))];
    let process = Process::start_with(&database, &[], &variables);
    assert_eq!(told(), "READY=1");
    assert_eq!(Client::new(&process.base).get("/ready").await.status, 200);
    process.terminate();
    assert_eq!(told(), "STOPPING=1");
}
