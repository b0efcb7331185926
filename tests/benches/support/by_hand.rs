//! Documents as a careful person keeps them with sqlx alone: one table, a column of JSON, an index over an expression
//! of it. Without events, history, revisions, schemas and exact numbers.

use sea_orm::sqlx::{self, AssertSqlSafe, PgPool, Row, SqlitePool, postgres::PgPoolOptions};
use serde_json::Value;
use service::{
    Store,
    store::{Engine, Options},
};

use crate::support::sqlite_pool;

/// A document: its key, version and body.
pub(crate) type Found = (String, i64, Value);

/// Where it is kept.
#[derive(Clone)]
pub(crate) enum Table {
    Sqlite { read: SqlitePool, write: SqlitePool },
    Postgres(PgPool),
}

const SQLITE: &[&str] = &[
    "CREATE TABLE by_hand (id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, \
     updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) WITHOUT ROWID",
    "CREATE INDEX by_hand_n ON by_hand (json_extract(body, '$.n'), id)",
];

const POSTGRES: &[&str] = &[
    "CREATE TABLE by_hand (id text COLLATE \"C\" PRIMARY KEY, version bigint NOT NULL, body jsonb NOT NULL, \
     updated_at timestamptz NOT NULL DEFAULT now())",
    "CREATE INDEX by_hand_n ON by_hand ((body->'n'), id)",
];

const GET: &str = "SELECT id, version, body FROM by_hand WHERE id = $1";
const PAGE: &str = "SELECT id, version, body FROM by_hand WHERE id > $1 ORDER BY id LIMIT 50";

/// A value, which the two drivers read from columns of their own types.
macro_rules! reads {
    ($name:ident, $Database:ty, $Row:ty, $Pool:ty, $Json:ty, $value:expr, $query:expr) => {
        mod $name {
            use super::*;

            fn read(row: &$Row) -> Found {
                let body: $Json = row.get(2);
                (row.get(0), row.get(1), $value(body))
            }

            pub(super) async fn create(pool: &$Pool, id: &str, body: &Value) {
                let insert = "INSERT INTO by_hand (id, version, body) VALUES ($1, 1, $2)";
                let insert = sqlx::query::<$Database>(insert).bind(id);
                insert.bind(sqlx::types::Json(body)).execute(pool).await.unwrap();
            }

            pub(super) async fn get(pool: &$Pool, id: &str) -> Found {
                let get = sqlx::query::<$Database>(GET).bind(id);
                read(&get.fetch_one(pool).await.unwrap())
            }

            pub(super) async fn page(pool: &$Pool, after: &str) -> Vec<Found> {
                let page = sqlx::query::<$Database>(PAGE).bind(after);
                page.fetch_all(pool).await.unwrap().iter().map(read).collect()
            }

            pub(super) async fn query(pool: &$Pool, n: i64) -> Vec<Found> {
                let found = sqlx::query::<$Database>($query).bind(n);
                found.fetch_all(pool).await.unwrap().iter().map(read).collect()
            }

            /// The next version, which must be the one after `version`.
            pub(super) async fn put(pool: &$Pool, id: &str, version: i64, body: &Value) {
                let put = "UPDATE by_hand SET body = $1, version = version + 1, \
                           updated_at = CURRENT_TIMESTAMP WHERE id = $2 AND version = $3";
                let put = sqlx::query::<$Database>(put).bind(sqlx::types::Json(body));
                let put = put.bind(id).bind(version).execute(pool).await.unwrap();
                assert_eq!(put.rows_affected(), 1, "{id} is not at {version}");
            }
        }
    };
}

reads!(
    sqlite,
    sqlx::Sqlite,
    sqlx::sqlite::SqliteRow,
    SqlitePool,
    String,
    |text: String| serde_json::from_str(&text).unwrap(),
    "SELECT id, version, body FROM by_hand WHERE json_extract(body, '$.n') = $1 ORDER BY id LIMIT 50"
);
reads!(
    postgres,
    sqlx::Postgres,
    sqlx::postgres::PgRow,
    PgPool,
    sqlx::types::Json<Value>,
    |json: sqlx::types::Json<Value>| json.0,
    "SELECT id, version, body FROM by_hand WHERE body->'n' = to_jsonb($1::bigint) ORDER BY id LIMIT 50"
);

impl Table {
    /// A table of its own beside those of a store, with documents.
    pub(crate) async fn beside(store: &Store, url: &str, documents: &[(String, Value)]) -> Self {
        let connections = Options::default().max_connections;
        let table = match store.engine() {
            Engine::Sqlite => Self::Sqlite {
                read: sqlite_pool(url, connections).await,
                write: sqlite_pool(url, 1).await,
            },
            Engine::Postgres => {
                let pool = PgPoolOptions::new().max_connections(connections);
                Self::Postgres(pool.test_before_acquire(false).connect(url).await.unwrap())
            }
        };
        match &table {
            Self::Sqlite { write, .. } => {
                for statement in SQLITE {
                    sqlx::raw_sql(AssertSqlSafe(*statement)).execute(write).await.unwrap();
                }
                for (id, body) in documents {
                    sqlite::create(write, id, body).await;
                }
            }
            Self::Postgres(pool) => {
                for statement in POSTGRES {
                    sqlx::raw_sql(AssertSqlSafe(*statement)).execute(pool).await.unwrap();
                }
                for (id, body) in documents {
                    postgres::create(pool, id, body).await;
                }
            }
        }
        table
    }

    pub(crate) async fn get(&self, id: &str) -> Found {
        match self {
            Self::Sqlite { read, .. } => sqlite::get(read, id).await,
            Self::Postgres(pool) => postgres::get(pool, id).await,
        }
    }

    pub(crate) async fn page(&self, after: &str) -> Vec<Found> {
        match self {
            Self::Sqlite { read, .. } => sqlite::page(read, after).await,
            Self::Postgres(pool) => postgres::page(pool, after).await,
        }
    }

    pub(crate) async fn query(&self, n: i64) -> Vec<Found> {
        match self {
            Self::Sqlite { read, .. } => sqlite::query(read, n).await,
            Self::Postgres(pool) => postgres::query(pool, n).await,
        }
    }

    pub(crate) async fn put(&self, id: &str, version: i64, body: &Value) {
        match self {
            Self::Sqlite { write, .. } => sqlite::put(write, id, version, body).await,
            Self::Postgres(pool) => postgres::put(pool, id, version, body).await,
        }
    }
}
