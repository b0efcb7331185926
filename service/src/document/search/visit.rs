//! Reads what a plan says, some documents at a time.

use std::ops::ControlFlow;

use entity::document;
use sea_orm::{
    ColumnTrait, ExprTrait, IntoSimpleExpr, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    document::{
        index, outbox,
        query::{
            Subject,
            plan::{Access, FEW, IdRange, MAX_BYTES, Plan},
            sort::{Position, Sort},
        },
    },
    error::Result,
    store::{Tx, rows, stored, versioned},
};

/// How many documents are read at once.
const BATCH: u64 = 100;

/// What is read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) organization_id: Uuid,
    pub(super) collection_id: Uuid,
    pub(super) access: Access,
    /// The order in which it is read.
    pub(super) order: Sort,
    /// Whether that is not the order of the answer.
    pub(super) sorted_in_memory: bool,
}

/// A document that was read.
pub(super) struct Visited {
    pub(super) row: document::Model,
    pub(super) body: Map<String, Value>,
    /// Where it is in the order in which is read.
    pub(super) position: Position,
}

/// How a reading ended.
#[derive(Debug, Default)]
pub(super) struct End {
    /// How many documents were read.
    pub(super) visited: u64,
    /// The last of them, if there may be more that were not.
    pub(super) stopped_at: Option<Position>,
}

impl Reading {
    /// What a plan says: by the way of few entries, if it has few.
    pub(super) async fn of(
        tx: &Tx,
        (organization_id, collection_id): (Uuid, Uuid),
        plan: &Plan,
    ) -> Result<Self> {
        let of = |access: Access, sorted_in_memory| {
            let order = if sorted_in_memory { natural(&access) } else { plan.sort.clone() };
            Self { organization_id, collection_id, access, order, sorted_in_memory }
        };
        if let Some(few) = &plan.few {
            let few = of(few.clone(), true);
            let keys = few.keys(tx, None, FEW + 1).await?;
            if keys.len() as u64 <= FEW {
                return Ok(few);
            }
        }
        Ok(of(plan.access.clone(), plan.sorted_in_memory))
    }

    /// The index that is read.
    pub(super) fn index(&self) -> Option<String> {
        match &self.access {
            Access::Points { index, .. } | Access::Range { index, .. } => Some(index.to_pointer()),
            _ => None,
        }
    }

    /// Shows each document after a position, `first` of them to begin with, until that is enough, there are no more,
    /// or as many were read as a request may.
    pub(super) async fn visit(
        &self,
        tx: &Tx,
        after: Option<Position>,
        (first, max_documents): (u64, u64),
        mut show: impl FnMut(Visited) -> Result<ControlFlow<()>>,
    ) -> Result<End> {
        let (mut end, mut after, mut bytes) = (End::default(), after, 0_u64);
        loop {
            if end.visited >= max_documents || bytes >= MAX_BYTES {
                end.stopped_at = after;
                return Ok(end);
            }
            let batch =
                if end.visited == 0 { first.clamp(1, BATCH) } else { tx.rows_at_once(BATCH) };
            let limit = (max_documents - end.visited).clamp(1, batch);
            let rows = self.batch(tx, after.as_ref(), limit).await?;
            let is_last = (rows.len() as u64) < limit;
            for row in rows {
                end.visited += 1;
                bytes += row.body.len() as u64;
                let body = stored::exact_object(document::Column::Body, row.id, &row.body)?;
                let position = self.order.position(&Subject::new(&row.key, &body), &row.key);
                after = Some(position.clone());
                if show(Visited { row, body, position })?.is_break() {
                    return Ok(end);
                }
                if bytes >= MAX_BYTES {
                    break;
                }
            }
            if is_last && bytes < MAX_BYTES {
                return Ok(end);
            }
        }
    }

