use std::collections::HashMap;

use entity::{meter, meter_state};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait,
    IntoSimpleExpr, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use super::{Meter, MeterQuery};
use crate::{
    error::{Error, Result},
    input::AnyOrNone,
    resource::Mapped,
    store::{Tx, page::Sort, parts::Rows, rows, versioned},
};

/// How many values one statement names.
const AT_ONCE: usize = 500;

/// The word of a meter whose last value is within the limits.
pub(crate) const WITHIN_LIMITS: &str = "none";

/// By name.
impl Mapped for Meter {
    type Entity = meter::Entity;
    type Query = MeterQuery;

    fn sort(_: &MeterQuery) -> Sort<meter::Column> {
        Sort { name: "name", column: meter::Column::NameKey, descending: false }
    }

    fn filter(
        backend: DbBackend,
        rows: Select<meter::Entity>,
        query: &MeterQuery,
    ) -> Rows<meter::Entity> {
        let MeterQuery { project_id, limit: _, cursor: _ } = query;
        let columns = [meter::Column::ProjectId, meter::Column::NameKey];
        Rows::from(rows).any_or_none(backend, columns, project_id.as_ref().map(AnyOrNone::ids))
    }
}

pub(crate) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Meter> {
    versioned::get::<meter::Entity>(connection, organization_id, id).await?.try_into()
}

/// The meters of these sources, by their sources.
pub(crate) async fn of_sources(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    sources: &[&str],
) -> Result<HashMap<String, Meter>> {
    let mut found = HashMap::with_capacity(sources.len());
    for some in sources.chunks(AT_ONCE) {
        let rows = versioned::find_in_organization::<meter::Entity>(organization_id)
            .filter(meter::Column::Source.is_in(some.iter().copied()));
        for row in rows::all(connection, rows).await? {
            let meter = Meter::try_from(row)?;
            found.extend(meter.source.clone().map(|source| (source, meter)));
        }
    }
    Ok(found)
}

/// Writes the state of a new meter.
pub(super) async fn insert_state(tx: &Tx, organization_id: Uuid, id: Uuid) -> Result<()> {
    let state = meter_state::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(id),
        readings: Set(0),
        last_at: Set(None),
        last_value: Set(None),
        excursion: Set(WITHIN_LIMITS.to_owned()),
    };
    meter_state::Entity::insert(state).exec_without_returning(tx).await?;
    Ok(())
}

/// Whether a meter has readings, which it neither gets nor loses then until the transaction ends. The row is written,
/// so that on PostgreSQL who waits for it does not go on with the meter as it was before.
pub(super) async fn hold_with_readings(tx: &Tx, organization_id: Uuid, id: Uuid) -> Result<bool> {
    let column = meter_state::Column::Readings;
    let held = meter_state::Entity::update_many()
        .col_expr(column, column.into_simple_expr())
        .filter(meter_state::COLUMN.organization_id.eq(organization_id))
        .filter(meter_state::COLUMN.id.eq(id))
        .exec_with_returning(tx)
        .await?;
    Ok(held.first().is_some_and(|state| state.readings > 0))
}

/// Meters whose readings nobody else changes until the transaction ends, with their states, by id. In the order of
/// their ids, so that two who hold several wait for each other in one direction.
pub(crate) async fn hold(
    tx: &Tx,
    organization_id: Uuid,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, (Meter, meter_state::Model)>> {
    let states = versioned::find_in_organization::<meter_state::Entity>(organization_id)
        .filter(meter_state::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(meter_state::Column::Id)
        .lock_exclusive();
    let states = rows::all(tx, states).await?;
    let meters = versioned::find_in_organization::<meter::Entity>(organization_id)
        .filter(meter::Column::Id.is_in(ids.iter().copied()));
    let meters = rows::all(tx, meters).await?;
    let mut meters: HashMap<Uuid, meter::Model> =
        meters.into_iter().map(|row| (row.id, row)).collect();
    let mut held = HashMap::with_capacity(states.len());
    for state in states {
        if let Some(meter) = meters.remove(&state.id) {
            held.insert(state.id, (meter.try_into()?, state));
        }
    }
    Ok(held)
}

/// The same of one meter.
///
/// # Errors
/// [`Error::NotFound`].
pub(crate) async fn hold_one(
    tx: &Tx,
    organization_id: Uuid,
    id: Uuid,
) -> Result<(Meter, meter_state::Model)> {
    let mut held = hold(tx, organization_id, &[id]).await?;
    held.remove(&id).ok_or(Error::NotFound("meter"))
}

/// Which of these organizations have meters with limits.
pub(crate) async fn with_limits(
    connection: &impl ConnectionTrait,
    organizations: &[Uuid],
) -> Result<std::collections::HashSet<Uuid>> {
    let limited = meter::COLUMN.low.is_not_null().or(meter::COLUMN.high.is_not_null());
    let rows = meter::Entity::find().filter(limited);
    versioned::organizations_with(connection, rows, organizations).await
}
