//! Tenancy, optimistic locking and the log, each said once.
//!
//! A row of a tenant is reached by its organization and its id. A change names the version that it
//! was made against; the row is written only if it still has that version, and then has the next.
//! Whoever writes a row says who they are, what happened and how the resource is shown: there is no
//! way to write one without an event.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{Identified, TenantEntity, Versioned};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ConnectionTrait,
    EntityTrait, IntoSimpleExpr, Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select, Value,
    sea_query::{Expr, OnConflict},
};
use serde::Serialize;
use uuid::Uuid;

use super::{Tx, log::EventContext, rows};
use crate::{
    actor::Actor,
    error::{Error, Result, Stale},
    event::{self, Effect, Verb},
    resource::Resource,
};

/// The version that a change was made against, as the client named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Not at all.
    Unnamed,
    /// In the body or in the query: a stale one is a conflict.
    Version(i64),
    /// In `If-Match`: a stale one is a failed precondition.
    Precondition(i64),
    /// In `If-Match`, one of several, or none: a tag that no version ever had is left out.
    OneOf(Vec<i64>),
    /// In both, and not the same.
    Contradictory,
}

impl Expected {
    /// Whether the change was made against the version that the resource has now.
    ///
    /// # Errors
    /// [`Error::VersionRequired`], [`Error::VersionsDiffer`], or [`Error::Stale`] with the resource
    /// as it is.
    pub fn check<T: Serialize>(&self, version: i64, current: &T) -> Result<()> {
        let (expected, precondition) = match self {
            Self::Unnamed => return Err(Error::VersionRequired),
            Self::Contradictory => return Err(Error::VersionsDiffer),
            Self::OneOf(versions) if versions.contains(&version) => return Ok(()),
            Self::OneOf(_) => (None, true),
            Self::Version(expected) => (Some(*expected), false),
            Self::Precondition(expected) => (Some(*expected), true),
        };
        if expected == Some(version) {
            return Ok(());
        }
        let current = serde_json::to_value(current)
            .map_err(|error| Error::Internal(format!("a resource cannot be shown: {error}")))?;
        Err(Error::Stale(Box::new(Stale {
            expected,
            current_version: version,
            current,
            precondition,
        })))
    }
}

/// The rows of a table that belong to an organization.
pub fn find_in_organization<E: TenantEntity>(organization_id: Uuid) -> Select<E> {
    E::find().filter(E::ORGANIZATION_ID.eq(organization_id))
}

/// Which of these organizations any of some rows belongs to.
pub async fn organizations_with<E: TenantEntity>(
    connection: &impl ConnectionTrait,
    rows: Select<E>,
    organizations: &[Uuid],
) -> Result<HashSet<Uuid>> {
    let organizations: Vec<Uuid> = rows
        .select_only()
        .column(E::ORGANIZATION_ID)
        .filter(E::ORGANIZATION_ID.is_in(organizations.iter().copied()))
        .group_by(E::ORGANIZATION_ID)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(organizations.into_iter().collect())
}

/// One row of an organization, if it is there.
pub async fn find<E: TenantEntity>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Option<E::Model>> {
    rows::by_key::<E>(connection, organization_id, id).await
}

/// One row of an organization.
///
/// # Errors
/// [`Error::NotFound`], for the row of another organization too.
pub async fn get<E: TenantEntity + Versioned>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<E::Model> {
    find::<E>(connection, organization_id, id).await?.ok_or(Error::NotFound(E::NAME))
}

/// How many ids or texts one statement looks up: SQLite takes 32,766 parameters.
const VALUES_PER_QUERY: usize = 10_000;

/// Which of these ids are of no row of the organization.
pub async fn find_missing_ids<E: TenantEntity>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    mut ids: Vec<Uuid>,
) -> Result<Vec<Uuid>> {
    let mut known: HashSet<Uuid> = HashSet::new();
    for chunk in ids.chunks(VALUES_PER_QUERY) {
        let found: Vec<Uuid> = find_in_organization::<E>(organization_id)
            .select_only()
            .column(E::ID)
            .filter(E::ID.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(connection)
            .await?;
        known.extend(found);
    }
    ids.retain(|id| !known.contains(id));
    Ok(ids)
}

/// Which of these texts stand in a column of the organization's rows.
pub async fn find_existing<E: TenantEntity>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    column: E::Column,
    texts: Vec<&str>,
) -> Result<HashSet<String>> {
    let mut known = HashSet::new();
    for chunk in texts.chunks(VALUES_PER_QUERY) {
        let found: Vec<String> = find_in_organization::<E>(organization_id)
            .select_only()
            .column(column)
            .filter(column.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(connection)
            .await?;
        known.extend(found);
    }
    Ok(known)
}

/// Whether there is any of some rows.
pub async fn any<E: TenantEntity>(
    connection: &impl ConnectionTrait,
    rows: Select<E>,
) -> Result<bool> {
    let first = rows.select_only().column(E::ID).limit(1).into_tuple::<Uuid>().one(connection);
    Ok(first.await?.is_some())
}

/// Those of these rows that are as they were made, in the order of their ids.
pub async fn find_unchanged<E: TenantEntity + Versioned>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: Vec<Uuid>,
) -> Result<Vec<E::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let made = find_in_organization::<E>(organization_id)
        .filter(E::ID.is_in(ids))
        .filter(E::VERSION.eq(1))
        .order_by_asc(E::ID);
    rows::all(connection, made).await
}

