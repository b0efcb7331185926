//! Rows of tables that are kept by meter and by instant, looked up in many ranges with one statement.

use sea_orm::{
    ConnectionTrait, EntityTrait, ExprTrait, JoinType, Order, QueryResult,
    sea_query::{Alias, Condition, Expr, Query},
};
use uuid::Uuid;

use crate::error::Result;

/// From an instant on, and before another one, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) meter_id: Uuid,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// How many ranges one statement looks up.
const RANGES_PER_STATEMENT: usize = 1_000;

/// The columns that the rows of a table are kept by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept<C> {
    pub(crate) organization_id: C,
    pub(crate) meter_id: C,
    pub(crate) at: C,
}

const ASKED: &str = "asked";

fn asked(column: &'static str) -> Expr {
    Expr::col((Alias::new(ASKED), Alias::new(column)))
}

/// The id of the meter and some columns of the rows that lie in ranges. In the order of the meters and of time.
pub(crate) async fn select<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    kept: Kept<E::Column>,
    columns: &[E::Column],
    ranges: &[Range],
    also: Option<Expr>,
) -> Result<Vec<QueryResult>> {
    let of = |column: E::Column| Expr::col((E::default(), column));
    let mut found = Vec::new();
    for ranges in ranges.chunks(RANGES_PER_STATEMENT) {
        let tuples = ranges.iter().map(|range| (range.meter_id, range.from, range.to));
        let within = Condition::all()
            .add(of(kept.organization_id).eq(organization_id))
            .add(of(kept.meter_id).eq(asked("column1")))
            .add(of(kept.at).gte(asked("column2")))
            .add(of(kept.at).lt(asked("column3")))
            .add_option(also.clone());
        let mut statement = Query::select();
        statement
            .expr(of(kept.meter_id))
            .exprs(columns.iter().map(|column| of(*column)))
            .from_values(tuples, Alias::new(ASKED))
            .join(JoinType::InnerJoin, E::default(), within)
            .order_by_expr(of(kept.meter_id), Order::Asc)
            .order_by_expr(of(kept.at), Order::Asc);
        found.extend(connection.query_all(&statement).await?);
    }
    Ok(found)
}

/// Of the rows of each meter, the key of the last before each range, and of the first that is not before its end.
pub(crate) async fn neighbours<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    kept: Kept<E::Column>,
    ranges: &[Range],
    also: Option<Expr>,
) -> Result<Vec<(Uuid, Option<i64>, Option<i64>)>> {
    let of = |column: E::Column| Expr::col((E::default(), column));
    let beside = |order: Order, is_beside: Expr| {
        let mut one = Query::select();
        one.expr(of(kept.at))
            .from(E::default())
            .and_where(of(kept.organization_id).eq(organization_id))
            .and_where(of(kept.meter_id).eq(asked("column1")))
            .and_where(is_beside)
            .and_where_option(also.clone())
            .order_by_expr(of(kept.at), order)
            .limit(1);
        Expr::SubQuery(None, Box::new(one.into()))
    };
    let mut found = Vec::new();
    for ranges in ranges.chunks(RANGES_PER_STATEMENT) {
        let tuples = ranges.iter().map(|range| (range.meter_id, range.from, range.to));
        let mut statement = Query::select();
        statement
            .expr(asked("column1"))
            .expr(beside(Order::Desc, of(kept.at).lt(asked("column2"))))
            .expr(beside(Order::Asc, of(kept.at).gte(asked("column3"))))
            .from_values(tuples, Alias::new(ASKED));
        for row in connection.query_all(&statement).await? {
            found.push((
                row.try_get_by_index(0)?,
                row.try_get_by_index(1)?,
                row.try_get_by_index(2)?,
            ));
        }
    }
    Ok(found)
}
