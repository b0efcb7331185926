//! The sessions: who waits for whom, and who takes long.

use sea_orm::DbErr;

use super::{
    super::{
        Examination, Fingerprint, Severity,
        report::{Finding, Notes, span},
    },
    Row, ask, one,
};
use crate::{error::Result, store::Store};

const RIGHTS: &str = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')";

/// Says what of other roles' sessions cannot be seen.
pub(super) async fn say_what_is_hidden(store: &Store, notes: &mut Notes) {
    match sees_all(store).await {
        Ok(true) => {}
        Ok(false) => notes.hide(
            "sessions",
            "statements and times of other roles' sessions, and their statements in \
             pg_stat_statements: GRANT pg_read_all_stats TO the role of DATABASE_URL",
        ),
        Err(error) => notes.hide("sessions", format!("the database refuses it: {error}")),
    }
}

async fn sees_all(store: &Store) -> Result<bool> {
    Ok(one(store, RIGHTS).await?.get(0)?)
}

/// From how many seconds on a wait for a lock is told, and is critical.
const LOCK_WAIT: (f64, f64) = (1.0, 5.0);

const LOCK_WAITS: &str = "\
    SELECT CAST(waiting.pid AS bigint), CAST(blocker.pid AS bigint), \
      CAST(coalesce(extract(epoch FROM clock_timestamp() - l.waitstart), 0) AS float8), \
      coalesce(CAST(CAST(l.relation AS regclass) AS text), l.locktype), \
      coalesce(waiting.query, ''), coalesce(blocking.query, ''), coalesce(blocking.state, 'unknown') \
    FROM pg_locks l \
      JOIN pg_stat_activity waiting ON waiting.pid = l.pid \
      CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS blocker(pid) \
      LEFT JOIN pg_stat_activity blocking ON blocking.pid = blocker.pid \
    WHERE NOT l.granted AND waiting.datname = current_database() \
    ORDER BY 3 DESC LIMIT 50";

pub(super) async fn lock_waits(store: &Store) -> Result<Vec<Finding>> {
    let rows = ask(store, LOCK_WAITS).await?;
    if rows.is_empty() {
        return Ok(vec![none("lock_waits", "no session waits for a lock")]);
    }
    Ok(rows.iter().map(lock_wait).collect::<Result<_, _>>()?)
}

fn lock_wait(row: &Row) -> Result<Finding, DbErr> {
    let (waiting, blocking, seconds) = (row.int(0)?, row.int(1)?, row.float(2)?);
    let (lock, state) = (row.text(3)?, row.text(6)?);
    let (waits, blocks) = (shown(&row.text(4)?), shown(&row.text(5)?));
    let summary = format!(
        "session {waiting} has waited for {} for a lock ({lock}) of session {blocking}, which is {state}; \
         it waits in: {waits}; the other's last statement: {blocks}",
        span(seconds)
    );
    let finding =
        Finding::new("lock_waits", Severity::of(seconds, LOCK_WAIT.0, LOCK_WAIT.1), summary)
            .about(format!("session {waiting}"))
            .measured("waited", seconds, "seconds")
            .advise(format!(
                "if it does not end by itself: SELECT pg_terminate_backend({blocking})"
            ));
    Ok(finding)
}

/// The text of a statement, known by its fingerprint, without values.
fn shown(query: &str) -> String {
    let Fingerprint { id, text, .. } = Fingerprint::of(query);
    format!("{text} [{id}]")
}

fn none(check: &'static str, summary: &str) -> Finding {
    Finding::new(check, Severity::Ok, summary.to_owned())
}

/// Those of others, by when they began.
fn oldest(column: &str, more: &str) -> String {
    format!(
        "SELECT CAST(pid AS bigint), coalesce(CAST(usename AS text), ''), coalesce(state, 'unknown'), \
           CAST(extract(epoch FROM clock_timestamp() - {column}) AS float8), coalesce(query, '') \
         FROM pg_stat_activity \
         WHERE datname = current_database() AND backend_type = 'client backend' \
           AND pid <> pg_backend_pid() AND {column} IS NOT NULL {more} \
         ORDER BY {column} LIMIT 5"
    )
}

pub(super) async fn transactions(store: &Store, examination: Examination) -> Result<Vec<Finding>> {
    let long = examination.long_transaction.as_secs_f64();
    let rows = ask(store, oldest("xact_start", "")).await?;
    if rows.is_empty() {
        return Ok(vec![none("transactions", "no transaction is open")]);
    }
    let finding = |row: &Row| {
        let seconds = row.float(3)?;
        let severity = Severity::of(seconds, long, long * 10.0);
        let what = format!("has had a transaction open for {}", span(seconds));
        let advice = "as long as it is open, no row that was deleted since can be removed; if it is \
                      forgotten: SELECT pg_terminate_backend";
        session("transactions", row, severity, &what, advice)
    };
    Ok(rows.iter().map(finding).collect::<Result<_, _>>()?)
}

pub(super) async fn statements(store: &Store, examination: Examination) -> Result<Vec<Finding>> {
    let long = examination.long_transaction.as_secs_f64();
    let rows = ask(store, oldest("query_start", "AND state = 'active'")).await?;
    if rows.is_empty() {
        return Ok(vec![none("running_statements", "no statement is running")]);
    }
    let finding = |row: &Row| {
        let seconds = row.float(3)?;
        let severity = Severity::of(seconds, long / 6.0, long);
        let what = format!("has run a statement for {}", span(seconds));
        let advice = "look at its plan; to stop it: SELECT pg_cancel_backend";
        session("running_statements", row, severity, &what, advice)
    };
    Ok(rows.iter().map(finding).collect::<Result<_, _>>()?)
}

fn session(
    check: &'static str,
    row: &Row,
    severity: Severity,
    what: &str,
    advice: &str,
) -> Result<Finding, DbErr> {
    let (pid, role, state, seconds) = (row.int(0)?, row.text(1)?, row.text(2)?, row.float(3)?);
    let statement = shown(&row.text(4)?);
    let summary = format!("session {pid} of {role}, which is {state}, {what}: {statement}");
    Ok(Finding::new(check, severity, summary)
        .about(format!("session {pid}"))
        .measured("open", seconds, "seconds")
        .advise(format!("{advice}({pid})")))
}
