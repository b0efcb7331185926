//! Readings, and what they were before, in the database.

use entity::{reading, reading_correction};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value,
};
use uuid::Uuid;

use crate::{
    error::Result,
    meter::{consumption::Point, ranges::Range},
    store::{
        Tx,
        bulk::{self, Existing},
        log::EventContext,
        stored::StoredWord,
    },
};

use super::limits::Excursion;

const COLUMNS: [reading::Column; 4] = [
    reading::Column::OrganizationId,
    reading::Column::MeterId,
    reading::Column::At,
    reading::Column::Value,
];

fn rows(organization_id: Uuid, readings: &[(Uuid, Point)]) -> Vec<[Value; 4]> {
    let row = |(meter_id, point): &(Uuid, Point)| {
        [organization_id.into(), (*meter_id).into(), point.at.into(), point.value.into()]
    };
    readings.iter().map(row).collect()
}

/// Writes the readings of which there is none yet at their instants, and says how many those are.
pub(super) async fn insert(
    tx: &Tx,
    organization_id: Uuid,
    readings: &[(Uuid, Point)],
) -> Result<u64> {
    let rows = rows(organization_id, readings);
    bulk::insert::<reading::Entity, 4>(tx, COLUMNS, rows, Existing::Kept).await
}

/// Writes readings in the place of those that there are at their instants.
pub(super) async fn replace(
    tx: &Tx,
    organization_id: Uuid,
    readings: &[(Uuid, Point)],
) -> Result<()> {
    let rows = rows(organization_id, readings);
    let value = Existing::Replaced(&[reading::Column::Value]);
    bulk::insert::<reading::Entity, 4>(tx, COLUMNS, rows, value).await?;
    Ok(())
}

/// The first readings of a meter from an instant on and before another one.
pub(super) async fn first(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    Range { meter_id, from, to }: Range,
    limit: u64,
) -> Result<Vec<Point>> {
    let rows: Vec<(i64, i64)> = reading::Entity::find()
        .select_only()
        .columns([reading::Column::At, reading::Column::Value])
        .filter(reading::Column::OrganizationId.eq(organization_id))
        .filter(reading::Column::MeterId.eq(meter_id))
        .filter(reading::Column::At.gte(from))
        .filter(reading::Column::At.lt(to))
        .order_by_asc(reading::Column::At)
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|(at, value)| Point { at, value }).collect())
}

/// The last reading of a meter.
pub(super) async fn last(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    meter_id: Uuid,
) -> Result<Option<Point>> {
    last_before(connection, organization_id, meter_id, i64::MAX).await
}

/// The last reading of a meter before an instant.
pub(super) async fn last_before(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    meter_id: Uuid,
    before: i64,
) -> Result<Option<Point>> {
    let row: Option<(i64, i64)> = reading::Entity::find()
        .select_only()
        .columns([reading::Column::At, reading::Column::Value])
        .filter(reading::Column::OrganizationId.eq(organization_id))
        .filter(reading::Column::MeterId.eq(meter_id))
        .filter(reading::Column::At.lt(before))
        .order_by_desc(reading::Column::At)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(row.map(|(at, value)| Point { at, value }))
}

/// Removes the readings of a meter from one instant until another, which is among them, with what they were before.
pub(super) async fn remove(
    tx: &Tx,
    organization_id: Uuid,
    meter_id: Uuid,
    (first, last): (i64, i64),
) -> Result<()> {
    reading_correction::Entity::delete_many()
        .filter(reading_correction::Column::OrganizationId.eq(organization_id))
        .filter(reading_correction::Column::MeterId.eq(meter_id))
        .filter(reading_correction::Column::At.between(first, last))
        .exec(tx)
        .await?;
    reading::Entity::delete_many()
        .filter(reading::Column::OrganizationId.eq(organization_id))
        .filter(reading::Column::MeterId.eq(meter_id))
        .filter(reading::Column::At.between(first, last))
        .exec(tx)
        .await?;
    Ok(())
}

/// A reading that was another one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Correction {
    pub(super) meter_id: Uuid,
    pub(super) at: i64,
    pub(super) before: i64,
    pub(super) after: i64,
}

/// Keeps what readings were before.
pub(super) async fn keep(
    tx: &Tx,
    context: &EventContext,
    corrections: &[Correction],
) -> Result<()> {
    use reading_correction::Column;
    let columns = [
        Column::OrganizationId,
        Column::MeterId,
        Column::At,
        Column::CorrectionId,
        Column::CorrectedAt,
        Column::Before,
        Column::After,
        Column::Author,
        Column::AuthorId,
    ];
    let now = tx.now().timestamp_micros();
    let row = |correction: &Correction| -> [Value; 9] {
        let Correction { meter_id, at, before, after } = *correction;
        [
            context.organization_id.into(),
            meter_id.into(),
            at.into(),
            tx.new_id().into(),
            now.into(),
            before.into(),
            after.into(),
            context.author.as_str().into(),
            context.author.id().into(),
        ]
    };
    let rows = corrections.iter().map(row).collect();
    bulk::insert::<reading_correction::Entity, 9>(tx, columns, rows, Existing::Kept).await?;
    Ok(())
}

/// The latest corrections of the readings of a meter from one instant on and before another one, the latest first.
pub(super) async fn corrections(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    Range { meter_id, from, to }: Range,
    limit: u64,
) -> Result<Vec<reading_correction::Model>> {
    use reading_correction::Column;
    let rows = reading_correction::Entity::find()
        .filter(Column::OrganizationId.eq(organization_id))
        .filter(Column::MeterId.eq(meter_id))
        .filter(Column::At.gte(from))
        .filter(Column::At.lt(to))
        .order_by_desc(Column::At)
        .order_by_desc(Column::CorrectionId)
        .limit(limit)
        .all(connection)
        .await?;
    Ok(rows)
}

/// What is known of a meter by its readings.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) meter_id: Uuid,
    pub(super) readings: i64,
    pub(super) last: Option<Point>,
    pub(super) excursion: Excursion,
}

/// Writes the states of meters, which there are.
pub(super) async fn write_states(tx: &Tx, organization_id: Uuid, states: &[State]) -> Result<()> {
    use entity::meter_state::{Column, Entity};
    let columns = [
        Column::OrganizationId,
        Column::Id,
        Column::Readings,
        Column::LastAt,
        Column::LastValue,
        Column::Excursion,
    ];
    let [_, _, replaced @ ..] = columns;
    let row = |state: &State| -> [Value; 6] {
        let State { meter_id, readings, last, excursion } = *state;
        [
            organization_id.into(),
            meter_id.into(),
            readings.into(),
            last.map(|last| last.at).into(),
            last.map(|last| last.value).into(),
            excursion.as_str().into(),
        ]
    };
    let rows = states.iter().map(row).collect();
    bulk::insert::<Entity, 6>(tx, columns, rows, Existing::Replaced(&replaced)).await?;
    Ok(())
}
