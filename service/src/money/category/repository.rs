use std::collections::HashMap;

use entity::category;
use sea_orm::{
    ColumnTrait, ConnectionTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{CommonTableExpression, Expr, Query, SelectStatement, UnionType, WithClause},
};
use uuid::Uuid;

use super::Category;
use crate::{
    error::Result,
    resource::Mapped,
    store::{
        page::{PageQuery, Sort},
        parts::Choice,
        versioned,
    },
};

pub(crate) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<category::Model> {
    versioned::get::<category::Entity>(connection, organization_id, id).await
}

/// By name.
impl Mapped for Category {
    type Entity = category::Entity;
    type Query = PageQuery;

    fn sort(_: &PageQuery) -> Sort<category::Column> {
        Sort { name: "name", column: category::Column::NameKey, descending: false }
    }
}

/// A subquery of the ids of some categories and of all that lie below them. UNION and not UNION ALL: it
/// would end even on a cycle.
pub(crate) fn subtree(organization_id: Uuid, roots: &Choice) -> SelectStatement {
    let tree = "tree";
    let below = Query::select()
        .column((category::Entity, category::Column::Id))
        .from(category::Entity)
        .inner_join(
            tree,
            Expr::col((tree, "id")).eq(Expr::col((category::Entity, category::Column::ParentId))),
        )
        .and_where(
            Expr::col((category::Entity, category::Column::OrganizationId)).eq(organization_id),
        )
        .to_owned();
    let mut start = versioned::find_in_organization::<category::Entity>(organization_id)
        .select_only()
        .column(category::Column::Id)
        .filter(roots.on(category::Column::Id))
        .into_query();
    start.union(UnionType::Distinct, below);
    let with = WithClause::new()
        .recursive(true)
        .cte(CommonTableExpression::new().table_name(tree).column("id").query(start).to_owned())
        .to_owned();
    Query::select().column("id").from(tree).with_cte(with).to_owned()
}

/// Whether a category is another one or lies below it.
pub(super) async fn is_within(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
    root: Uuid,
) -> Result<bool> {
    let found = versioned::find_in_organization::<category::Entity>(organization_id)
        .filter(category::Column::Id.eq(id))
        .filter(category::Column::Id.in_subquery(subtree(organization_id, &Choice::of([root]))))
        .all(connection)
        .await?;
    Ok(!found.is_empty())
}

/// All categories: few, and read whole where many are looked up.
pub(crate) async fn all(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Vec<category::Model>> {
    Ok(versioned::find_in_organization::<category::Entity>(organization_id).all(connection).await?)
}

/// The id of each folded name: where several have it, of the one nearest to the top, then of the
/// oldest.
pub(crate) async fn by_name(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<HashMap<String, Uuid>> {
    let mut rows = all(connection, organization_id).await?;
    rows.sort_by_key(|row| (row.parent_id.is_some(), row.id));
    let mut ids = HashMap::new();
    for row in rows {
        ids.entry(row.name_key).or_insert(row.id);
    }
    Ok(ids)
}

/// Which of these are no categories of the organization.
pub(crate) async fn find_missing_ids(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: Vec<Uuid>,
) -> Result<Vec<Uuid>> {
    versioned::find_missing_ids::<category::Entity>(connection, organization_id, ids).await
}
