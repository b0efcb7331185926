//! PostgreSQL: a pool, and each write in a transaction of its own.
//!
//! Transactions run at REPEATABLE READ: a closure sees one state of the database, as it does on
//! SQLite, and where another transaction was faster, the whole closure runs again on the new state.
//! Those that move running sums follow others instead ([`super::Store::following`]).

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel,
    SqlxPostgresConnector, TransactionTrait,
    sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};

use super::{
    Context, Options, Tx,
    signal::{Signal, Signals},
    telemetry::Telemetry,
};
use crate::{
    error::{Error, Result},
    random::Random,
};

/// How often a closure runs at most.
const TRIES: u32 = 5;
/// Serializes the migrations of several nodes: any number that nobody else locks.
const MIGRATION_LOCK: i64 = 0x0073_7465_7761_7264;
/// How long an idle connection is trusted without asking it.
const TRUSTED_IDLE: Duration = Duration::from_secs(10);

pub(super) async fn connect(
    url: &str,
    options: &Options,
    telemetry: &Telemetry,
) -> Result<DatabaseConnection, DbErr> {
    let millis = |duration: Duration| duration.as_millis().to_string();
    let settings: PgConnectOptions = url.parse().map_err(driver_error)?;
    let settings = settings.application_name("steward").statement_cache_capacity(512).options([
        ("default_transaction_isolation", "repeatable read"),
        ("statement_timeout", &millis(options.statement_timeout)),
        ("lock_timeout", &millis(options.statement_timeout / 3)),
        ("idle_in_transaction_session_timeout", &millis(options.statement_timeout)),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, met| {
            Box::pin(async move {
                if met.idle_for < TRUSTED_IDLE {
                    return Ok(true);
                }
                Ok(sea_orm::sqlx::Connection::ping(connection).await.is_ok())
            })
        })
        .connect_with(settings)
        .await
        .map_err(driver_error)?;
    let mut connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    telemetry.watch(&mut connection);
    Ok(connection)
}

fn driver_error(error: sea_orm::sqlx::Error) -> DbErr {
    DbErr::Conn(sea_orm::RuntimeErr::SqlxError(Arc::new(error)))
}

/// Runs the closure in a task of its own: a request that goes away must not cancel a BEGIN, which
/// leaves sqlx 0.9.0's pool with a connection in a transaction that nobody knows of.
pub(super) async fn write<I, T, F>(
    begin: (DatabaseConnection, Option<IsolationLevel>),
    context: Context,
    input: I,
    work: F,
) -> Result<T>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    F: for<'a> Fn(&'a Tx, &'a I) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
{
    let task = tokio::spawn(async move {
        let mut reason = String::new();
        for attempt in 0..TRIES {
            match attempt_once(&begin, &context, &input, &work).await {
                Err(Error::Again(why)) => {
                    metrics::counter!("steward_transaction_retries_total").increment(1);
                    reason = why;
                    let most = 5 << attempt;
                    // Not of the transaction's randomness: who waits must not change ids.
                    let pause = Duration::from_millis(Random::system().below(most) + 1);
                    tokio::time::sleep(pause).await;
                }
                ended => return ended,
            }
        }
        Err(Error::Unavailable(format!("gave up after {TRIES} tries: {reason}")))
    });
    task.await.map_err(|error| Error::Internal(format!("a write ended early: {error}")))?
}

async fn attempt_once<I, T, F>(
    (pool, isolation): &(DatabaseConnection, Option<IsolationLevel>),
    context: &Context,
    input: &I,
    work: &F,
) -> Result<T>
where
    F: for<'a> Fn(&'a Tx, &'a I) -> BoxFuture<'a, Result<T>>,
{
    let begun = match isolation {
        None => pool.begin().await?,
        level => pool.begin_with_config(*level, None).await?,
    };
    let tx = Tx::new(begun, context.clone());
    match work(&tx, input).await {
        Ok(value) if tx.is_undone() => {
            tx.rollback().await?;
            Ok(value)
        }
        Ok(value) => match tx.write_events().await {
            Ok(()) => {
                tx.commit().await?;
                Ok(value)
            }
            Err(error) => {
                let _ = tx.rollback().await;
                Err(error)
            }
        },
        Err(error) => {
            // The error is what the caller must hear of; the connection notices a failed rollback.
            let _ = tx.rollback().await;
            Err(error)
        }
    }
}

/// A transaction in which the schema can be changed, while other nodes that want to do so wait. It has
/// no time limits: an index over a large table takes its time.
pub(super) async fn hold_schema(pool: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let holder = pool.begin().await?;
    // Who has waited for the lock must see what was done meanwhile.
    holder.execute_unprepared("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
    for setting in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        holder.execute_unprepared(&format!("SET LOCAL {setting} = 0")).await?;
    }
    holder.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
    Ok(holder)
}

/// Where nodes tell each other.
const CHANNEL: &str = "steward";
/// How long signals are gathered before they are told: a NOTIFY makes every COMMIT that carries one
/// wait for the others.
const GATHER: Duration = Duration::from_millis(10);
/// How long to wait before trying to listen again.
const DEAF: Duration = Duration::from_secs(1);

/// Tells and hears signals (LISTEN and NOTIFY), on a connection of its own.
pub(super) async fn relay(pool: &DatabaseConnection, signals: &Signals) {
    let node = Random::system().secret().hash();
    loop {
        if let Err(error) = relay_until_lost(pool, signals, &node[..16]).await {
            tracing::warn!(%error, "other nodes cannot be heard just now");
        }
        tokio::time::sleep(DEAF).await;
    }
}

async fn relay_until_lost(
    pool: &DatabaseConnection,
    signals: &Signals,
    node: &str,
) -> Result<(), DbErr> {
    let options = (*pool.get_postgres_connection_pool().connect_options()).clone();
    let own = PgPoolOptions::new().max_connections(1).connect_with(options).await;
    let own = own.map_err(driver_error)?;
    let mut listener = PgListener::connect_with(&own).await.map_err(driver_error)?;
    listener.listen(CHANNEL).await.map_err(driver_error)?;
    loop {
        // Nobody knows what was said while nobody listened.
        Signal::ALL.into_iter().for_each(|signal| signals.hear(signal));
        loop {
            tokio::select! {
                told = signals.outgoing() => {
                    for signal in told {
                        tell(pool, signal, node).await?;
                    }
                    tokio::time::sleep(GATHER).await;
                }
                heard = listener.try_recv() => match heard.map_err(driver_error)? {
                    None => break,
                    Some(notification) => hear(notification.payload(), signals, node),
                },
            }
        }
    }
}

/// Tells what there is to tell, once: for a process that ends before it would be told by [`relay`].
pub(super) async fn notify(pool: &DatabaseConnection, signals: &Signals) -> Result<(), DbErr> {
    let node = Random::system().secret().hash();
    for signal in signals.take_outgoing() {
        tell(pool, signal, &node[..16]).await?;
    }
    Ok(())
}

async fn tell(pool: &DatabaseConnection, signal: Signal, node: &str) -> Result<(), DbErr> {
    let notify = format!("NOTIFY {CHANNEL}, '{} {node}'", signal.as_str());
    pool.execute_unprepared(&notify).await?;
    Ok(())
}

fn hear(payload: &str, signals: &Signals, node: &str) {
    let Some((word, from)) = payload.split_once(' ') else { return };
    if from == node {
        return;
    }
    if let Some(signal) = Signal::ALL.into_iter().find(|signal| signal.as_str() == word) {
        signals.hear(signal);
    }
}
