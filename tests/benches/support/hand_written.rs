//! What a careful person writes with sqlx alone: the same statements on the same data, read by
//! position into the same type.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sqlx::{self, PgPool, Row, SqlitePool, postgres::PgPoolOptions, types::Json};
use service::{
    Store,
    money::expense::{Expense, Kind, Status},
    random::Random,
    store::{Engine, Options},
};
use uuid::Uuid;

use crate::support::sqlite_pool;

const PAGE: i64 = 50;

const COLUMNS: &str = "id, version, kind, status, member_id, category_id, spent_on, amount_minor, \
    currency, merchant, payment_method, note, place, details, item_count, submitted_at, \
    decided_at, decided_by_member_id, decision_note, reimbursed_at, created_at, updated_at, tags, \
    payout_saga_id, payout_error, project_id, created_by_member_id, changed_by_member_id, \
    submitted_by_member_id, latitude_e7, longitude_e7";

/// The statements. sqlx takes `$1` on both databases.
pub(crate) struct Statements {
    get: &'static str,
    list: &'static str,
    update: &'static str,
    insert: &'static str,
    event: &'static str,
}

pub(crate) fn statements() -> &'static Statements {
    static STATEMENTS: std::sync::OnceLock<Statements> = std::sync::OnceLock::new();
    STATEMENTS.get_or_init(|| Statements {
        get: leak(format!("SELECT {COLUMNS} FROM expense WHERE organization_id = $1 AND id = $2")),
        list: leak(format!(
            "SELECT {COLUMNS} FROM expense WHERE organization_id = $1 \
             ORDER BY spent_on DESC, id DESC LIMIT $2"
        )),
        update: leak(format!(
            "UPDATE expense SET note = $1, search_key = $2, version = $3, updated_at = $4 \
             WHERE organization_id = $5 AND id = $6 AND version = $7 RETURNING {COLUMNS}"
        )),
        insert: leak(format!(
            "INSERT INTO expense (organization_id, id, version, created_at, updated_at, \
             member_id, category_id, kind, status, spent_on, amount_minor, currency, merchant, \
             merchant_key, note, search_key, item_count, decided_at) VALUES ($1, $2, 1, $3, $3, \
             $4, $5, 'purchase', 'approved', $6, $7, $8, $9, $10, $11, $12, 0, $3) \
             RETURNING {COLUMNS}"
        )),
        event: "INSERT INTO event (organization_id, id, at, ordinal, kind, entity, entity_id, \
            entity_version, effect, author, author_id, data, data_digest) VALUES ($1, $2, $3, 0, \
            $4, 'expense', $5, $6, 'written', 'operator', $7, $8, $9)",
    })
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A new expense.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) organization_id: Uuid,
    pub(crate) id: Uuid,
    pub(crate) now: DateTime<Utc>,
    pub(crate) member_id: Uuid,
    pub(crate) category_id: Uuid,
    pub(crate) spent_on: NaiveDate,
    pub(crate) amount_minor: i64,
    pub(crate) currency: &'static str,
    pub(crate) merchant: String,
    pub(crate) note: String,
}

fn kind(word: &str) -> Kind {
    if word == "refund" { Kind::Refund } else { Kind::Purchase }
}

fn status(word: &str) -> Status {
    word.parse().unwrap()
}

