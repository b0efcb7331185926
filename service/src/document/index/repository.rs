use entity::{
    document, document_index,
    document_value::{self, Column},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, Order, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Alias, Expr, OnConflict, Query, SelectStatement, UnionType},
};
use uuid::Uuid;

use super::{Entry, Indexed, State, id};
use crate::{
    document::{
        outbox,
        query::{
            order,
            range::{Bound, Point, Range},
        },
    },
    error::Result,
    store::{Tx, dialect, rows, stored::StoredWord, versioned},
};

/// How many parts a statement has at most: SQLite takes 500.
const MAX_PARTS: usize = 100;

/// Writes the rows of indexes that are not there yet.
pub(super) async fn insert(tx: &Tx, of: Indexed<'_>, state: State) -> Result<()> {
    let rows = of.pointers.iter().map(|pointer| document_index::ActiveModel {
        organization_id: Set(of.organization_id),
        id: Set(id(of.collection_id, pointer)),
        collection_id: Set(of.collection_id),
        pointer: Set(pointer.clone()),
        state: Set(state.as_str().to_owned()),
        built_to: Set(None),
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    let key = [document_index::Column::OrganizationId, document_index::Column::Id];
    document_index::Entity::insert_many(rows)
        .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// From the first document on.
pub(super) async fn set_state(tx: &Tx, of: Indexed<'_>, state: State) -> Result<()> {
    let ids = of.pointers.iter().map(|pointer| id(of.collection_id, pointer));
    document_index::Entity::update_many()
        .col_expr(document_index::Column::State, Expr::val(state.as_str()))
        .col_expr(document_index::Column::BuiltTo, Expr::val(None::<String>))
        .filter(document_index::Column::OrganizationId.eq(of.organization_id))
        .filter(document_index::Column::Id.is_in(ids))
        .exec(tx)
        .await?;
    Ok(())
}

/// The pointers of the indexes that may be read.
pub(super) async fn ready(
    connection: &impl ConnectionTrait,
    of: Indexed<'_>,
) -> Result<Vec<String>> {
    let ready = versioned::find_in_organization::<document_index::Entity>(of.organization_id)
        .select_only()
        .column(document_index::Column::Pointer)
        .filter(document_index::Column::CollectionId.eq(of.collection_id))
        .filter(document_index::Column::State.eq(State::Ready.as_str()));
    Ok(ready.into_tuple().all(connection).await?)
}

/// An index that is not ready, if there is one: of any organization, since it is work for the background.
pub(super) async fn next(connection: &impl ConnectionTrait) -> Result<Option<(Uuid, Uuid)>> {
    let states = [State::Building, State::Dropping].map(State::as_str);
    let next = document_index::Entity::find()
        .select_only()
        .columns([document_index::Column::OrganizationId, document_index::Column::Id])
        .filter(document_index::Column::State.is_in(states))
        .limit(1);
    Ok(next.into_tuple().one(connection).await?)
}

/// The next documents of an index that is built, after a key. Who writes one of them until the transaction ends begins
/// again: what is written of it here would not be seen there, and would stay.
pub(super) async fn next_documents(
    tx: &Tx,
    index: &document_index::Model,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<document::Model>> {
    let rows = versioned::find_in_organization::<document::Entity>(index.organization_id)
        .filter(document::Column::CollectionId.eq(index.collection_id))
        .apply_if(after, |rows, key| rows.filter(document::Column::Key.gt(key)))
        .order_by_asc(document::Column::Key)
        .limit(limit);
    let mut documents = rows::all(tx, rows).await?;
    let ids = documents.iter().map(|document| document.id);
    dialect::claim_rows::<document::Entity>(tx, index.organization_id, ids).await?;
    outbox::fill_in(tx, &mut documents)?;
    Ok(documents)
}

/// Removes what an index has of some documents. It is looked for by the documents alone: a condition on the index
/// would lead a database without statistics through all that is built already.
pub(super) async fn delete_values(
    tx: &Tx,
    index: &document_index::Model,
    documents: &[document::Model],
) -> Result<()> {
    let values: Vec<(Uuid, bool, String, String)> = document_value::Entity::find()
        .select_only()
        .columns([Column::IndexId, Column::Element, Column::Value, Column::Key])
        .filter(Column::OrganizationId.eq(index.organization_id))
        .filter(Column::DocumentId.is_in(documents.iter().map(|document| document.id)))
        .into_tuple()
        .all(tx)
        .await?;
    let values: Vec<_> = values.into_iter().filter(|value| value.0 == index.id).collect();
    for values in values.chunks(MAX_PARTS) {
        let one = |(_, element, value, key): &(Uuid, bool, String, String)| {
            let one = Column::Element.eq(*element).and(Column::Value.eq(value.as_str()));
            one.and(Column::Key.eq(key.as_str()))
        };
        let any = values.iter().map(one).fold(Condition::any(), Condition::add);
        document_value::Entity::delete_many()
            .filter(of_index((index.organization_id, index.id)))
            .filter(any)
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Removes some of what an index has, and says how much.
pub(super) async fn drop_values(tx: &Tx, index: &document_index::Model, limit: u64) -> Result<u64> {
    let condition = Condition::all().add(of_index((index.organization_id, index.id)));
    let order = rows::key::<document_value::Entity>();
    rows::delete_first::<document_value::Entity>(tx, &condition, &order, limit).await
}

pub(super) async fn set_built(
    tx: &Tx,
    index: &document_index::Model,
    built_to: Option<&str>,
) -> Result<()> {
    let state = if built_to.is_some() { State::Building } else { State::Ready };
    document_index::Entity::update_many()
        .col_expr(document_index::Column::State, Expr::val(state.as_str()))
        .col_expr(document_index::Column::BuiltTo, Expr::val(built_to.map(str::to_owned)))
        .filter(document_index::Column::OrganizationId.eq(index.organization_id))
        .filter(document_index::Column::Id.eq(index.id))
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) async fn delete_index(tx: &Tx, index: &document_index::Model) -> Result<()> {
    document_index::Entity::delete_by_id((index.organization_id, index.id)).exec(tx).await?;
    Ok(())
}

/// The rows of a document.
pub(super) fn rows<'a>(
    (organization_id, index_id): (Uuid, Uuid),
    document: Entry<'a>,
    points: Vec<Point>,
) -> impl Iterator<Item = document_value::ActiveModel> + use<'a> {
    points.into_iter().map(move |point| document_value::ActiveModel {
        organization_id: Set(organization_id),
        index_id: Set(index_id),
        element: Set(point.element),
        value: Set(order::to_text(&point.key)),
        key: Set(document.key.to_owned()),
        document_id: Set(document.id),
    })
}

fn of_index((organization_id, index_id): (Uuid, Uuid)) -> Expr {
    Column::OrganizationId.eq(organization_id).and(Column::IndexId.eq(index_id))
}

/// Where to read an index on: what comes after a value and a key, in which direction, and how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    /// After which value, if values have an order, and key.
    pub after: Option<(&'a [u8], &'a str)>,
    /// From the greatest.
    pub descending: bool,
    /// How many keys at most.
    pub limit: u64,
}

/// Keys of documents whose value is in a range, in the order of the values and then the keys.
pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    index: (Uuid, Uuid),
    range: &Range,
    page: Page<'_>,
) -> Result<Vec<String>> {
    let order = if page.descending { Order::Desc } else { Order::Asc };
    let values = document_value::Entity::find()
        .select_only()
        .column(Column::Key)
        .filter(of_index(index))
        .filter(Column::Element.eq(false));
    let after = page.after.map(|(value, key)| {
        let here = Expr::tuple([Expr::col(Column::Value), Expr::col(Column::Key)]);
        let there = Expr::tuple([Expr::val(order::to_text(value)), Expr::val(key)]);
        if page.descending { here.lt(there) } else { here.gt(there) }
    });
    // What comes after a position in the range is within the bound that it lies behind.
    let starts = after.is_none();
    let values = after.into_iter().fold(values, Select::filter);
    let values = match &range.to {
        Some(to) if starts || !page.descending => values.filter(until(to)),
        _ => values,
    };
    let values = match starts || page.descending {
        true => values.filter(since(&range.from)),
        false => values,
    };
    let values = values
        .order_by(Column::Value, order.clone())
        .order_by(Column::Key, order)
        .limit(page.limit);
    Ok(values.into_tuple().all(connection).await?)
}

fn since(from: &Bound) -> Expr {
    let text = order::to_text(&from.bytes);
    if from.inclusive { Column::Value.gte(text) } else { Column::Value.gt(text) }
}

fn until(to: &Bound) -> Expr {
    let text = order::to_text(&to.bytes);
    if to.inclusive { Column::Value.lte(text) } else { Column::Value.lt(text) }
}

/// Keys of documents that have one of some points, each once, in their order.
pub(crate) async fn keys(
    connection: &impl ConnectionTrait,
    index: (Uuid, Uuid),
    points: &[Point],
    page: Page<'_>,
) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for chunk in points.chunks(MAX_PARTS) {
        let mut parts = chunk.iter().zip(0..).map(|(point, number)| {
            let name = Alias::new(format!("part_{number}"));
            let keys = keys_of(index, point, page);
            Query::select().column(Column::Key).from_subquery(keys, name).to_owned()
        });
        let Some(mut whole) = parts.next() else { continue };
        for part in parts {
            whole.union(UnionType::Distinct, part);
        }
        for row in connection.query_all(&whole).await? {
            found.push(row.try_get_by_index(0)?);
        }
    }
    found.sort_unstable();
    found.dedup();
    if page.descending {
        found.reverse();
    }
    found.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
    Ok(found)
}

fn keys_of(index: (Uuid, Uuid), point: &Point, page: Page<'_>) -> SelectStatement {
    let order = if page.descending { Order::Desc } else { Order::Asc };
    let keys = document_value::Entity::find()
        .select_only()
        .column(Column::Key)
        .filter(of_index(index))
        .filter(Column::Element.eq(point.element))
        .filter(Column::Value.eq(order::to_text(&point.key)))
        .apply_if(page.after, |keys, (_, key)| match page.descending {
            true => keys.filter(Column::Key.lt(key)),
            false => keys.filter(Column::Key.gt(key)),
        });
    keys.order_by(Column::Key, order).limit(page.limit).into_query()
}