/// Writes a new row, at version 1, and records it.
pub async fn insert<A, R>(
    tx: &Tx,
    context: impl Into<EventContext>,
    row: A,
    view: impl FnOnce(<A::Entity as EntityTrait>::Model) -> Result<R>,
) -> Result<R>
where
    A: ActiveModelTrait<Entity: Versioned> + ActiveModelBehavior + Send,
    R: Resource,
{
    insert_at(tx, context, 1, row, view).await
}

/// Writes a row whose id follows from what it is, and records it. One that was there before and was deleted counts its
/// version on: the history of the id is one line.
pub async fn insert_again<A, R>(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    row: A,
    view: impl FnOnce(<A::Entity as EntityTrait>::Model) -> Result<R>,
) -> Result<R>
where
    A: ActiveModelTrait<Entity: Versioned> + ActiveModelBehavior + Send,
    R: Resource,
{
    let last = event::repository::last_version(tx, actor.organization_id, R::ENTITY, id).await?;
    // Of two that write the same version, the id of the event refuses one.
    tx.add_client_ids([&id].into_iter());
    insert_at(tx, actor, last.map_or(1, |last| last + 1), row, view).await
}

async fn insert_at<A, R>(
    tx: &Tx,
    context: impl Into<EventContext>,
    version: i64,
    mut row: A,
    view: impl FnOnce(<A::Entity as EntityTrait>::Model) -> Result<R>,
) -> Result<R>
where
    A: ActiveModelTrait<Entity: Versioned> + ActiveModelBehavior + Send,
    R: Resource,
{
    row.set(A::Entity::VERSION, version.into());
    let statement =
        A::Entity::insert(row).into_query().returning(rows::returning::<A::Entity>()).to_owned();
    let written = rows::written::<A::Entity>(tx, &statement).await?;
    let written = written.ok_or_else(|| Error::Internal("a new row was not given back".into()))?;
    recorded(tx, context, Verb::Created, written, view).await
}

/// At the instant that the row says: asking for a resource as of its `updated_at` finds this.
async fn recorded<M, R>(
    tx: &Tx,
    context: impl Into<EventContext>,
    verb: Verb,
    row: M,
    view: impl FnOnce(M) -> Result<R>,
) -> Result<R>
where
    M: ModelTrait<Entity: Versioned>,
    R: Resource,
{
    let at = last_change(&row)?;
    let resource = view(row)?;
    tx.record_at(at, &context.into(), verb, Effect::Written, &resource).await?;
    Ok(resource)
}

/// Writes new rows, at version 1, records them and gives them in their order. Rows that are there
/// already are left out if `unless` says by what to know them.
pub async fn insert_many<A, R>(
    tx: &Tx,
    context: impl Into<EventContext>,
    mut rows: Vec<A>,
    unless: Option<OnConflict>,
    mut view: impl FnMut(<A::Entity as EntityTrait>::Model) -> Result<R>,
) -> Result<Vec<R>>
where
    A: ActiveModelTrait<Entity: Versioned + Identified> + ActiveModelBehavior + Send,
    R: Resource,
{
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let order: HashMap<Uuid, usize> = rows
        .iter_mut()
        .enumerate()
        .filter_map(|(index, row)| {
            row.set(A::Entity::VERSION, 1_i64.into());
            Some((uuid_of(row.get(A::Entity::ID).into_value()?)?, index))
        })
        .collect();
    let mut statement = A::Entity::insert_many(rows).into_query();
    if let Some(known) = unless {
        statement.on_conflict(known);
    }
    statement.returning(rows::returning::<A::Entity>());
    let mut written = rows::all_written::<A::Entity>(tx, &statement).await?;
    written
        .sort_by_key(|row| uuid_of(row.get(A::Entity::ID)).and_then(|id| order.get(&id).copied()));
    let context = context.into();
    let mut resources = Vec::with_capacity(written.len());
    for row in written {
        resources.push(recorded(tx, context, Verb::Created, row, &mut view).await?);
    }
    Ok(resources)
}

fn uuid_of(value: Value) -> Option<Uuid> {
    match value {
        Value::Uuid(id) => id,
        _ => None,
    }
}