    /// The next documents after a position, in order.
    async fn batch(
        &self,
        tx: &Tx,
        after: Option<&Position>,
        limit: u64,
    ) -> Result<Vec<document::Model>> {
        if let Access::Scan(range) = &self.access {
            return self.scan(tx, range, after, limit).await;
        }
        let keys = self.keys(tx, after, limit).await?;
        let mut rows = self.rows(tx, &keys).await?;
        let place = |row: &document::Model| keys.iter().position(|key| *key == row.key);
        rows.sort_by_cached_key(place);
        Ok(rows)
    }

    /// The next keys of documents after a position, in order.
    async fn keys(&self, tx: &Tx, after: Option<&Position>, limit: u64) -> Result<Vec<String>> {
        let descending = self.order.ids_descend();
        let page = |with_value: bool| {
            let value = |position: &'_ Position| -> Vec<u8> {
                position.values.first().cloned().unwrap_or_default()
            };
            after.map(|after| (if with_value { value(after) } else { Vec::new() }, &*after.id))
        };
        let index_id = |path: &crate::document::query::Path| {
            (self.organization_id, index::id(self.collection_id, &path.to_pointer()))
        };
        match &self.access {
            Access::Nothing | Access::Scan(_) => Ok(Vec::new()),
            Access::Ids(ids) => {
                let mut ids = ids.clone();
                ids.sort_unstable();
                if descending {
                    ids.reverse();
                }
                let is_next = |id: &String| match after {
                    None => true,
                    Some(after) if descending => *id < after.id,
                    Some(after) => *id > after.id,
                };
                Ok(ids
                    .into_iter()
                    .filter(is_next)
                    .take(usize::try_from(limit).unwrap_or(usize::MAX))
                    .collect())
            }
            Access::Points { index, points } => {
                let after = page(false);
                let after = after.as_ref().map(|(value, id)| (value.as_slice(), *id));
                let page = index::Page { after, descending, limit };
                index::keys(tx, index_id(index), points, page).await
            }
            Access::Range { index, range } => {
                let after = page(true);
                let after = after.as_ref().map(|(value, id)| (value.as_slice(), *id));
                let page = index::Page { after, descending, limit };
                index::find(tx, index_id(index), range, page).await
            }
        }
    }

    async fn rows(&self, tx: &Tx, keys: &[String]) -> Result<Vec<document::Model>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = versioned::find_in_organization::<document::Entity>(self.organization_id)
            .filter(document::Column::CollectionId.eq(self.collection_id))
            .filter(document::Column::Key.is_in(keys.iter().map(String::as_str)));
        let mut rows = rows::all(tx, rows).await?;
        outbox::fill_in(tx, &mut rows)?;
        Ok(rows)
    }

    /// In the order of keys. Of two bounds on one side the position is the nearer one.
    async fn scan(
        &self,
        tx: &Tx,
        range: &IdRange,
        after: Option<&Position>,
        limit: u64,
    ) -> Result<Vec<document::Model>> {
        let descending = self.order.ids_descend();
        let after = after.map(|after| (after.id.clone(), false));
        let (from, to) = match descending {
            false => (after.or(range.from.clone()), range.to.clone()),
            true => (range.from.clone(), after.or(range.to.clone())),
        };
        let key = || document::Column::Key.into_simple_expr();
        let from = from.map(|(id, inclusive)| if inclusive { key().gte(id) } else { key().gt(id) });
        let to = to.map(|(id, inclusive)| if inclusive { key().lte(id) } else { key().lt(id) });
        let rows = versioned::find_in_organization::<document::Entity>(self.organization_id)
            .filter(document::Column::CollectionId.eq(self.collection_id));
        let bounds: Vec<Expr> = from.into_iter().chain(to).collect();
        let rows = bounds.into_iter().fold(rows, QueryFilter::filter);
        let order = if descending { Order::Desc } else { Order::Asc };
        let rows = rows.order_by(document::Column::Key, order).limit(limit);
        let mut rows = rows::all(tx, rows).await?;
        outbox::fill_in(tx, &mut rows)?;
        Ok(rows)
    }
}

/// The order in which an access reads.
fn natural(access: &Access) -> Sort {
    match access {
        Access::Range { index, .. } => Sort::ascending(index.clone()),
        _ => Sort::default(),
    }
}
