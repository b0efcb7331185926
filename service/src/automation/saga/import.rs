//! Imports a large file: slice after slice, each in a transaction of its own. Where a slice is refused, or
//! somebody calls the import off, what was written is taken back, slice after slice too.

use entity::import as table;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    actor::Actor,
    csv::OnError,
    error::{Error, ImportFailure, Result},
    identity::member::{self, Member},
    import::{self, Tally, Written, repository as imports},
    money::{category::Category, expense},
    resource::{Resource, Writable},
    saga::{Kind, Run, StepKind, StepResult, Work, repository, undo_unless_changed},
    store::{Tx, stored, versioned::Expected},
    work::{project::Project, task::Task, time_entry},
};

/// How many rows one transaction takes back: that of an entry of time is more work than to write it.
const ROWS_PER_TRANSACTION: usize = 50;
/// How many of the categories and the like that rows name one transaction takes back.
const RESOURCES_PER_TRANSACTION: u64 = 50;

pub(crate) const KIND: Kind = Kind {
    name: import::SAGA,
    steps: &[
        StepKind {
            name: "stage",
            run: Run::Local(|_, _, _| Box::pin(async { Ok(StepResult::Done) })),
            undo: Some(|tx, actor, work| Box::pin(clear(tx, actor, work))),
        },
        StepKind {
            name: "write",
            run: Run::Local(|tx, actor, work| Box::pin(write(tx, actor, work))),
            undo: Some(|tx, actor, work| Box::pin(undo_slice(tx, actor, work))),
        },
        StepKind {
            name: "clear",
            run: Run::Local(|tx, actor, work| Box::pin(clear(tx, actor, work))),
            undo: None,
        },
    ],
    // When all rows are there, they stay.
    pivot: 1,
};

/// What whoever start an import has said of it.
fn query(row: &table::Model) -> Value {
    row.options.get("query").cloned().unwrap_or_default()
}

/// Writes the next slice.
async fn write(tx: &Tx, system: &Actor, work: &Work) -> Result<StepResult> {
    let row = imports::get(tx, system.organization_id, work.subject_id).await?;
    let ordinal = row.next_slice;
    let Some(slice) = imports::slice(tx, &row, ordinal).await? else { return Ok(StepResult::Done) };
    let actor = import::acting(system, &row.options);
    let mut tally = Tally::of(&row)?;
    let written = tx.savepoint(async |tx| write_slice(tx, &actor, &row, slice.rows).await).await?;
    let written = match written {
        Ok(written) => written,
        Err(Error::Import(failure)) => return record_refusal(tx, &row, tally, &failure).await,
        // Something that the rows name has gone since it was looked for: the next time it is not found.
        Err(Error::Reference) if has_member(tx, &actor, &row).await? => {
            return Err(Error::lost_race("a resource that a row refers to was deleted"));
        }
        Err(other) => return Err(other),
    };
    tally.add(&written);
    imports::slice_written(tx, &row, ordinal, &written.created).await?;
    for entity in CREATED_ENTITIES {
        let made = written.made.iter().filter(|(of, _)| *of == entity).map(|(_, id)| (*id, 1));
        repository::record_writes(tx, (row.organization_id, work.saga_id), entity, made).await?;
    }
    imports::advance(tx, &row, ordinal + 1, tally).await?;
    Ok(if ordinal + 1 == row.slices { StepResult::Done } else { StepResult::More })
}

/// What an import makes because rows name it, in the order in which it can be taken back.
const CREATED_ENTITIES: [&str; 4] =
    [Task::ENTITY, Project::ENTITY, Category::ENTITY, Member::ENTITY];

async fn write_slice(tx: &Tx, actor: &Actor, row: &table::Model, rows: Value) -> Result<Written> {
    let (written, on_error) =
        match stored::word::<import::Kind>(table::Column::Kind, row.id, &row.kind)? {
            import::Kind::Expenses => expense::write_slice(tx, actor, query(row), rows).await?,
            import::Kind::TimeEntries => {
                time_entry::write_slice(tx, actor, query(row), rows).await?
            }
        };
    if on_error == OnError::Skip || written.errors.is_empty() {
        return Ok(written);
    }
    let failed = written.errors.len() as u64;
    Err(Error::Import(Box::new(ImportFailure { failed, report: json!(written.errors) })))
}

