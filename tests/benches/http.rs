//! steward over HTTP, with authentication, tenancy, validation, metrics and a log, against a bare
//! actix-web handler over hand-written sqlx. Both in this process, on the same database, turn about,
//! under the same clients over loopback.

// A benchmark that cannot be set up has failed: there is nothing better to do than to panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/hand_written.rs"]
mod hand_written;
mod support;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpResponse, HttpServer, get, patch, post,
    rt::{System, spawn},
    web,
};
use api::{
    app,
    config::{Serve, Settings},
    state::State,
};
use chrono::NaiveDate;
use clap::{Args, FromArgMatches};
use hand_written::{Hand, New};
use serde::Deserialize;
use serde_json::json;
use service::{
    Actor, Store,
    identity::{access, member::Member},
    resource::Readable,
    store::Options,
};
use support::{Contestant, Database, Rows, Turn, compete};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
    sync::Mutex,
};
use uuid::Uuid;

const ROUNDS: usize = 15;
const TIME: Duration = Duration::from_millis(200);
const EXPENSES: usize = 20_000;
const CLIENTS: [usize; 2] = [1, 16];

fn main() {
    // A log line for each request is written as in production, and goes nowhere.
    tracing_subscriber::fmt().with_env_filter("info").with_writer(std::io::sink).init();
    let load =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    // The server's runtime is the one that `steward serve` has.
    System::new().block_on(async {
        println!("Requests a second, and steward's rate over that of a bare handler\n");
        println!("| database | request | connections | steward | bare | ratio |");
        println!("|---|---|---:|---:|---:|---:|");
        for (name, database) in Database::all().await {
            let store = database.store(Options::default()).await;
            if support::wanted(&[name]) {
                measure(name, &store, &database.url, &load).await;
            }
            database.end(store).await;
        }
    });
    load.shutdown_background();
}

async fn measure(name: &'static str, store: &Store, url: &str, load: &Runtime) {
    let steward = steward(store);
    let bare = bare(store, Hand::beside(store, url).await);
    let (token, actor) = caller(store, steward, load).await;
    let categories = support::categories(store, &actor, 20).await;
    let ids = support::expenses(store, &actor, &categories, EXPENSES).await;
    support::analyze(store).await;

    let sides = [Side::new(steward, &token), Side::new(bare, &token)];
    // Rows of its own for each, so that every version is the one that it left.
    let halves: Vec<_> = ids.chunks(EXPENSES / 2).map(|half| Rows::of(half, 16)).collect();
    let (organization_id, member_id) = (actor.organization_id, actor.member_id.unwrap());
    for request in ["get", "list of 50", "versioned update", "create"] {
        let contestants: Vec<_> = sides
            .iter()
            .zip(&halves)
            .map(|(side, rows)| {
                let (rows, categories) = (rows.clone(), categories.clone());
                side.contestant(move |turn| {
                    let path = format!("/v1/organizations/{organization_id}/expenses");
                    let (id, version) = rows.at(turn);
                    match request {
                        "get" => Call::new("GET", format!("{path}/{id}"), None, 200),
                        "list of 50" => Call::new("GET", path, None, 200),
                        "versioned update" => {
                            let version = version.fetch_add(1, Ordering::Relaxed);
                            let note = format!("Changed at {}", turn.number);
                            let body = json!({ "version": version, "note": note });
                            Call::new("PATCH", format!("{path}/{id}"), Some(body), 200)
                        }
                        _ => {
                            let body = json!({
                                "member_id": member_id,
                                "category_id": categories[turn.number % categories.len()],
                                "spent_on": support::FIRST_DAY,
                                "amount_minor": 100 + turn.number,
                                "merchant": format!("Merchant {}", turn.number % 211),
                                "note": "New",
                            });
                            Call::new("POST", path, Some(body), 201)
                        }
                    }
                })
            })
            .collect();
        let measured = load.spawn(async move {
            let contestants: Vec<_> = contestants.iter().collect();
            let mut measured = Vec::new();
            for clients in CLIENTS {
                measured.push((clients, compete(&contestants, clients, ROUNDS, TIME).await));
            }
            measured
        });
        for (clients, (rates, ratios)) in measured.await.unwrap() {
            println!(
                "| {name} | {request} | {clients} | {:.0} | {:.0} | {:.2} |",
                rates[0], rates[1], ratios[1]
            );
        }
    }
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// steward as `steward serve` starts it.
fn steward(store: &Store) -> SocketAddr {
    let (listener, address) = listener();
    let command = Serve::augment_args(clap::Command::new("serve"));
    let serve = Serve::from_arg_matches(&command.get_matches_from(["serve"])).unwrap();
    let state = State::new(store.clone(), Settings::default()).unwrap();
    spawn(app::server(state, listener, &serve).unwrap().0);
    address
}

/// Registers, logs in and makes a household, and gives the token and who that is.
async fn caller(store: &Store, steward: SocketAddr, load: &Runtime) -> (String, Actor) {
    let register = json!({
        "email": "alex@example.org", "display_name": "Alex", "password": "a long way home",
    });
    let log_in = json!({ "email": "alex@example.org", "password": "a long way home" });
    let household =
        json!({ "kind": "household", "name": "Home", "currency": "EUR", "time_zone": "UTC" });
    let made = load.spawn(async move {
        let mut connection = Connection::to(steward).await;
        connection.send(Call::new("POST", "/v1/users".into(), Some(register), 201), "").await;
        let call = Call::new("POST", "/v1/sessions".into(), Some(log_in), 201);
        let session: serde_json::Value =
            serde_json::from_slice(connection.send(call, "").await).unwrap();
        let token = session["token"].as_str().unwrap().to_owned();
        let call = Call::new("POST", "/v1/organizations".into(), Some(household), 201);
        let organization: serde_json::Value =
            serde_json::from_slice(connection.send(call, &token).await).unwrap();
        (token, organization["id"].as_str().unwrap().parse::<Uuid>().unwrap())
    });
    let (token, organization_id) = made.await.unwrap();
    let operator = access::operator(store, organization_id, None).await.unwrap();
    let page = Member::list(store, &operator, &Default::default()).await.unwrap();
    (token, Actor { member_id: Some(page.items[0].id), ..operator })
}

/// What the bare handlers have.
#[derive(Clone)]
struct Bare {
    store: Store,
    hand: Hand,
}

#[derive(Deserialize)]
struct BareNew {
    member_id: Uuid,
    category_id: Uuid,
    spent_on: NaiveDate,
    amount_minor: i64,
    merchant: String,
    note: String,
}

#[derive(Deserialize)]
struct BareChange {
    version: i64,
    note: String,
}

#[get("/v1/organizations/{organization_id}/expenses/{id}")]
async fn bare_get(bare: web::Data<Bare>, path: web::Path<(Uuid, Uuid)>) -> HttpResponse {
    let (organization_id, id) = path.into_inner();
    HttpResponse::Ok().json(bare.hand.get(organization_id, id).await)
}

#[get("/v1/organizations/{organization_id}/expenses")]
async fn bare_list(bare: web::Data<Bare>, path: web::Path<Uuid>) -> HttpResponse {
    HttpResponse::Ok().json(bare.hand.list(path.into_inner()).await)
}

#[patch("/v1/organizations/{organization_id}/expenses/{id}")]
async fn bare_change(
    bare: web::Data<Bare>,
    path: web::Path<(Uuid, Uuid)>,
    change: web::Json<BareChange>,
) -> HttpResponse {
    let (organization_id, id) = path.into_inner();
    let BareChange { version, note } = change.into_inner();
    let now = bare.store.now();
    let changed = bare.hand.update(false, organization_id, id, version, &note, now).await;
    HttpResponse::Ok().json(changed)
}

#[post("/v1/organizations/{organization_id}/expenses")]
async fn bare_create(
    bare: web::Data<Bare>,
    path: web::Path<Uuid>,
    new: web::Json<BareNew>,
) -> HttpResponse {
    let BareNew { member_id, category_id, spent_on, amount_minor, merchant, note } =
        new.into_inner();
    let now = bare.store.now();
    let new = New {
        organization_id: path.into_inner(),
        id: bare.store.random().id(now),
        now,
        member_id,
        category_id,
        spent_on,
        amount_minor,
        currency: "EUR",
        merchant,
        note,
    };
    HttpResponse::Created().json(bare.hand.create(false, new).await)
}

fn bare(store: &Store, hand: Hand) -> SocketAddr {
    let (listener, address) = listener();
    let bare = web::Data::new(Bare { store: store.clone(), hand });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(bare.clone())
            .service(bare_get)
            .service(bare_list)
            .service(bare_change)
            .service(bare_create)
    });
    spawn(server.listen(listener).unwrap().run());
    address
}

