//! What a failure of the database means, told the same way for both: this function and no other
//! reads the databases' codes.

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
        // connection_exception, insufficient_resources, operator_intervention (shut down, statement
        // timeout), system_error, lock_not_available, read_only_sql_transaction, idle timeout
        _ if ["08", "53", "57", "58"].contains(&code.get(..2).unwrap_or_default())
            || ["55P03", "25006", "25P03"].contains(&code) =>
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
    ("starts_on", "/starts_on"),
    ("day", "/day"),
    ("week_starts_on", "/week_starts_on"),
    ("user_id", "/user_id"),
    ("running_member_id", "/started_at"),
];

/// Empty where no request causes a duplicate.
fn pointer(column: &str) -> &'static str {
    let known = DUPLICATE_POINTERS.iter().find(|(known, _)| *known == column);
    known.map_or("", |(_, pointer)| *pointer)
}