// Once for each database: sqlx's own generic bounds would be longer than the code.
macro_rules! hand_written {
    ($name:ident, $Database:ty, $Row:ty, $begin:literal) => {
        pub(crate) mod $name {
            use super::*;

            type Pool = sqlx::Pool<$Database>;

            fn read(row: &$Row) -> sqlx::Result<Expense> {
                Ok(Expense {
                    id: row.try_get(0)?,
                    version: row.try_get(1)?,
                    kind: kind(row.try_get(2)?),
                    status: status(row.try_get(3)?),
                    member_id: row.try_get(4)?,
                    category_id: row.try_get(5)?,
                    spent_on: row.try_get(6)?,
                    amount_minor: row.try_get(7)?,
                    currency: row.try_get(8)?,
                    merchant: row.try_get(9)?,
                    payment_method: row.try_get(10)?,
                    note: row.try_get(11)?,
                    place: row.try_get(12)?,
                    latitude: row.try_get::<Option<i64>, _>(29)?.map(|e7| e7 as f64 / 1e7),
                    longitude: row.try_get::<Option<i64>, _>(30)?.map(|e7| e7 as f64 / 1e7),
                    details: row.try_get::<Option<Json<_>>, _>(13)?.map(|json| json.0),
                    items: {
                        assert_eq!(row.try_get::<i64, _>(14)?, 0, "these have no lines");
                        Vec::new()
                    },
                    tags: row
                        .try_get::<Option<Json<_>>, _>(22)?
                        .map(|json| json.0)
                        .unwrap_or_default(),
                    submitted_at: row.try_get(15)?,
                    decided_at: row.try_get(16)?,
                    decided_by_member_id: row.try_get(17)?,
                    decision_note: row.try_get(18)?,
                    reimbursed_at: row.try_get(19)?,
                    payout_saga_id: row.try_get(23)?,
                    payout_error: row.try_get(24)?,
                    project_id: row.try_get(25)?,
                    created_by_member_id: row.try_get(26)?,
                    changed_by_member_id: row.try_get(27)?,
                    submitted_by_member_id: row.try_get(28)?,
                    created_at: row.try_get(20)?,
                    updated_at: row.try_get(21)?,
                })
            }

            async fn select<'c>(
                executor: impl sqlx::Executor<'c, Database = $Database>,
                organization_id: Uuid,
                id: Uuid,
            ) -> sqlx::Result<Option<Expense>> {
                sqlx::query(statements().get)
                    .bind(organization_id)
                    .bind(id)
                    .fetch_optional(executor)
                    .await?
                    .map(|row| read(&row))
                    .transpose()
            }

            pub(crate) async fn get(
                pool: &Pool,
                organization_id: Uuid,
                id: Uuid,
            ) -> sqlx::Result<Option<Expense>> {
                select(pool, organization_id, id).await
            }

            pub(crate) async fn list(
                pool: &Pool,
                organization_id: Uuid,
                limit: i64,
            ) -> sqlx::Result<Vec<Expense>> {
                let rows = sqlx::query(statements().list)
                    .bind(organization_id)
                    .bind(limit + 1)
                    .fetch_all(pool)
                    .await?;
                rows.iter().take(limit as usize).map(read).collect()
            }

            fn update_statement<'q>(
                organization_id: Uuid,
                id: Uuid,
                version: i64,
                note: &str,
                merchant: &str,
                now: DateTime<Utc>,
            ) -> sqlx::query::Query<'q, $Database, <$Database as sqlx::Database>::Arguments> {
                let search_key = format!("{}\n{}", merchant.to_lowercase(), note.to_lowercase());
                sqlx::query(statements().update)
                    .bind(note.to_owned())
                    .bind(search_key)
                    .bind(version + 1)
                    .bind(now)
                    .bind(organization_id)
                    .bind(id)
                    .bind(version)
            }

            /// The event of a change, but for what a digest of its data costs.
            async fn insert_event<'c>(
                executor: impl sqlx::Executor<'c, Database = $Database>,
                organization_id: Uuid,
                kind: &'static str,
                expense: &Expense,
            ) -> sqlx::Result<()> {
                sqlx::query(statements().event)
                    .bind(organization_id)
                    .bind(Random::system().id(expense.updated_at))
                    .bind(expense.updated_at)
                    .bind(kind)
                    .bind(expense.id)
                    .bind(expense.version)
                    .bind(None::<Uuid>)
                    .bind(Json(expense))
                    .bind("0".repeat(64))
                    .execute(executor)
                    .await?;
                Ok(())
            }

            /// Reads the row, compares its version, writes the next and its event: all in a
            /// transaction, as one that answers a conflict with the row as it is must.
            pub(crate) async fn update(
                pool: &Pool,
                organization_id: Uuid,
                id: Uuid,
                version: i64,
                note: &str,
                now: DateTime<Utc>,
            ) -> sqlx::Result<Option<Expense>> {
                let mut tx = pool.begin_with($begin).await?;
                let Some(current) = select(&mut *tx, organization_id, id).await? else {
                    return Ok(None);
                };
                if current.version != version {
                    return Ok(None);
                }
                let merchant = current.merchant.as_deref().unwrap_or_default();
                let row = update_statement(organization_id, id, version, note, merchant, now)
                    .fetch_one(&mut *tx)
                    .await?;
                let changed = read(&row)?;
                insert_event(&mut *tx, organization_id, "expense.updated", &changed).await?;
                tx.commit().await?;
                Ok(Some(changed))
            }

            /// The least that could be done: one statement, that knows the merchant already.
            pub(crate) async fn update_alone(
                pool: &Pool,
                organization_id: Uuid,
                id: Uuid,
                version: i64,
                note: &str,
                now: DateTime<Utc>,
            ) -> sqlx::Result<Option<Expense>> {
                update_statement(organization_id, id, version, note, "merchant", now)
                    .fetch_optional(pool)
                    .await?
                    .map(|row| read(&row))
                    .transpose()
            }

            async fn insert<'c>(
                executor: impl sqlx::Executor<'c, Database = $Database>,
                new: New,
            ) -> sqlx::Result<Expense> {
                let merchant_key = new.merchant.to_lowercase();
                let search_key = format!("{merchant_key}\n{}", new.note.to_lowercase());
                let row = sqlx::query(statements().insert)
                    .bind(new.organization_id)
                    .bind(new.id)
                    .bind(new.now)
                    .bind(new.member_id)
                    .bind(new.category_id)
                    .bind(new.spent_on)
                    .bind(new.amount_minor)
                    .bind(new.currency)
                    .bind(new.merchant)
                    .bind(merchant_key)
                    .bind(new.note)
                    .bind(search_key)
                    .fetch_one(executor)
                    .await?;
                read(&row)
            }

            /// In a transaction, with its event.
            pub(crate) async fn create(pool: &Pool, new: New) -> sqlx::Result<Expense> {
                let mut tx = pool.begin_with($begin).await?;
                let organization_id = new.organization_id;
                let expense = insert(&mut *tx, new).await?;
                insert_event(&mut *tx, organization_id, "expense.created", &expense).await?;
                tx.commit().await?;
                Ok(expense)
            }

            /// The least that could be done: one statement.
            pub(crate) async fn create_alone(pool: &Pool, new: New) -> sqlx::Result<Expense> {
                insert(pool, new).await
            }
        }
    };
}

