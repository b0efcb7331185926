//! Readings a second by InfluxDB's line protocol, in batches of 5,000 lines, against hand-written code that writes the
//! same rows and nothing else: a prepared INSERT of many rows on SQLite, COPY on PostgreSQL.

// A benchmark that cannot be set up has failed: there is nothing better to do than to panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::{fmt::Write, str::FromStr, time::Instant};

use sea_orm::sqlx::{
    self, Connection, PgConnection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use service::{
    Actor, Store,
    meter::{
        ingest::{self, Written},
        line_protocol::Precision,
    },
    store::Options,
};
use support::{Database, median};

const LINES: usize = 5_000;
const SERIES: usize = 10;
const BATCHES: usize = 20;
/// 2026-01-01, in seconds.
const START: usize = 1_767_225_600;
const TABLE: &str = "CREATE TABLE hand_written (organization_id TEXT NOT NULL, meter_id TEXT NOT NULL, \
                     at BIGINT NOT NULL, value BIGINT NOT NULL, PRIMARY KEY (organization_id, meter_id, at))";
/// How many rows one INSERT has.
const ROWS: usize = 500;

fn main() {
    support::run(async {
        println!("| database | line protocol | hand-written | ratio |");
        println!("|---|---:|---:|---:|");
        for (name, database) in Database::all().await {
            let store = database.store(Options::default()).await;
            let actor = support::household(&store).await;
            let steward = steward(&store, &actor).await;
            let by_hand = match name {
                "SQLite" => sqlite().await,
                _ => postgres(&database.url).await,
            };
            let ratio = steward / by_hand;
            println!("| {name} | {steward:.0} | {by_hand:.0} | {ratio:.2} |");
            database.end(store).await;
        }
    });
}

/// The series, the second and the value of each line of a batch: later ones than those before.
fn readings(batch: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let seconds = LINES / SERIES;
    (0..LINES).map(move |line| {
        let second = START + batch * seconds + line / SERIES;
        (line % SERIES, second, (line * 7919) % 100_000)
    })
}

fn rate(times: Vec<f64>) -> f64 {
    LINES as f64 / median(times)
}

async fn steward(store: &Store, actor: &Actor) -> f64 {
    let mut times = Vec::new();
    for batch in 0..=BATCHES {
        let mut lines = String::new();
        for (series, second, value) in readings(batch) {
            let (whole, part) = (value / 1000, value % 1000);
            writeln!(lines, "power,device=d{series} value={whole}.{part:03} {second}").unwrap();
        }
        let start = Instant::now();
        let written =
            ingest::write(store, actor, "bench", (Precision::Second, &lines)).await.unwrap();
        // The first one makes the meters.
        if batch > 0 {
            times.push(start.elapsed().as_secs_f64());
        }
        assert_eq!(written, Written { lines: LINES, refused: Vec::new() });
    }
    rate(times)
}

async fn sqlite() -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("hand.db").display());
    let options = SqliteConnectOptions::from_str(&url)
        .unwrap()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(TABLE).execute(&mut connection).await.unwrap();
    let insert =
        format!("INSERT INTO hand_written VALUES {}", vec!["(?, ?, ?, ?)"; ROWS].join(", "));
    let (organization, meters) = keys();
    let mut times = Vec::new();
    for batch in 0..BATCHES {
        let start = Instant::now();
        let mut transaction = connection.begin().await.unwrap();
        let rows: Vec<_> = readings(batch).collect();
        for rows in rows.chunks(ROWS) {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(insert.clone()));
            for (series, second, value) in rows {
                query = query
                    .bind(&organization)
                    .bind(&meters[*series])
                    .bind(*second as i64 * 1_000_000)
                    .bind(*value as i64);
            }
            query.execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
        times.push(start.elapsed().as_secs_f64());
    }
    connection.close().await.unwrap();
    rate(times)
}

async fn postgres(url: &str) -> f64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query(TABLE).execute(&mut connection).await.unwrap();
    let (organization, meters) = keys();
    let mut times = Vec::new();
    for batch in 0..BATCHES {
        let start = Instant::now();
        let mut text = String::new();
        for (series, second, value) in readings(batch) {
            let meter = &meters[series];
            writeln!(text, "{organization}\t{meter}\t{}\t{value}", second * 1_000_000).unwrap();
        }
        let mut copy = connection.copy_in_raw("COPY hand_written FROM STDIN").await.unwrap();
        copy.send(text.as_bytes()).await.unwrap();
        copy.finish().await.unwrap();
        times.push(start.elapsed().as_secs_f64());
    }
    connection.close().await.unwrap();
    rate(times)
}

/// An organization, and its meters.
fn keys() -> (String, Vec<String>) {
    let id = || support::random_id().to_string();
    (id(), (0..SERIES).map(|_| id()).collect())
}