/// A request, and the status that its answer must have.
struct Call {
    method: &'static str,
    path: String,
    body: String,
    expected: u16,
}

impl Call {
    fn new(
        method: &'static str,
        path: String,
        body: Option<serde_json::Value>,
        expected: u16,
    ) -> Self {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        Self { method, path, body, expected }
    }
}

/// A server, and the connections of the clients to it.
struct Side {
    address: SocketAddr,
    token: Arc<str>,
    connections: Arc<Vec<Mutex<Option<Connection>>>>,
}

impl Side {
    fn new(address: SocketAddr, token: &str) -> Self {
        let connections = (0..16).map(|_| Mutex::default()).collect();
        Self { address, token: token.into(), connections: Arc::new(connections) }
    }

    fn contestant(
        &self,
        call: impl Fn(Turn) -> Call + Clone + Send + Sync + 'static,
    ) -> Contestant {
        let (address, token) = (self.address, self.token.clone());
        let connections = self.connections.clone();
        Contestant::new(move |turn: Turn| {
            let (call, token, connections) = (call(turn), token.clone(), connections.clone());
            async move {
                let mut place = connections[turn.client].lock().await;
                // The servers close what has been idle for five seconds.
                let fresh = |connection: &Connection| connection.used.elapsed().as_secs() < 3;
                let mut connection = match place.take().filter(fresh) {
                    Some(connection) => connection,
                    None => Connection::to(address).await,
                };
                connection.send(call, &token).await;
                *place = Some(connection);
            }
        })
    }
}

/// A connection that is kept alive.
struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    used: Instant,
}

impl Connection {
    async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, received: Vec::new(), used: Instant::now() }
    }

    /// Sends a request and gives the body of the answer. Reads just enough HTTP for what the two
    /// servers send: a status and `content-length`.
    async fn send(&mut self, call: Call, token: &str) -> &[u8] {
        let Call { method, path, body, expected } = call;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.received.clear();
        self.used = Instant::now();
        let (head, length) = loop {
            assert_ne!(self.stream.read_buf(&mut self.received).await.unwrap(), 0, "closed");
            let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = str::from_utf8(&self.received[..end]).unwrap();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
            });
            let length: usize = length.expect("a content-length");
            break (end + 4, length);
        };
        while self.received.len() < head + length {
            assert_ne!(self.stream.read_buf(&mut self.received).await.unwrap(), 0, "closed");
        }
        let status = str::from_utf8(&self.received[9..12]).unwrap();
        let body = &self.received[head..head + length];
        assert_eq!(status, expected.to_string(), "{}", String::from_utf8_lossy(body));
        body
    }
}