/// Writes a row's next version and records it: the columns of `change` that differ from `current`,
/// the version and the instant, in one statement that also holds the row to the version of
/// `current`. The instant is later than that of `current`, whatever the clock says ([`Tx::now_after`]).
///
/// # Errors
/// Where another transaction was faster, the whole closure runs again ([`Error::Retry`]).
pub async fn update<A, R>(
    tx: &Tx,
    context: impl Into<EventContext>,
    verb: Verb,
    current: &<A::Entity as EntityTrait>::Model,
    mut change: A,
    view: impl FnOnce(<A::Entity as EntityTrait>::Model) -> Result<R>,
) -> Result<R>
where
    A: ActiveModelTrait<Entity: Versioned>,
    R: Resource,
{
    for column in <A::Entity as EntityTrait>::Column::iter() {
        if let ActiveValue::Set(value) = change.get(column)
            && value == current.get(column)
        {
            change.not_set(column);
        }
    }
    change.set(A::Entity::VERSION, (version_of::<A::Entity>(current)? + 1).into());
    change.set(A::Entity::UPDATED_AT, stamp(tx.now_after(last_change(current)?)));
    let statement = A::Entity::update_many()
        .set(change)
        .filter(at_version::<A::Entity>(current))
        .into_query()
        .returning(rows::returning::<A::Entity>())
        .to_owned();
    let written = rows::written::<A::Entity>(tx, &statement).await?.ok_or_else(version_lost)?;
    recorded(tx, context, verb, written, view).await
}

/// Removes a row at the version of `current`, and records what was there.
///
/// # Errors
/// Where another transaction was faster, the whole closure runs again ([`Error::Retry`]).
pub async fn delete<M, R>(
    tx: &Tx,
    context: impl Into<EventContext>,
    current: &M,
    resource: &R,
) -> Result<()>
where
    M: ModelTrait<Entity: Versioned<Model = M>>,
    R: Resource,
{
    let condition = at_version::<M::Entity>(current);
    let removed = M::Entity::delete_many().filter(condition).exec(tx).await?;
    if removed.rows_affected != 1 {
        return Err(version_lost());
    }
    let at = tx.now_after(last_change(current)?);
    tx.record_at(at, &context.into(), Verb::Deleted, Effect::Removed, resource).await
}

/// [`delete`] of a row with more than one transaction can remove: only marks it, so that nobody finds it any more, and
/// `purge` removes it with the rest.
///
/// # Errors
/// As of [`delete`].
pub async fn mark_deleted<A, R>(
    tx: &Tx,
    context: impl Into<EventContext>,
    current: &<A::Entity as EntityTrait>::Model,
    mark: A,
    resource: &R,
) -> Result<()>
where
    A: ActiveModelTrait<Entity: Versioned>,
    R: Resource,
{
    let condition = at_version::<A::Entity>(current);
    let marked = A::Entity::update_many().set(mark).filter(condition).exec(tx).await?;
    if marked.rows_affected != 1 {
        return Err(version_lost());
    }
    let at = tx.now_after(last_change(current)?);
    tx.record_at(at, &context.into(), Verb::Deleted, Effect::Removed, resource).await
}

/// Makes other transactions wait that hold the same row, until this one ends: for rules that span
/// several rows. SQLite has one writer, and PostgreSQL then runs the ones that waited again.
pub async fn lock<E: Versioned>(tx: &Tx, current: &E::Model) -> Result<()> {
    let version = version_of::<E>(current)?;
    let held = E::update_many()
        .col_expr(E::VERSION, Expr::val(version))
        .filter(at_version::<E>(current))
        .exec(tx)
        .await?;
    if held.rows_affected == 1 { Ok(()) } else { Err(version_lost()) }
}

/// [`lock`] of a row of which no more than the id is known. False if there is none.
pub async fn lock_by_id<E: TenantEntity + Versioned>(
    tx: &Tx,
    organization_id: Uuid,
    id: Uuid,
) -> Result<bool> {
    let held = E::update_many()
        .col_expr(E::VERSION, E::VERSION.into_simple_expr())
        .filter(E::ORGANIZATION_ID.eq(organization_id))
        .filter(E::ID.eq(id))
        .exec(tx)
        .await?;
    Ok(held.rows_affected == 1)
}

fn version_lost() -> Error {
    Error::lost_race("the row has another version by now")
}

fn at_version<E: Versioned>(row: &E::Model) -> Condition {
    let version = E::VERSION.eq(row.get(E::VERSION));
    E::PrimaryKey::iter().fold(Condition::all().add(version), |condition, key| {
        let column = key.into_column();
        condition.add(column.eq(row.get(column)))
    })
}

fn version_of<E: Versioned>(row: &E::Model) -> Result<i64> {
    match row.get(E::VERSION) {
        Value::BigInt(Some(version)) => Ok(version),
        other => Err(Error::Internal(format!("a version that is no number: {other:?}"))),
    }
}

/// When a row was last changed.
fn last_change<M: ModelTrait<Entity: Versioned>>(row: &M) -> Result<DateTime<Utc>> {
    match row.get(<M::Entity as Versioned>::UPDATED_AT) {
        Value::ChronoDateTimeWithTimeZone(Some(at)) => Ok(at.to_utc()),
        other => Err(Error::Internal(format!("an instant that is none: {other:?}"))),
    }
}

fn stamp(at: DateTime<Utc>) -> Value {
    at.fixed_offset().into()
}
