//! What the benchmarks share: databases of their own, rows to work on, and the stopwatch.

// Every benchmark is a crate of its own and uses a part of this.
#![allow(dead_code)]

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{Days, NaiveDate};
use entity::{category, user};
use mimalloc::MiMalloc;
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait,
    sqlx::{
        self, Connection, SqlitePool,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};
use serde_json::{Value, json};
use service::{
    Actor, Store,
    catalogue::CATALOGUE,
    clock::Clock,
    idempotency::WriteOnce,
    identity::{
        access,
        member::Member,
        organization::{self, OrganizationInput},
        user::User,
    },
    input::Create,
    money::{
        category::Category,
        expense::{self, ExpenseBatch},
    },
    random::Random,
    resource::Readable,
    store::{Options, log::EventContext, versioned},
};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The server's, for both sides.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// A database of its own: a SQLite file, or a fresh database on a PostgreSQL server.
pub(crate) struct Database {
    pub(crate) url: String,
    /// The folder of the file, which goes when this goes.
    folder: Option<tempfile::TempDir>,
    /// The server's own database, from which this one is made and dropped.
    server: Option<(String, String)>,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("steward.db").display());
        Self { url, folder: Some(folder), server: None }
    }

    /// None unless `TEST_POSTGRES_URL` names a server.
    pub(crate) async fn postgres() -> Option<Self> {
        let server = std::env::var("TEST_POSTGRES_URL").ok()?;
        let name = format!("bench_{}", random_id().simple());
        let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
        let (address, parameters) = match server.split_once('?') {
            Some((address, parameters)) => (address, format!("?{parameters}")),
            None => (server.as_str(), String::new()),
        };
        let (host, _) = address.rsplit_once('/').expect("a URL that names a database");
        let url = format!("{host}/{name}{parameters}");
        Some(Self { url, folder: None, server: Some((server, name)) })
    }

    /// Each engine that there is, with its name.
    pub(crate) async fn all() -> Vec<(&'static str, Self)> {
        let mut all = vec![("SQLite", Self::sqlite())];
        match Self::postgres().await {
            Some(postgres) => all.push(("PostgreSQL", postgres)),
            None => eprintln!("TEST_POSTGRES_URL is not set: SQLite only"),
        }
        all
    }

    pub(crate) async fn store(&self, options: Options) -> Store {
        let store = Store::connect(&self.url, options, &CATALOGUE).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    /// Takes the database away again.
    pub(crate) async fn end(self, store: Store) {
        store.close().await.unwrap();
        if let Some((server, name)) = &self.server {
            let mut connection = sqlx::PgConnection::connect(server).await.unwrap();
            let drop = sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
            sqlx::raw_sql(drop).execute(&mut connection).await.unwrap();
        }
    }
}

pub(crate) fn random_id() -> Uuid {
    Random::system().id(Clock::system().now())
}

/// A household with one member, who acts.
pub(crate) async fn household(store: &Store) -> Actor {
    let user_id = store
        .write(async move |tx| {
            let (id, now) = (tx.new_id(), tx.now().fixed_offset());
            let email = format!("{}@example.org", id.simple());
            let row = user::ActiveModel {
                id: Set(id),
                email_key: Set(email.clone()),
                email: Set(email),
                display_name: Set("Alex".into()),
                password_hash: Set("none".into()),
                created_at: Set(now),
                updated_at: Set(now),
                ..Default::default()
            };
            versioned::insert(tx, EventContext::user(id, None), row, User::try_from).await
        })
        .await
        .unwrap()
        .id;
    let input = OrganizationInput {
        kind: organization::Kind::Household,
        name: "Home".into(),
        currency: "EUR".into(),
        time_zone: "Europe/Zurich".into(),
        approval_required: None,
        large_expense_minor: None,
        payout_url: None,
        overlap_allowed: false,
    };
    let organization_id = organization::create(
        WriteOnce::new(store),
        (user_id, EventContext::user(user_id, None)),
        Create::from(input),
    )
    .await
    .unwrap()
    .id;
    let operator = access::operator(store, organization_id, None).await.unwrap();
    let page = Member::list(store, &operator, &Default::default()).await.unwrap();
    Actor { member_id: Some(page.items[0].id), ..operator }
}

