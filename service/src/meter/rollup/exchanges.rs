//! Where counters began anew, in the database.

use std::collections::HashMap;

use entity::meter_exchange::{Column, Entity, Model};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value,
};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    meter::{
        consumption::{Cause, Exchange, Kept as Row},
        ranges::{self, Kept, Range},
    },
    store::{
        Tx,
        bulk::{self, Existing},
        stored::{self, StoredWord},
    },
};

const KEPT: Kept<Column> =
    Kept { organization_id: Column::OrganizationId, meter_id: Column::MeterId, at: Column::At };

/// The rows in some ranges, by meter and in the order of time.
pub(crate) async fn in_ranges(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ranges: &[Range],
) -> Result<HashMap<Uuid, Vec<Row>>> {
    let columns = [
        Column::At,
        Column::Kind,
        Column::Before,
        Column::After,
        Column::ByRule,
        Column::DecidedByMemberId,
        Column::DecidedAt,
    ];
    let found =
        ranges::select::<Entity>(connection, organization_id, KEPT, &columns, ranges, None).await?;
    let mut rows: HashMap<Uuid, Vec<Row>> = HashMap::new();
    for row in found {
        let meter_id: Uuid = row.try_get_by_index(0)?;
        let model = Model {
            organization_id,
            meter_id,
            at: row.try_get_by_index(1)?,
            kind: row.try_get_by_index(2)?,
            before: row.try_get_by_index(3)?,
            after: row.try_get_by_index(4)?,
            by_rule: row.try_get_by_index(5)?,
            decided_by_member_id: row.try_get_by_index(6)?,
            decided_at: row.try_get_by_index(7)?,
        };
        rows.entry(meter_id).or_default().push(kept(&model)?);
    }
    Ok(rows)
}

/// The row as rules know it.
pub(crate) fn kept(row: &Model) -> Result<Row> {
    let kind = stored::word(Column::Kind, row.meter_id, &row.kind)?;
    Ok(Row { at: row.at, kind, before: row.before, after: row.after, cause: cause(row) })
}

/// Who says so: what a member says has an instant, and what a member has entered is not by the rule.
fn cause(row: &Model) -> Cause {
    match (row.by_rule, row.decided_at) {
        (false, _) => Cause::Entry,
        (true, Some(_)) => Cause::Decision,
        (true, None) => Cause::Rule,
    }
}

/// The row as consumption is computed with it.
pub(crate) fn counted(row: &Row) -> Exchange {
    Exchange { at: row.at, before: row.before, after: row.after }
}

/// The same of a row.
pub(crate) fn of_row(row: &Model) -> Exchange {
    Exchange { at: row.at, before: row.before, after: row.after }
}

/// The row of an instant.
pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    (organization_id, meter_id): (Uuid, Uuid),
    at: i64,
) -> Result<Option<Model>> {
    Ok(Entity::find_by_id((organization_id, meter_id, at)).one(connection).await?)
}

/// The rows of a meter from an instant on and before another one, in the order of time.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    Range { meter_id, from, to }: Range,
    limit: u64,
) -> Result<Vec<Model>> {
    let rows = Entity::find()
        .filter(Column::OrganizationId.eq(organization_id))
        .filter(Column::MeterId.eq(meter_id))
        .filter(Column::At.gte(from))
        .filter(Column::At.lt(to))
        .order_by_asc(Column::At)
        .limit(limit)
        .all(connection)
        .await?;
    Ok(rows)
}

/// Who has said where a counter began anew, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said {
    pub(crate) by_member_id: Option<Uuid>,
    pub(crate) at: i64,
}

/// Writes rows in the place of those that there are at their instants.
pub(crate) async fn write(tx: &Tx, organization_id: Uuid, rows: &[(Uuid, Row)]) -> Result<()> {
    write_said(tx, organization_id, rows, None).await
}

/// The same, as somebody has said.
pub(crate) async fn write_said(
    tx: &Tx,
    organization_id: Uuid,
    rows: &[(Uuid, Row)],
    said: Option<Said>,
) -> Result<()> {
    let columns = [
        Column::OrganizationId,
        Column::MeterId,
        Column::At,
        Column::Kind,
        Column::Before,
        Column::After,
        Column::ByRule,
        Column::DecidedByMemberId,
        Column::DecidedAt,
    ];
    let [_, _, _, replaced @ ..] = columns;
    let row = |(meter_id, row): &(Uuid, Row)| -> [Value; 9] {
        let Row { at, kind, before, after, cause } = *row;
        [
            organization_id.into(),
            (*meter_id).into(),
            at.into(),
            kind.as_str().into(),
            before.into(),
            after.into(),
            (cause != Cause::Entry).into(),
            said.and_then(|said| said.by_member_id).into(),
            said.map(|said| said.at).into(),
        ]
    };
    let values = rows.iter().map(row).collect();
    bulk::insert::<Entity, 9>(tx, columns, values, Existing::Replaced(&replaced)).await?;
    Ok(())
}

/// Removes the rows of a meter at some instants.
pub(crate) async fn remove(
    tx: &Tx,
    organization_id: Uuid,
    meter_id: Uuid,
    instants: &[i64],
) -> Result<()> {
    for instants in instants.chunks(1_000) {
        Entity::delete_many()
            .filter(Column::OrganizationId.eq(organization_id))
            .filter(Column::MeterId.eq(meter_id))
            .filter(Column::At.is_in(instants.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// No such row.
pub(crate) fn not_found() -> Error {
    Error::NotFound("exchange")
}
