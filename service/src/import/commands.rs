use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use entity::import;
use serde_json::Value;
use uuid::Uuid;

use super::{ImportRun, ImportRunQuery, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    idempotency::WriteOnce,
    saga::{self, Saga, State, repository as sagas, rules::Progress},
    store::{Store, Tx, page::Page, signal::Signal, stored, versioned},
};

/// How long at least others have their turn between two parts of an import.
const MIN_PAUSE: Duration = Duration::from_millis(10);

/// The import, and where its saga stands.
pub(super) fn view(row: import::Model, state: State, reason: Option<String>) -> Result<ImportRun> {
    let import::Model {
        organization_id: _,
        id,
        created_at,
        updated_at,
        kind,
        staging_until: _,
        options,
        slices: _,
        next_slice: _,
        total,
        created,
        duplicates,
        ignored,
        failed,
        created_categories,
        created_projects,
        created_tasks,
        created_members,
        errors,
        deleted_before,
    } = row;
    let options: Value = stored::json(import::Column::Options, id, options)?;
    Ok(ImportRun {
        id,
        kind: stored::word(import::Column::Kind, id, &kind)?,
        state,
        reason,
        total,
        created,
        duplicates,
        deleted_before: deleted_before.unwrap_or_default(),
        ignored,
        ignored_income: options["ignored_income"].as_i64().unwrap_or_default(),
        failed,
        reasons: reasons(&options),
        ignored_columns: ignored_columns(&options),
        created_categories,
        created_projects,
        created_tasks,
        created_members,
        errors: stored::json(import::Column::Errors, id, errors)?,
        created_at: created_at.to_utc(),
        updated_at: updated_at.to_utc(),
    })
}

/// Why rows were not staged, as the reader of the file has noted it.
fn reasons(options: &Value) -> Value {
    match &options["reasons"] {
        Value::Null => Value::Array(Vec::new()),
        reasons => reasons.clone(),
    }
}

/// They are found when the file is read, and so stand beside what it is read with.
fn ignored_columns(options: &Value) -> Vec<String> {
    let names = options["query"]["ignored_columns"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The import.
pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<ImportRun> {
    let organization_id = actor.organization_id;
    store
        .snapshot(async move |tx| {
            let row = repository::get(tx, organization_id, id).await?;
            let (state, reason) = saga::state_of(tx, organization_id, id).await?;
            view(row, state, reason)
        })
        .await
}

/// The imports that a query asks for, the newest first.
pub async fn list(store: &Store, actor: &Actor, query: ImportRunQuery) -> Result<Page<ImportRun>> {
    let organization_id = actor.organization_id;
    store
        .snapshot(async move |tx| {
            let page = repository::list(tx, organization_id, &query).await?;
            let ids = page.items.iter().map(|row| row.id).collect();
            let states = saga::states_of(tx, organization_id, ids).await?;
            let mut states: HashMap<_, _> = states.into_iter().collect();
            page.try_map(|row| {
                let unknown = (State::Failed, None);
                let (state, reason) = states.remove(&row.id).unwrap_or(unknown);
                view(row, state, reason)
            })
        })
        .await
}

/// Does an import to its end, part by part. `progress` is told after each how far it is. Others who write to the
/// same database get their turn in between: it may be that of another process.
pub async fn finish(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    progress: impl Fn(&ImportRun),
) -> Result<ImportRun> {
    loop {
        let run = get(store, actor, id).await?;
        progress(&run);
        if matches!(run.state, State::Completed | State::Compensated | State::Failed) {
            return Ok(run);
        }
        let begun = Instant::now();
        match saga::run_step(store, (actor.organization_id, id)).await {
            // Another process has the file, and will let it go.
            Ok(()) | Err(Error::Unavailable(_)) => {}
            Err(other) => return Err(other),
        }
        tokio::time::sleep(begun.elapsed().max(MIN_PAUSE)).await;
    }
}

/// Calls an import off: what it has written is taken back.
///
/// # Errors
/// [`crate::Error::State`] where it has ended.
pub async fn cancel(store: WriteOnce<'_, ImportRun>, actor: &Actor, id: Uuid) -> Result<ImportRun> {
    let actor = actor.clone();
    store
        .read_committed()
        .write(async move |tx| {
            let row = repository::get(tx, actor.organization_id, id).await?;
            let (state, reason) = cancel_saga(tx, &actor, id).await?;
            view(row, state, reason)
        })
        .await
}

/// Undoes the saga of an import. One that is being undone stays so.
async fn cancel_saga(tx: &Tx, actor: &Actor, id: Uuid) -> Result<(State, Option<String>)> {
    let row = sagas::get(tx, actor.organization_id, id).await?;
    let mut progress = Progress::of(&row, tx.catalogue().saga(&row.kind)?)?;
    if progress.has_ended() || progress.is_past_pivot() {
        return Err(Error::state("import_ended", "the import has ended"));
    }
    if progress.undoing {
        return Ok((progress.state, progress.reason));
    }
    progress.compensate(tx.now(), "the import was cancelled".into())?;
    tx.signal(Signal::Work);
    let next = sagas::columns(&progress)?;
    let saga = versioned::update(tx, actor, Verb::Cancelled, &row, next, Saga::try_from).await?;
    Ok((saga.state, saga.reason))
}
