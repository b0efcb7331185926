//! The sessions of a store: what they are set to, and whether that has reached the server.
//!
//! Settings travel as the startup parameter `options`, which a pooler in transaction mode (PgBouncer)
//! drops or refuses. So all of it is read back at the start, and steward does not serve where
//! something does not hold: a missing timeout shows itself only on the day when it is needed.

use std::time::Duration;

use sea_orm::{
    DbBackend, DbErr, SqlxPostgresConnector, Statement, TryGetableMany,
    sqlx::{
        self,
        postgres::{PgConnectOptions, PgPoolOptions},
    },
};

use super::driver_error;
use crate::store::{
    ConnectError, Options,
    connections::Connections,
    telemetry::Telemetry,
    transaction::{Begin, Transaction},
};

/// A setting of steward's own: where it is missing, the others that came with it are, too.
const MARK: (&str, &str) = ("steward.session", "direct");

const TIMEOUTS: [&str; 3] =
    ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];

pub(super) const NO_DIRECT_URL: &str = "\
the connection goes through a pooler that drops the session's settings: set DATABASE_DIRECT_URL to the \
same database without the pooler, for LISTEN and for the lock of the schema";

pub(super) const NOT_DIRECT: &str = "\
DATABASE_DIRECT_URL leads through a pooler that drops the session's settings: it must lead to the \
database itself";

const NO_PREPARED_STATEMENTS: &str = "\
the pooler does not keep prepared statements: PgBouncer does from 1.21 on, with max_prepared_statements \
above 0. Its SHOW VERSION says which it is; that of Debian 12 is 1.18";

/// What a server is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum ServerRole {
    /// The one that is written. A standby that answers in its place is refused: it may show what is over.
    Primary,
    /// One that is read.
    Replica,
}

/// A pool of sessions with steward's settings.
pub(in crate::store) async fn connect(
    name: &'static str,
    url: &str,
    options: &Options,
    role: ServerRole,
    size: u32,
    telemetry: &Telemetry,
) -> Result<Connections, DbErr> {
    let plain: PgConnectOptions = url.parse().map_err(driver_error)?;
    let plain = plain.application_name("steward").statement_cache_capacity(512);
    let millis = |duration: Duration| duration.as_millis().to_string();
    let settings = plain.clone().options([
        ("default_transaction_isolation", "repeatable read"),
        ("statement_timeout", &millis(options.statement_timeout)),
        ("lock_timeout", &millis(options.statement_timeout / 3)),
        ("idle_in_transaction_session_timeout", &millis(options.statement_timeout)),
        MARK,
    ]);
    let settings = match role {
        ServerRole::Primary => settings,
        ServerRole::Replica => settings.options([("default_transaction_read_only", "on")]),
    };
    let pool = PgPoolOptions::new().max_connections(size).acquire_timeout(options.acquire_timeout);
    let connected = match pool.clone().connect_with(settings).await {
        Err(sqlx::Error::Database(error)) if error.message().contains("startup parameter") => {
            pool.connect_with(plain).await
        }
        other => other,
    };
    let connected = connected.map_err(driver_error)?;
    let pool = SqlxPostgresConnector::from_sqlx_postgres_pool(connected);
    let connections = Connections::of(name, pool, size, options.acquire_timeout, telemetry);
    Ok(match role {
        ServerRole::Primary => connections.refusing_standbys(),
        ServerRole::Replica => connections,
    })
}

/// Reads back what a session must have, and says whether there is a pooler between.
///
/// # Errors
/// [`ConnectError::Session`], with what the operator can do, where something does not hold.
pub(in crate::store) async fn check(connections: &Connections) -> Result<bool, ConnectError> {
    let transaction = Transaction::begin(connections, Begin::RepeatableRead).await?;
    let settings = settings(&transaction).await?;
    let is_pooled = mark(&transaction).await?.as_deref() != Some(MARK.1);
    transaction.rollback().await;
    drop(transaction);
    let of =
        |name: &str| settings.iter().find(|(found, _)| found == name).map(|(_, value)| &**value);
    if of("transaction_isolation") != Some("repeatable read") {
        let found = of("transaction_isolation").unwrap_or_default();
        return Err(ConnectError::Session(format!(
            "a transaction that is begun at REPEATABLE READ runs at {found}"
        )));
    }
    if let Some(missing) = TIMEOUTS.into_iter().find(|name| of(name).is_none_or(|ms| ms == "0")) {
        return Err(ConnectError::Session(format!(
            "{missing} is 0: a pooler drops the session's settings, so the role must have them: \
             ALTER ROLE … SET {missing} = '30s', and the same for {}",
            TIMEOUTS.into_iter().filter(|name| *name != missing).collect::<Vec<_>>().join(" and ")
        )));
    }
    let timeout = of("statement_timeout").and_then(|millis| millis.parse().ok());
    if let Some(millis) = timeout {
        connections.set_statement_timeout(Duration::from_millis(millis));
    }
    if is_pooled {
        check_prepared_statements(connections).await?;
    }
    Ok(is_pooled)
}

async fn settings(transaction: &Transaction) -> Result<Vec<(String, String)>, DbErr> {
    let names = ["transaction_isolation"].into_iter().chain(TIMEOUTS);
    let listed = names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT name, setting FROM pg_settings WHERE name IN ({listed})");
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let rows = transaction.query_all(&statement).await?;
    rows.iter().map(|row| Ok(TryGetableMany::try_get_many_by_index(row)?)).collect()
}

async fn mark(transaction: &Transaction) -> Result<Option<String>, DbErr> {
    let sql = format!("SELECT current_setting('{}', true)", MARK.0);
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = transaction.query_one(&statement).await?;
    Ok(row.map(|row| row.try_get_by::<Option<String>, _>(0)).transpose()?.flatten())
}

/// Two sessions that prepare statements in turn on what may be one connection of the pooler's.
async fn check_prepared_statements(connections: &Connections) -> Result<(), ConnectError> {
    let mut one = connections.acquire().await?;
    let mut other = connections.acquire().await?;
    for number in 0..4_i64 {
        for session in [&mut one, &mut other] {
            let sql = "SELECT $1::int8";
            let asked = Statement::from_sql_and_values(DbBackend::Postgres, sql, [number.into()]);
            if session.query_one(&asked).await.is_err() {
                session.close_on_drop();
                return Err(ConnectError::Session(NO_PREPARED_STATEMENTS.into()));
            }
        }
    }
    Ok(())
}