hand_written!(sqlite, sqlx::Sqlite, sqlx::sqlite::SqliteRow, "BEGIN IMMEDIATE");
hand_written!(postgres, sqlx::Postgres, sqlx::postgres::PgRow, "BEGIN");

/// Where hand-written statements run.
#[derive(Clone)]
pub(crate) enum Hand {
    Sqlite { read: SqlitePool, write: SqlitePool },
    Postgres(PgPool),
}

impl Hand {
    /// On pools of its own to the store's database, as sqlx makes them, of as many connections.
    pub(crate) async fn beside(store: &Store, url: &str) -> Self {
        let connections = Options::default().max_connections;
        match store.engine() {
            Engine::Postgres => {
                let pool = PgPoolOptions::new().max_connections(connections);
                Self::Postgres(pool.test_before_acquire(false).connect(url).await.unwrap())
            }
            Engine::Sqlite => Self::Sqlite {
                read: sqlite_pool(url, connections).await,
                write: sqlite_pool(url, 1).await,
            },
        }
    }

    pub(crate) async fn get(&self, organization_id: Uuid, id: Uuid) -> Expense {
        match self {
            Self::Sqlite { read, .. } => sqlite::get(read, organization_id, id).await,
            Self::Postgres(pool) => postgres::get(pool, organization_id, id).await,
        }
        .unwrap()
        .unwrap()
    }

    pub(crate) async fn list(&self, organization_id: Uuid) -> Vec<Expense> {
        match self {
            Self::Sqlite { read, .. } => sqlite::list(read, organization_id, PAGE).await,
            Self::Postgres(pool) => postgres::list(pool, organization_id, PAGE).await,
        }
        .unwrap()
    }

    pub(crate) async fn update(
        &self,
        alone: bool,
        organization_id: Uuid,
        id: Uuid,
        version: i64,
        note: &str,
        now: DateTime<Utc>,
    ) -> Expense {
        match self {
            Self::Sqlite { write: pool, .. } if alone => {
                sqlite::update_alone(pool, organization_id, id, version, note, now).await
            }
            Self::Sqlite { write: pool, .. } => {
                sqlite::update(pool, organization_id, id, version, note, now).await
            }
            Self::Postgres(pool) if alone => {
                postgres::update_alone(pool, organization_id, id, version, note, now).await
            }
            Self::Postgres(pool) => {
                postgres::update(pool, organization_id, id, version, note, now).await
            }
        }
        .unwrap()
        .unwrap()
    }

    pub(crate) async fn create(&self, alone: bool, new: New) -> Expense {
        match self {
            Self::Sqlite { write, .. } if alone => sqlite::create_alone(write, new).await,
            Self::Sqlite { write, .. } => sqlite::create(write, new).await,
            Self::Postgres(pool) if alone => postgres::create_alone(pool, new).await,
            Self::Postgres(pool) => postgres::create(pool, new).await,
        }
        .unwrap()
    }
}
