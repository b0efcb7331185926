//! What pg_stat_statements has recorded, where it is.

use sea_orm::DbErr;

use super::{
    super::{
        Fingerprint, Statement,
        report::{MAX_STATEMENTS, Notes},
    },
    Row, ask,
};
use crate::{error::Result, store::Store};

const NAME: &str = "pg_stat_statements";

const SCHEMA: &str = "\
    SELECT CAST(n.nspname AS text) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace \
    WHERE e.extname = 'pg_stat_statements'";

pub(super) async fn examine(store: &Store, notes: &mut Notes) {
    match recorded(store).await {
        Ok(Some(statements)) => notes.statements.extend(statements),
        Ok(None) => notes.hide(
            NAME,
            "the extension is not installed: add pg_stat_statements to shared_preload_libraries, restart \
             PostgreSQL, and CREATE EXTENSION pg_stat_statements",
        ),
        Err(error) => notes.hide(NAME, format!("the database refuses it: {error}")),
    }
}

async fn recorded(store: &Store) -> Result<Option<Vec<Statement>>> {
    let rows = ask(store, SCHEMA).await?;
    let Some(schema) = rows.first() else { return Ok(None) };
    let schema = schema.text(0)?.replace('"', "\"\"");
    let rows = ask(
        store,
        format!(
            "SELECT coalesce(query, ''), calls, total_exec_time, max_exec_time FROM \"{schema}\".{NAME} \
             WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             ORDER BY total_exec_time DESC LIMIT {MAX_STATEMENTS}"
        ),
    );
    Ok(Some(rows.await?.iter().map(statement).collect::<Result<_, _>>()?))
}

/// Utility statements are recorded with their values (`ALTER ROLE … PASSWORD …`): they go through here, too.
fn statement(row: &Row) -> Result<Statement, DbErr> {
    let seconds = |column| Ok::<f64, DbErr>(row.float(column)? / 1000.0);
    let fingerprint = Fingerprint::of(&row.text(0)?);
    Ok(Statement::new(NAME, fingerprint, row.int(1)?, seconds(2)?, seconds(3)?))
}