/// Makes categories and gives their ids.
pub(crate) async fn categories(store: &Store, actor: &Actor, count: usize) -> Vec<Uuid> {
    let actor = actor.clone();
    let rows = store
        .write(async move |tx| {
            let now = tx.now().fixed_offset();
            let rows = (0..count).map(|index| category::ActiveModel {
                organization_id: Set(actor.organization_id),
                id: Set(tx.new_id()),
                name: Set(format!("Category {index}")),
                name_key: Set(format!("category {index}")),
                sibling_key: Set(format!(":category {index}")),
                kind: Set("expense".into()),
                parent_id: Set(None),
                created_at: Set(now),
                updated_at: Set(now),
                ..Default::default()
            });
            versioned::insert_many(tx, &actor, rows.collect(), None, Category::try_from).await
        })
        .await
        .unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

/// Writes expenses of three years of days, and gives their ids.
pub(crate) async fn expenses(
    store: &Store,
    actor: &Actor,
    categories: &[Uuid],
    count: usize,
) -> Vec<Uuid> {
    const CHUNK: usize = 500;
    let mut ids = Vec::with_capacity(count);
    for start in (0..count).step_by(CHUNK) {
        let range = start..count.min(start + CHUNK);
        let items = range.map(|index| expense_of(categories, index)).collect();
        let write = WriteOnce::new(store);
        let made = expense::create_many(write, actor, ExpenseBatch { items }).await.unwrap();
        ids.extend(made.items.into_iter().map(|expense| expense.id));
    }
    ids
}

/// Connections with the settings of the store's.
pub(crate) async fn sqlite_pool(url: &str, connections: u32) -> SqlitePool {
    let defaults = Options::default();
    let cache_kib = defaults.cache_mib * 1024 / (defaults.max_connections + 1);
    let options: SqliteConnectOptions = url.parse().unwrap();
    let options = options
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .pragma("cache_size", format!("-{cache_kib}"))
        .statement_cache_capacity(512)
        .row_buffer_size(512)
        .pragma("temp_store", "memory");
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .unwrap()
}

/// The statistics that the planner needs after so many new rows.
pub(crate) async fn analyze(store: &Store) {
    if store.engine() == service::store::Engine::Postgres {
        store.read().execute_unprepared("VACUUM ANALYZE").await.unwrap();
    }
}

pub(crate) const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2023, 1, 1).unwrap();

fn expense_of(categories: &[Uuid], index: usize) -> Value {
    // Scattered, so that neighbours in the file are no neighbours in any list.
    let scattered = index.wrapping_mul(7919);
    json!({
        "category_id": categories[scattered % categories.len()],
        "spent_on": FIRST_DAY + Days::new((scattered % 1096) as u64),
        "amount_minor": 100 + scattered % 20_000,
        "merchant": format!("Merchant {}", scattered % 211),
        "payment_method": "card",
        "note": format!("What number {index} was good for"),
    })
}

/// Rows that each client goes round in, with the version that each has by now.
pub(crate) struct Rows {
    of_client: Vec<Vec<(Uuid, AtomicI64)>>,
}

impl Rows {
    pub(crate) fn of(ids: &[Uuid], clients: usize) -> Arc<Self> {
        let each = ids.len() / clients;
        let fresh = |id: &Uuid| (*id, AtomicI64::new(1));
        let of_client =
            ids.chunks(each).take(clients).map(|ids| ids.iter().map(fresh).collect()).collect();
        Arc::new(Self { of_client })
    }

    /// The row of a client's turn. Nobody else works on it meanwhile.
    pub(crate) fn at(&self, turn: Turn) -> &(Uuid, AtomicI64) {
        let rows = &self.of_client[turn.client];
        &rows[turn.number % rows.len()]
    }
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) client: usize,
    /// Goes on from round to round.
    pub(crate) number: usize,
}

/// Something that is done over and over, by many at once.
pub(crate) struct Contestant {
    operation: Box<dyn Fn(usize, Instant) -> JoinHandle<usize> + Send + Sync>,
}

impl Contestant {
    pub(crate) fn new<F, O>(operation: F) -> Self
    where
        F: Fn(Turn) -> O + Clone + Send + Sync + 'static,
        O: Future<Output = ()> + Send,
    {
        let turns = Arc::new((0..1024).map(|_| AtomicUsize::new(0)).collect::<Vec<_>>());
        Self {
            operation: Box::new(move |client, end| {
                let (operation, turns) = (operation.clone(), turns.clone());
                tokio::spawn(async move {
                    let mut done = 0;
                    while Instant::now() < end {
                        let number = turns[client].fetch_add(1, Ordering::Relaxed);
                        operation(Turn { client, number }).await;
                        done += 1;
                    }
                    done
                })
            }),
        }
    }

    /// How often a second so many clients do it.
    pub(crate) async fn rate(&self, clients: usize, time: Duration) -> f64 {
        let start = Instant::now();
        let tasks: Vec<_> =
            (0..clients).map(|client| (self.operation)(client, start + time)).collect();
        let mut done = 0;
        for task in tasks {
            done += task.await.unwrap();
        }
        done as f64 / start.elapsed().as_secs_f64()
    }
}

/// The rates of contestants that take turns of `time`: what the machine does besides meets them
/// alike. Each one's median over the rounds, and the median of the first's ratio to each.
pub(crate) async fn compete(
    contestants: &[&Contestant],
    clients: usize,
    rounds: usize,
    time: Duration,
) -> (Vec<f64>, Vec<f64>) {
    for contestant in contestants {
        contestant.rate(clients, time / 2).await;
    }
    let mut rates = vec![Vec::new(); contestants.len()];
    for round in 0..rounds {
        for offset in 0..contestants.len() {
            let index = (round + offset) % contestants.len();
            rates[index].push(contestants[index].rate(clients, time).await);
        }
    }
    let ratios = rates
        .iter()
        .map(|other| median(rates[0].iter().zip(other).map(|(a, b)| a / b).collect()))
        .collect();
    (rates.into_iter().map(median).collect(), ratios)
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A runtime as each of the server: of one thread, on which its writes stay.
pub(crate) fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

/// Whether a part was asked for: `cargo bench -p tests --bench http -- sqlite`.
pub(crate) fn wanted(words: &[&str]) -> bool {
    let asked: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    asked.iter().all(|word| words.iter().any(|w| w.to_lowercase() == word.to_lowercase()))
}
