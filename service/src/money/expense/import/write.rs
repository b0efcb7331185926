//! Writes the rows of a file.

use std::collections::HashMap;

use entity::expense::Entity;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Import, ImportQuery, ImportReport, Staged, check_member,
    compare::{Compared, refusal},
    known::Known,
};
use crate::{
    actor::Actor,
    csv::{OnError, Report},
    error::{Error, Result},
    idempotency::WriteOnce,
    import::{INLINE_ROWS, Imported, Staging, Tally, Written, history},
    money::{
        category::Category,
        expense::{commands, repository},
    },
    resource::Resource,
    store::{Tx, versioned},
};

/// Writes a few rows at once, or stages the last of them and begins the import.
pub(super) async fn write_or_begin(
    answering: WriteOnce<'_, Imported<ImportReport>>,
    actor: &Actor,
    import: Import,
    Compared { report, rest, total }: Compared,
    staging: &mut Staging,
) -> Result<Imported<ImportReport>> {
    let inline = rest.len() <= INLINE_ROWS && !import.query.background;
    if staging.is_empty() && (inline || rest.is_empty()) {
        return write(answering, actor, import, rest, report).await;
    }
    if !rest.is_empty() {
        staging.push(&rest).await?;
    }
    let ImportReport {
        created: _,
        duplicates,
        deleted_before,
        ignored,
        ignored_income,
        failed,
        reasons,
        errors,
    } = report;
    staging.note("ignored_income", json!(ignored_income));
    staging.note("reasons", json!(reasons));
    let count = |rows| i64::try_from(rows).unwrap_or(i64::MAX);
    let mut tally = Tally {
        total: count(total),
        duplicates: count(duplicates),
        deleted_before: count(deleted_before),
        ignored: count(ignored),
        ..Tally::default()
    };
    tally.fail(failed, errors.iter().map(|error| json!(error)).collect());
    staging.begin(answering, tally).await
}

/// Writes a few rows at once.
async fn write(
    answering: WriteOnce<'_, Imported<ImportReport>>,
    actor: &Actor,
    import: Import,
    rows: Vec<Staged>,
    report: ImportReport,
) -> Result<Imported<ImportReport>> {
    let query = import.query.clone();
    let connection = answering.read();
    let written = {
        let actor = actor.clone();
        answering
            .write(async move |tx| {
                let Written { created, duplicates, errors, .. } =
                    write_rows(tx, &actor, &query, &rows).await?;
                let mut report = report.clone().with_failures(errors);
                report.created = created.len() as u64;
                report.duplicates += duplicates;
                Ok(Imported::Done(report.or_abort(query.on_error)?))
            })
            .await
    };
    match written {
        Err(Error::Reference) => {
            check_member(connection, actor, &import).await?;
            Err(Error::Unavailable("a row that this refers to is just being changed".into()))
        }
        Ok(Imported::Done(report)) => {
            tracing::info!(created = report.created, failed = report.failed, "imported expenses");
            Ok(Imported::Done(report))
        }
        other => other,
    }
}

/// Writes a slice of an import that whoever began it has described so, and says what it does about bad rows.
pub(crate) async fn write_slice(
    tx: &Tx,
    actor: &Actor,
    query: Value,
    rows: Value,
) -> Result<(Written, OnError)> {
    let unread = |error| Error::Internal(format!("what is staged cannot be read: {error}"));
    let query: ImportQuery = serde_json::from_value(query).map_err(unread)?;
    let rows: Vec<Staged> = serde_json::from_value(rows).map_err(unread)?;
    Ok((write_rows(tx, actor, &query, &rows).await?, query.on_error))
}

async fn write_rows(
    tx: &Tx,
    actor: &Actor,
    query: &ImportQuery,
    rows: &[Staged],
) -> Result<Written> {
    let mut written = Written::default();
    let mut known = Known::read(tx, actor.organization_id, query).await?;
    let mut new = Vec::with_capacity(rows.len());
    let mut identities = HashMap::with_capacity(rows.len());
    for Staged { row, identity } in rows {
        if let Some(error) = refusal(row, &known, query) {
            written.errors.push(error);
            continue;
        }
        if query.create_categories
            && let Some(id) = known.make_category(tx, actor, row).await?
        {
            written.made.push((Category::ENTITY, id));
        }
        let input = row.input(&known, query.member_id);
        let (id, key) = (tx.new_id(), Some(identity.key.clone()));
        new.push(commands::new_row(tx, actor, id, &input, key)?);
        identities.insert(id, identity);
    }
    let asked = new.len();
    written.created = repository::insert_unknown(tx, actor, new).await?;
    written.duplicates = (asked - written.created.len()) as u64;
    let made = written.created.iter().filter_map(|id| Some((*id, *identities.get(id)?)));
    history::record(tx, actor.organization_id, made).await?;
    Ok(written)
}

/// Removes those of imported expenses that nobody has changed since, and says how many.
pub(crate) async fn delete_imported(tx: &Tx, actor: &Actor, ids: Vec<Uuid>) -> Result<u64> {
    let rows = versioned::find_unchanged::<Entity>(tx, actor.organization_id, ids).await?;
    let gone: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let count = gone.len() as u64;
    for row in rows {
        let current = repository::view(row.clone(), Vec::new())?;
        repository::delete(tx, actor, &row, &current).await?;
    }
    history::forget(tx, actor.organization_id, gone).await?;
    Ok(count)
}