/// Notes what is wrong with the rows of a slice of which nothing was written.
async fn record_refusal(
    tx: &Tx,
    row: &table::Model,
    mut tally: Tally,
    failure: &ImportFailure,
) -> Result<StepResult> {
    let errors = failure.report.as_array().cloned().unwrap_or_default();
    let first = errors.first().map(|error| (&error["line"], error["message"].as_str()));
    let why = first.map_or_else(
        || "a row is invalid".to_owned(),
        |(line, message)| format!("line {line}: {}", message.unwrap_or_default()),
    );
    tally.fail(failure.failed, errors);
    imports::advance(tx, row, row.next_slice, tally).await?;
    Ok(StepResult::Refused(why))
}

/// Whether whoever all rows are of, if somebody is, is there.
async fn has_member(tx: &Tx, actor: &Actor, row: &table::Model) -> Result<bool> {
    let named = query(row).get("member_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let ids: Vec<Uuid> = named.into_iter().collect();
    Ok(member::repository::find_missing_ids(tx, actor.organization_id, ids).await?.is_empty())
}

/// Takes back some of what was made of the slice that was written last, and when there is none, what was made
/// because rows name it.
async fn undo_slice(tx: &Tx, system: &Actor, work: &Work) -> Result<StepResult> {
    let row = imports::get(tx, system.organization_id, work.subject_id).await?;
    let actor = import::acting(system, &row.options);
    let mut tally = Tally::of(&row)?;
    let Some(ordinal) = row.next_slice.checked_sub(1).filter(|ordinal| *ordinal >= 0) else {
        return delete_created(tx, &actor, &row, work, tally).await;
    };
    let written = imports::slice(tx, &row, ordinal).await?.and_then(|slice| slice.written);
    let written: Vec<Uuid> = serde_json::from_value(written.unwrap_or_else(|| json!([])))
        .map_err(|error| Error::Internal(format!("a slice cannot be read: {error}")))?;
    let (left, some) = written.split_at(written.len().saturating_sub(ROWS_PER_TRANSACTION));
    let taken = match stored::word::<import::Kind>(table::Column::Kind, row.id, &row.kind)? {
        import::Kind::Expenses => expense::delete_imported(tx, &actor, some.to_vec()).await?,
        import::Kind::TimeEntries => time_entry::delete_imported(tx, &actor, some.to_vec()).await?,
    };
    tally.created -= i64::try_from(taken).unwrap_or_default();
    imports::slice_written(tx, &row, ordinal, left).await?;
    let next_slice = if left.is_empty() { ordinal } else { row.next_slice };
    imports::advance(tx, &row, next_slice, tally).await?;
    Ok(StepResult::More)
}

/// Takes back what was made because rows name it, and nobody has used or changed since.
async fn delete_created(
    tx: &Tx,
    actor: &Actor,
    row: &table::Model,
    work: &Work,
    mut tally: Tally,
) -> Result<StepResult> {
    let of = (row.organization_id, work.saga_id);
    for entity in CREATED_ENTITIES {
        let made = repository::take_writes(tx, of, entity, RESOURCES_PER_TRANSACTION).await?;
        if made.is_empty() {
            continue;
        }
        for (id, version) in made {
            let version = Expected::Version(version);
            let gone = undo_unless_changed(tx, async |tx| match entity {
                Task::ENTITY => Task::delete(tx, actor, id, version).await,
                Project::ENTITY => Project::delete(tx, actor, id, version).await,
                Category::ENTITY => Category::delete(tx, actor, id, version).await,
                _ => Member::delete(tx, actor, id, version).await,
            });
            if let (true, Some(count)) = (gone.await?, tally.made(entity)) {
                *count -= 1;
            }
        }
        imports::advance(tx, row, 0, tally).await?;
        return Ok(StepResult::More);
    }
    Ok(StepResult::Done)
}

/// Removes what was brought of the file.
async fn clear(tx: &Tx, actor: &Actor, work: &Work) -> Result<StepResult> {
    let more = imports::clear(tx, (actor.organization_id, work.subject_id)).await?;
    Ok(if more { StepResult::More } else { StepResult::Done })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_counted() {
        let mut tally = Tally::default();
        assert!(CREATED_ENTITIES.iter().all(|entity| tally.made(entity).is_some()));
    }
}
