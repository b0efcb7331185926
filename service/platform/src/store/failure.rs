//! What a failure of the database means, told the same way for both. No other file reads the databases' codes.

use sea_orm::{DbErr, RuntimeErr, sqlx};

use crate::error::Error;

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(RuntimeErr::Internal(_)) => {
                Self::Unavailable(error.to_string())
            }
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => of_driver(cause, &error),
            DbErr::RecordNotFound(_) => Self::NotFound("row"),
            _ => Self::Internal(error.to_string()),
        }
    }
}

fn of_driver(cause: &sqlx::Error, error: &DbErr) -> Error {
    match cause {
        sqlx::Error::Database(cause) => {
            let code = cause.code().unwrap_or_default();
            if cause.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                of_sqlite(&code, cause.message())
            } else {
                of_postgres(&code, cause.constraint(), cause.message())
            }
        }
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::BeginFailed => Error::Unavailable(error.to_string()),
        _ => Error::Internal(error.to_string()),
    }
}

/// SQLite's code of a disk without room.
const SQLITE_FULL: &str = "13";

/// Whether SQLite had no room.
pub(super) fn is_full(error: &DbErr) -> bool {
    let DbErr::Exec(RuntimeErr::SqlxError(cause)) = error else { return false };
    cause.as_database_error().and_then(|cause| cause.code()).is_some_and(|code| code == SQLITE_FULL)
}

/// SQLite's extended result codes: <https://www.sqlite.org/rescode.html>.
fn of_sqlite(code: &str, message: &str) -> Error {
    let code: u32 = code.parse().unwrap_or(0);
    match code {
        // CONSTRAINT_UNIQUE, CONSTRAINT_PRIMARYKEY; the message lists the columns.
        2067 | 1555 => {
            let column = message.rsplit('.').next().unwrap_or_default();
            Error::Duplicate { pointer: pointer(column).into() }
        }
        // CONSTRAINT_FOREIGNKEY; CONSTRAINT_TRIGGER is how a RESTRICT shows itself.
        787 | 1811 => Error::Reference,
        // PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT (also what EIO of a read is told as:
        // SQLITE_IOERR_CORRUPTFS), FULL, CANTOPEN, NOTADB
        _ if matches!(code & 0xff, 3 | 5 | 6 | 7 | 8 | 10 | 11 | 13 | 14 | 26) => {
            Error::Unavailable(format!("SQLite {code}: {message}"))
        }
        _ => Error::Internal(format!("SQLite {code}: {message}")),
    }
}

/// The classes of PostgreSQL's codes that tell of the connection or of the server, and not of a statement:
/// connection_exception, operator_intervention (shut down, statement timeout).
const OF_CONNECTION: [&str; 2] = ["08", "57"];
/// read_only_sql_transaction: the server is a standby.
const READ_ONLY: &str = "25006";

/// The class of a code of PostgreSQL's.
fn class(code: &str) -> &str {
    code.get(..2).unwrap_or_default()
}

/// Whether PostgreSQL's session is over, or its server is not what it was: shut down, crashed, or no longer written.
pub(super) fn is_loss_of_server(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            class(&code) == "08" || code.starts_with("57P") || code == READ_ONLY
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        _ => false,
    }
}

/// Whether an error of PostgreSQL's COMMIT is what the server said of the transaction, and not that the connection
/// or the server went away.
pub(super) fn is_answer(error: &DbErr) -> bool {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(cause)) => match &**cause {
            sqlx::Error::Database(cause) => {
                !OF_CONNECTION.contains(&class(&cause.code().unwrap_or_default()))
            }
            _ => false,
        },
        // What steward itself found, before anything was sent.
        _ => matches!(error, DbErr::Custom(_)),
    }
}

/// PostgreSQL's codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn of_postgres(code: &str, constraint: Option<&str>, message: &str) -> Error {
    match code {
        "23505" => {
            let name = constraint.unwrap_or_default();
            let column = if name.ends_with("_pkey") || name.starts_with("pk-") {
                "id"
            } else {
                name.rsplit('-').next().unwrap_or_default()
            };
            Error::Duplicate { pointer: pointer(column).into() }
        }
        "23503" | "23001" => Error::Reference,
        // serialization_failure, deadlock_detected
        "40001" | "40P01" => Error::Retry(format!("PostgreSQL {code}: {message}")),
        // Besides: insufficient_resources, system_error, lock_not_available, idle timeout.
        _ if OF_CONNECTION.contains(&class(code))
            || ["53", "58"].contains(&class(code))
            || [READ_ONLY, "55P03", "25P03"].contains(&code) =>
        {
            Error::Unavailable(format!("PostgreSQL {code}: {message}"))
        }
        _ => Error::Internal(format!("PostgreSQL {code}: {message}")),
    }
}

/// The property that a client knows for the last column of a unique index. A primary key ends with
/// `id`, or is made of what steward sets itself.
pub const DUPLICATE_POINTERS: &[(&str, &str)] = &[
    ("id", "/id"),
    ("email_key", "/email"),
    ("sibling_key", "/name"),
    ("job_number_key", "/job_number"),
    ("name", "/name"),
    ("starts_on", "/starts_on"),
    ("day", "/day"),
    ("week_starts_on", "/week_starts_on"),
    ("user_id", "/user_id"),
    ("running_member_id", "/started_at"),
    ("source", "/source"),
];

/// Empty where no request causes a duplicate.
fn pointer(column: &str) -> &'static str {
    let known = DUPLICATE_POINTERS.iter().find(|(known, _)| *known == column);
    known.map_or("", |(_, pointer)| *pointer)
}
