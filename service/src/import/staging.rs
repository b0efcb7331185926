//! How the rows of a large file get into the database before its import begins: slice by slice, each in a
//! transaction of its own. Nobody sees the import until all are there. One that nobody brings to its end is
//! removed later.

use chrono::TimeDelta;
use entity::import;
use sea_orm::ActiveValue::Set;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ImportRun, Imported, Kind, SAGA, Tally, commands::view, repository};
use crate::{
    actor::{Actor, Author},
    error::{Error, Result},
    fault,
    idempotency::WriteOnce,
    saga,
    store::{Store, Tx, stored::StoredWord},
};

/// How long somebody who brings slices is waited for.
const STAGING_TIMEOUT: TimeDelta = TimeDelta::hours(1);
/// How many imports one turn removes that nobody has brought in.
const SWEEP_BATCH_SIZE: u64 = 4;

/// An import that is being brought in.
pub(crate) struct Staging {
    /// For transactions of its own: they are no answer to anybody.
    store: Store,
    actor: Actor,
    id: Uuid,
    kind: Kind,
    options: Value,
    slices: i64,
}

impl Staging {
    /// Of a file that is read with these options.
    pub(crate) fn new(
        store: &Store,
        actor: &Actor,
        kind: Kind,
        options: &impl Serialize,
    ) -> Result<Self> {
        let query = serde_json::to_value(options)
            .map_err(|error| Error::Internal(format!("options cannot be written: {error}")))?;
        let options = json!({
            "query": query,
            "author": actor.author.as_str(),
            "author_id": actor.author.id(),
            "member_id": actor.member_id,
            "request_id": actor.request_id,
        });
        let id = store.random().id(store.now());
        Ok(Self { store: store.clone(), actor: actor.clone(), id, kind, options, slices: 0 })
    }

    /// Keeps something that was found out about the file, for whoever looks at the import.
    pub(crate) fn note(&mut self, name: &str, value: Value) {
        self.options[name] = value;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slices == 0
    }

    /// Brings the next slice.
    pub(crate) async fn push(&mut self, rows: &impl Serialize) -> Result<()> {
        let rows = serde_json::to_value(rows)
            .map_err(|error| Error::Internal(format!("rows cannot be written: {error}")))?;
        let key = (self.actor.organization_id, self.id);
        let new = (self.slices == 0).then(|| (self.kind, self.options.clone()));
        let ordinal = self.slices;
        self.store
            .write(async move |tx| {
                match &new {
                    Some((kind, options)) => insert(tx, key, *kind, options).await?,
                    None => {
                        let until = Set(Some((tx.now() + STAGING_TIMEOUT).fixed_offset()));
                        let staging =
                            import::ActiveModel { staging_until: until, ..Default::default() };
                        still_there(repository::update_staged(tx, key, staging).await?)?;
                    }
                }
                repository::insert_slice(tx, key, ordinal, rows.clone()).await
            })
            .await?;
        fault::point(format_args!("import.staged"));
        self.slices += 1;
        Ok(())
    }

    /// Begins the import, all of whose slices are there, in the write whose response it is.
    pub(crate) async fn begin<R: Send + 'static>(
        &self,
        answering: WriteOnce<'_, Imported<R>>,
        tally: Tally,
    ) -> Result<Imported<R>> {
        let actor = self.actor.clone();
        let id = self.id;
        let slices = self.slices;
        let options = self.options.clone();
        answering
            .write(async move |tx| {
                let run = begin(tx, &actor, id, (slices, &options), tally.clone()).await?;
                Ok(Imported::Begun(Box::new(run)))
            })
            .await
    }

    /// Removes what was brought.
    pub(crate) async fn discard(&self) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        discard(&self.store, (self.actor.organization_id, self.id)).await
    }
}

fn still_there(there: bool) -> Result<()> {
    let gone = || Error::Unavailable("this import took too long to be brought in".into());
    if there { Ok(()) } else { Err(gone()) }
}

async fn insert(
    tx: &Tx,
    (organization_id, id): (Uuid, Uuid),
    kind: Kind,
    options: &Value,
) -> Result<()> {
    let now = tx.now().fixed_offset();
    let row = import::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(id),
        created_at: Set(now),
        updated_at: Set(now),
        kind: Set(kind.as_str().to_owned()),
        staging_until: Set(Some((tx.now() + STAGING_TIMEOUT).fixed_offset())),
        options: Set(options.clone()),
        slices: Set(0),
        next_slice: Set(0),
        ..Tally::default().columns()
    };
    repository::insert(tx, row).await
}

async fn begin(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    (slices, options): (i64, &Value),
    tally: Tally,
) -> Result<ImportRun> {
    let key = (actor.organization_id, id);
    let whole = import::ActiveModel {
        staging_until: Set(None),
        options: Set(options.clone()),
        slices: Set(slices),
        ..tally.columns()
    };
    still_there(repository::update_staged(tx, key, whole).await?)?;
    let row = repository::get(tx, actor.organization_id, id).await?;
    let kind = tx.catalogue().saga(SAGA)?;
    // The import is the saga's subject, and has its id.
    let data = json!({ "import": row.kind, "total": row.total });
    let saga = saga::start(tx, actor, kind, (row.id, row.id), data).await?;
    view(row, saga.state, saga.reason)
}

/// Removes an import that has not begun, some of its slices at a time.
pub(crate) async fn discard(store: &Store, key: (Uuid, Uuid)) -> Result<()> {
    loop {
        let more = store
            .write(async move |tx| {
                // While it can still begin, its slices stay or go with it.
                let until = Set(Some(tx.now().fixed_offset()));
                let change = import::ActiveModel { staging_until: until, ..Default::default() };
                if !repository::update_staged(tx, key, change).await? {
                    return Ok(false);
                }
                if repository::clear(tx, key).await? {
                    return Ok(true);
                }
                repository::delete_staged(tx, key).await?;
                Ok(false)
            })
            .await?;
        if !more {
            return Ok(());
        }
    }
}

/// Removes some imports that nobody has brought to their end, and says how many.
pub(crate) async fn sweep(store: &Store) -> Result<u64> {
    let abandoned = repository::abandoned(store.read(), store.now(), SWEEP_BATCH_SIZE).await?;
    for key in &abandoned {
        discard(store, *key).await?;
    }
    Ok(abandoned.len() as u64)
}

/// Who has begun an import, as the saga's steps act: as steward itself, and in the log by the name of
/// whoever began it.
pub(crate) fn acting(system: &Actor, options: &Value) -> Actor {
    let id = |name: &str| options.get(name)?.as_str()?.parse().ok();
    let author = match (options.get("author").and_then(Value::as_str), id("author_id")) {
        (Some("member"), Some(id)) => Author::Member(id),
        (Some("api_key"), Some(id)) => Author::ApiKey(id),
        (Some("operator"), _) => Author::Operator,
        _ => Author::System,
    };
    Actor { author, member_id: id("member_id"), request_id: id("request_id"), ..system.clone() }
}
