//! Cells in the database.

use std::collections::HashMap;

use entity::reading_rollup::{Column, Entity};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryResult, Value,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{Cell, Width};
use crate::{
    error::Result,
    meter::{
        consumption::Point,
        ranges::{self, Kept, Range},
    },
    store::{
        Tx,
        bulk::{self, Existing},
        dialect::{halves, join_halves},
    },
};

const KEPT: Kept<Column> = Kept {
    organization_id: Column::OrganizationId,
    meter_id: Column::MeterId,
    at: Column::StartsAt,
};

const VALUES: [Column; 13] = [
    Column::Count,
    Column::FirstAt,
    Column::FirstValue,
    Column::LastAt,
    Column::LastValue,
    Column::Min,
    Column::Max,
    Column::SumHigh,
    Column::SumLow,
    Column::IntegralHigh,
    Column::IntegralLow,
    Column::ConsumptionHigh,
    Column::ConsumptionLow,
];

fn of_width(width: Width) -> Option<Expr> {
    Some(Expr::col((Entity, Column::WidthSeconds)).eq(width.seconds()))
}

/// The cells of a width that begin in some ranges, by meter and in the order of time.
pub(crate) async fn cells(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    width: Width,
    ranges: &[Range],
) -> Result<HashMap<Uuid, Vec<Cell>>> {
    let columns: Vec<Column> = [Column::StartsAt].into_iter().chain(VALUES).collect();
    let also = of_width(width);
    let rows =
        ranges::select::<Entity>(connection, organization_id, KEPT, &columns, ranges, also).await?;
    let mut cells: HashMap<Uuid, Vec<Cell>> = HashMap::new();
    for row in &rows {
        cells.entry(row.try_get_by_index(0)?).or_default().push(read(row)?);
    }
    Ok(cells)
}

fn read(row: &QueryResult) -> Result<Cell, DbErr> {
    let mut values = [0_i64; 14];
    for (index, value) in values.iter_mut().enumerate() {
        *value = row.try_get_by_index(index + 1)?;
    }
    let [start, count, first_at, first_value, last_at, last_value, min, max, halves @ ..] = values;
    let [sum_high, sum_low, integral_high, integral_low, consumption_high, consumption_low] =
        halves;
    Ok(Cell {
        start,
        count,
        first: Point { at: first_at, value: first_value },
        last: Point { at: last_at, value: last_value },
        min,
        max,
        sum: join_halves([sum_high, sum_low]),
        integral: join_halves([integral_high, integral_low]),
        consumption: join_halves([consumption_high, consumption_low]),
    })
}

/// The beginnings of the last cell before each range and of the first after it.
pub(crate) async fn neighbours(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    width: Width,
    ranges: &[Range],
) -> Result<Vec<(Uuid, Option<i64>, Option<i64>)>> {
    let also = of_width(width);
    ranges::neighbours::<Entity>(connection, organization_id, KEPT, ranges, also).await
}

/// Writes cells in the place of those that there are.
pub(crate) async fn write(
    tx: &Tx,
    organization_id: Uuid,
    cells: &[(Uuid, Width, Cell)],
) -> Result<()> {
    let [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12] = VALUES;
    let columns = [
        Column::OrganizationId,
        Column::MeterId,
        Column::WidthSeconds,
        Column::StartsAt,
        c0,
        c1,
        c2,
        c3,
        c4,
        c5,
        c6,
        c7,
        c8,
        c9,
        c10,
        c11,
        c12,
    ];
    let row = |(meter_id, width, cell): &(Uuid, Width, Cell)| -> [Value; 17] {
        let Cell { start, count, first, last, min, max, sum, integral, consumption } = *cell;
        let [sum_high, sum_low] = halves(sum);
        let [integral_high, integral_low] = halves(integral);
        let [consumption_high, consumption_low] = halves(consumption);
        [
            organization_id.into(),
            (*meter_id).into(),
            width.seconds().into(),
            start.into(),
            count.into(),
            first.at.into(),
            first.value.into(),
            last.at.into(),
            last.value.into(),
            min.into(),
            max.into(),
            sum_high.into(),
            sum_low.into(),
            integral_high.into(),
            integral_low.into(),
            consumption_high.into(),
            consumption_low.into(),
        ]
    };
    let rows = cells.iter().map(row).collect();
    bulk::insert::<Entity, 17>(tx, columns, rows, Existing::Replaced(&VALUES)).await?;
    Ok(())
}

/// Removes the cells of a meter that begin at some instants.
pub(crate) async fn remove(
    tx: &Tx,
    organization_id: Uuid,
    meter_id: Uuid,
    width: Width,
    starts: &[i64],
) -> Result<()> {
    for starts in starts.chunks(1_000) {
        Entity::delete_many()
            .filter(Column::OrganizationId.eq(organization_id))
            .filter(Column::MeterId.eq(meter_id))
            .filter(Column::WidthSeconds.eq(width.seconds()))
            .filter(Column::StartsAt.is_in(starts.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(())
}
