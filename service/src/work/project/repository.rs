use std::collections::HashMap;

use entity::project;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, IntoSimpleExpr, QueryFilter, QuerySelect, QueryTrait,
    Select,
};
use uuid::Uuid;

use super::{Project, ProjectQuery, Status};
use crate::{
    error::Result,
    input::AnyOf,
    resource::Mapped,
    store::{dialect, page::Sort, parts::Rows, stored, versioned},
    text::lower,
};

pub(crate) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<project::Model> {
    versioned::get::<project::Entity>(connection, organization_id, id).await
}

/// By name.
impl Mapped for Project {
    type Entity = project::Entity;
    type Query = ProjectQuery;

    fn sort(_: &ProjectQuery) -> Sort<project::Column> {
        Sort { name: "name", column: project::Column::NameKey, descending: false }
    }

    fn filter(
        backend: DbBackend,
        rows: Select<project::Entity>,
        query: &ProjectQuery,
    ) -> Rows<project::Entity> {
        let ProjectQuery { status, q, limit: _, cursor: _ } = query;
        let rows = rows.apply_if(q.as_deref(), |rows, text| {
            let key = project::Column::SearchKey.into_simple_expr();
            rows.filter(dialect::contains(backend, key, &lower(text)))
        });
        let statuses = status.as_ref().map(AnyOf::words);
        Rows::from(rows).any_of(backend, project::Column::Status, statuses)
    }
}

/// The statuses of those of these projects that are there.
pub(super) async fn statuses(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Status>> {
    let rows: Vec<(Uuid, String)> =
        versioned::find_in_organization::<project::Entity>(organization_id)
            .select_only()
            .column(project::Column::Id)
            .column(project::Column::Status)
            .filter(project::Column::Id.is_in(ids))
            .into_tuple()
            .all(connection)
            .await?;
    let read = |(id, status): (Uuid, String)| {
        Ok((id, stored::word(project::Column::Status, id, &status)?))
    };
    rows.into_iter().map(read).collect()
}

/// All projects: few, and read whole where many are looked up.
pub(crate) async fn all(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Vec<project::Model>> {
    Ok(versioned::find_in_organization::<project::Entity>(organization_id).all(connection).await?)
}

/// Which of these are no projects of the organization.
pub(crate) async fn find_missing_ids(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: Vec<Uuid>,
) -> Result<Vec<Uuid>> {
    versioned::find_missing_ids::<project::Entity>(connection, organization_id, ids).await
}
